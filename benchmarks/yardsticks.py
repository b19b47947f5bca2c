"""Bare confirmed publishing by pika's asyncio adapter: what the broker accepts from a publisher alone."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import pika
from pika.adapters.asyncio_connection import AsyncioConnection

from backbone.messaging import amqp
from benchmarks import load

SIZE = 800
"""Bytes, about those of a submission."""


def confirmed_publishing(url: str, in_flight: int, seconds: float) -> float:
    """Messages a second that a durable quorum queue accepts: persistent, mandatory, confirmed."""
    return load.run(_publish(url, in_flight, seconds))


async def _publish(url: str, in_flight: int, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[Any] = loop.create_future()
    connection = AsyncioConnection(
        amqp.parameters(url, "bench"), on_open_callback=opened.set_result, custom_ioloop=loop
    )
    await asyncio.wait_for(opened, 10)
    ready: asyncio.Future[Any] = loop.create_future()
    connection.channel(on_open_callback=ready.set_result)
    channel = await asyncio.wait_for(ready, 10)
    queue = f"bench-{uuid.uuid4().hex}"
    await _wait_for(lambda callback: channel.queue_declare(queue, durable=True, arguments=_QUORUM, callback=callback))
    waiting: dict[int, asyncio.Future[None]] = {}

    def on_confirm(frame: Any) -> None:
        last = frame.method.delivery_tag
        for tag in [tag for tag in waiting if tag <= last] if frame.method.multiple else [last]:
            waiting.pop(tag).set_result(None)

    await _wait_for(lambda callback: channel.confirm_delivery(on_confirm, callback=callback))
    body, properties = b"x" * SIZE, pika.BasicProperties(delivery_mode=2, content_type="application/json")
    published = confirms = 0
    began = time.perf_counter()

    async def publish() -> None:
        nonlocal published, confirms
        while time.perf_counter() - began < seconds:
            published += 1
            done = waiting[published] = loop.create_future()
            channel.basic_publish("", queue, body, properties, mandatory=True)
            await done
            confirms += 1

    await asyncio.gather(*(publish() for _ in range(in_flight)))
    rate = confirms / (time.perf_counter() - began)
    await _wait_for(lambda callback: channel.queue_delete(queue, callback=callback))
    connection.close()
    return rate


_QUORUM = {"x-queue-type": "quorum"}


async def _wait_for(start: Any) -> None:
    done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    start(done.set_result)
    await asyncio.wait_for(done, 30)

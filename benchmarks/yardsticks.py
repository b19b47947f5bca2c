"""What the broker and nameko do alone: bare confirmed publishing by pika's asyncio adapter, and bare RPC to a service of nameko
that answers what it was sent."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pika
from pika.adapters.asyncio_connection import AsyncioConnection

from backbone.messaging import amqp
from benchmarks import load
from benchmarks.messaging_contracts import Done, Echo
from contracts.errors import PeygirError
from gateway.rabbit.client import RabbitClient

SIZE = 800
"""Bytes, about those of a submission."""


def confirmed_publishing(url: str, in_flight: int, seconds: float) -> float:
    """Messages a second that a durable quorum queue accepts: persistent, mandatory, confirmed."""
    return load.run(_publish(url, in_flight, seconds))


@contextmanager
def echo_service(url: str) -> Iterator[None]:
    """A service of nameko runs, with nameko's own settings."""
    program = Path(__file__).with_name("echo_service.py")
    service = subprocess.Popen([sys.executable, str(program), url])
    try:
        load.run(_call_echo(url, 1, 0.0))
        yield
    finally:
        service.terminate()
        service.wait(30)


def bare_rpc(url: str, in_flight: int, seconds: float) -> float:
    """Calls a second that the gateway's client has answered by `echo_service`, `in_flight` at a time."""
    return load.run(_call_echo(url, in_flight, seconds))


async def _call_echo(url: str, in_flight: int, seconds: float) -> float:
    client = RabbitClient(url, "bench")
    await client.start()
    answers = 0
    try:
        await _until_answered(client)
        began = time.perf_counter()

        async def call_in_turn() -> None:
            nonlocal answers
            while time.perf_counter() - began < seconds:
                await client.call("bench_echo", "echo", Echo(text="x" * SIZE), Done)
                answers += 1

        await asyncio.gather(*(call_in_turn() for _ in range(in_flight)))
        return answers / (time.perf_counter() - began)
    finally:
        await client.stop()


async def _until_answered(client: RabbitClient) -> None:
    for attempts_left in reversed(range(300)):
        try:
            await client.call("bench_echo", "echo", Echo(text=""), Done)
            return
        except PeygirError:
            if not attempts_left:
                raise
            await asyncio.sleep(0.1)


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

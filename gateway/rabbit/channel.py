"""A channel of pika's asyncio adapter, whose callbacks can be awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from backbone.messaging.amqp import NotPublished


class AwaitableChannel:
    """`raw`: pika's channel. `closed` is done when it has closed, and `close_reason` says why."""

    raw: Any = None
    close_reason = ""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.closed: asyncio.Future[None] = loop.create_future()

    async def open(self, connection: Any) -> None:
        opened: asyncio.Future[Any] = self._loop.create_future()
        connection.channel(on_open_callback=lambda channel: None if opened.done() else opened.set_result(channel))
        self.raw = await asyncio.wait_for(opened, 5)
        self.raw.add_on_close_callback(self._on_close)

    async def wait_for(self, start: Callable[[Callable[[Any], None]], Any]) -> Any:
        """The broker's answer to what `start(callback)` sent; NotPublished when the channel closes instead."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        start(lambda frame: None if answer.done() else answer.set_result(frame))
        await asyncio.wait({answer, self.closed}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise NotPublished(self.close_reason or "no answer from the broker")
        return answer.result()

    def close(self) -> None:
        if self.raw is not None and self.raw.is_open:
            self.raw.close()

    def _on_close(self, _: Any, why: BaseException) -> None:
        self.close_reason = str(why)
        if not self.closed.done():
            self.closed.set_result(None)

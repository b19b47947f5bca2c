"""The gateway's own client of RabbitMQ, outside a gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.rabbit.client import RabbitClient


@asynccontextmanager
async def connected_client(url: str, name: str = "test", **options: Any) -> AsyncIterator[RabbitClient]:
    """A client that is connected. `options`: those of RabbitClient."""
    client, ready = RabbitClient(url, name, **options), asyncio.Event()

    async def connected() -> None:
        ready.set()

    client.add_connect_listener(connected)
    await client.start()
    try:
        await ready.wait()
        yield client
    finally:
        await client.stop()

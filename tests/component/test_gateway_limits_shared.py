"""Budgets that several gateways count together, in a Valkey (or Redis) server of the test's own."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import TooMany
from deploy.local import ports
from gateway.edge import limits
from gateway.edge.limits import Limits
from tests.support.gateway import Keys
from tests.support.processes import eventually

SERVER = shutil.which("valkey-server") or shutil.which("redis-server")
needs_server = pytest.mark.skipif(SERVER is None, reason="no Valkey here: apt-get install redis-server")


@contextmanager
def running(folder: Path, port: int | None = None) -> Iterator[int]:
    """A server that keeps all in memory, on the port that is given; it ends with the block."""
    assert SERVER is not None
    port = port or ports.pick()
    command = [SERVER, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:

            def answers() -> bool:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                    connection.sendall(b"PING\r\n")
                    return connection.recv(16).startswith(b"+PONG")
                return False

            eventually(answers, why=(folder / "log").read_text())
            yield port
        finally:
            process.kill()
            process.wait()


def gateways(keys: Keys, folder: Path, port: int, **settings: Any) -> list[Limits]:
    """Two of them, which share keys and server, and nothing else."""
    url = f"valkey://127.0.0.1:{port}/0"
    return [Limits(keys.settings(folder, limits_url=url, **settings)) for _ in range(2)]


async def allowed(gateway: Limits, who: str, times: int) -> int:
    done = 0
    for _ in range(times):
        with suppress(TooMany):
            await gateway.spend("submissions", who)
            done += 1
    return done


@needs_server
def test_two_gateways_share_one_budget(tmp_path: Path) -> None:
    async def go(first: Limits, second: Limits) -> None:
        here, there = (made.address_key("203.0.113.7") for made in (first, second))
        assert here == there
        assert await allowed(first, here, 3) == 3
        assert await allowed(second, there, 4) == 2
        assert await allowed(first, here, 1) == 0
        with pytest.raises(TooMany) as refusal:
            await second.spend("submissions", there)
        assert 1 <= refusal.value.params["retry_after"] <= 120
        assert await allowed(second, second.address_key("203.0.113.8"), 1) == 1

    with running(tmp_path) as port:
        asyncio.run(go(*gateways(Keys(), tmp_path, port, limit_submissions="5/minute")))


@needs_server
def test_refunds_and_usage_are_shared_between_gateways(tmp_path: Path) -> None:
    async def go(first: Limits, second: Limits) -> None:
        await first.spend("submissions", "somebody", 3)
        with pytest.raises(TooMany):
            await second.spend("submissions", "somebody", 3)
        await second.give_back("submissions", "somebody", 2)
        assert await first.used("submissions", "somebody") == 1
        await first.spend("submissions", "somebody", 4)
        assert await first.use_once("challenge", "a", 300)
        assert not await second.use_once("challenge", "a", 300)
        await first.count("wrong", "somebody")
        await second.count("wrong", "somebody")
        assert await first.recent_count("wrong", "somebody") == 2

    with running(tmp_path) as port:
        asyncio.run(go(*gateways(Keys(), tmp_path, port, limit_submissions="5/hour")))


@needs_server
def test_the_server_never_receives_an_address(tmp_path: Path) -> None:
    address = "203.0.113.7"
    with running(tmp_path) as port:
        first_gateway, _ = gateways(Keys(), tmp_path, port, limit_submissions="5/minute")
        asyncio.run(allowed(first_gateway, first_gateway.address_key(address), 1))
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"KEYS *\r\n")
            request = connection.recv(4096)
    assert b"submissions" in request
    assert address.encode() not in request


def test_an_unresponsive_server_neither_blocks_nor_delays_requests(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and answers none
        first_gateway, _ = gateways(Keys(), tmp_path, silent.getsockname()[1], limit_submissions="1/minute")

        async def go() -> int:
            async with asyncio.timeout(5):
                return await allowed(first_gateway, "somebody", 100)

        assert asyncio.run(go()) == 100


@needs_server
def test_a_server_that_returns_counts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STORAGE_PAUSE", 0.0)

    async def go(first_gateway: Limits) -> tuple[int, int]:
        without = await allowed(first_gateway, "somebody", 5)
        with running(tmp_path, port):
            return without, await allowed(first_gateway, "somebody", 5)

    port = ports.pick()
    first_gateway, _ = gateways(Keys(), tmp_path, port, limit_submissions="2/minute")
    assert asyncio.run(go(first_gateway)) == (5, 2)

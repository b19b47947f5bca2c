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
def test_two_gateways_spend_one_budget(tmp_path: Path) -> None:
    async def go(one: Limits, other: Limits) -> None:
        here, there = (made.address_key("203.0.113.7") for made in (one, other))
        assert here == there
        assert await allowed(one, here, 3) == 3
        assert await allowed(other, there, 4) == 2
        assert await allowed(one, here, 1) == 0
        with pytest.raises(TooMany) as refusal:
            await other.spend("submissions", there)
        assert 1 <= refusal.value.params["retry_after"] <= 120
        assert await allowed(other, other.address_key("203.0.113.8"), 1) == 1

    with running(tmp_path) as port:
        asyncio.run(go(*gateways(Keys(), tmp_path, port, limit_submissions="5/minute")))


@needs_server
def test_what_one_gateway_gives_back_or_has_seen_the_other_knows(tmp_path: Path) -> None:
    async def go(one: Limits, other: Limits) -> None:
        await one.spend("submissions", "somebody", 3)
        with pytest.raises(TooMany):
            await other.spend("submissions", "somebody", 3)
        await other.give_back("submissions", "somebody", 2)
        assert await one.used("submissions", "somebody") == 1
        await one.spend("submissions", "somebody", 4)
        assert await one.use_once("challenge", "a", 300)
        assert not await other.use_once("challenge", "a", 300)
        await one.count("wrong", "somebody")
        await other.count("wrong", "somebody")
        assert await one.recent_count("wrong", "somebody") == 2

    with running(tmp_path) as port:
        asyncio.run(go(*gateways(Keys(), tmp_path, port, limit_submissions="5/hour")))


@needs_server
def test_the_server_never_has_an_address(tmp_path: Path) -> None:
    address = "203.0.113.7"
    with running(tmp_path) as port:
        one, _ = gateways(Keys(), tmp_path, port, limit_submissions="5/minute")
        asyncio.run(allowed(one, one.address_key(address), 1))
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"KEYS *\r\n")
            told = connection.recv(4096)
    assert b"submissions" in told
    assert address.encode() not in told


def test_a_server_that_says_nothing_leaves_the_door_open_and_holds_nobody_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and answers none
        one, _ = gateways(Keys(), tmp_path, silent.getsockname()[1], limit_submissions="1/minute")

        async def go() -> int:
            async with asyncio.timeout(5):
                return await allowed(one, "somebody", 100)

        assert asyncio.run(go()) == 100


@needs_server
def test_a_server_that_comes_back_counts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STORAGE_PAUSE", 0.0)

    async def go(one: Limits) -> tuple[int, int]:
        without = await allowed(one, "somebody", 5)
        with running(tmp_path, port):
            return without, await allowed(one, "somebody", 5)

    port = ports.pick()
    one, _ = gateways(Keys(), tmp_path, port, limit_submissions="2/minute")
    assert asyncio.run(go(one)) == (5, 2)

"""Has papers drawn, one after the other, each by a process that ends with it: the event loop waits and goes on.

Whoever asks for many waits behind those who ask for one: turns go round among requesters, and each has so many at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import sys
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from pathlib import Path

from backbone.process import logs
from contracts.errors import TooMany, Unavailable
from gateway.papers.paper import Paper, Stamp, to_json

log = logs.get("papers")

_ROOT = Path(__file__).resolve().parents[2]
_KEPT = 32
"""Papers that are kept: who asks for one often asks twice. Some 40 kB each."""


class Turns:
    """A lock for one at a time that is fair between requesters, not between their requests."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def turn(self, requester: str) -> AsyncIterator[None]:
        """Waits for a turn of this requester; who is cancelled meanwhile leaves no gap."""
        if self._taken:
            await self._wait(requester)
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, requester: str) -> None:
        mine = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(requester, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._pass_on()
            else:
                self._forget(requester, mine)
            raise

    def _pass_on(self) -> None:
        """To the requester who has waited longest for one; the others of the same requester go to the end."""
        self._taken = bool(self._waiting)
        if self._waiting:
            requester, those = self._waiting.popitem(last=False)
            those.popleft().set_result(None)
            if those:
                self._waiting[requester] = those

    def _forget(self, requester: str, one: asyncio.Future[None]) -> None:
        those = self._waiting[requester]
        those.remove(one)
        if not those:
            del self._waiting[requester]


class Press:
    """`seconds`: until a paper has to be there, waiting for its turn included; `most`: that wait or are drawn at a time;
    `each`: of these one requester's."""

    def __init__(self, seconds: float, most: int, each: int, retry_after: int) -> None:
        self._seconds, self._most, self._each, self._retry_after = seconds, most, each, retry_after
        self._waiting: Counter[str] = Counter()
        self._turns = Turns()
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()

    @property
    def waiting(self) -> int:
        """Papers that wait or are drawn."""
        return self._waiting.total()

    async def draw(self, paper: Paper, stamp: Stamp, requester: str) -> bytes:
        """The PDF. `requester`: stands for an account or an address. TooMany when so many of theirs wait already;
        Unavailable when too many do of all, or it does not come in time. Cancelled, it draws no further."""
        asked = to_json(paper, stamp)
        key = hashlib.sha256(asked).digest()
        if (made := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return made
        if self._waiting[requester] >= self._each:
            raise TooMany(retry_after=self._retry_after)
        if self.waiting >= self._most:
            raise Unavailable(retry_after=self._retry_after)
        self._waiting[requester] += 1
        try:
            async with asyncio.timeout(self._seconds), self._turns.turn(requester):
                made = await _drawn(asked)
        except TimeoutError:
            log.warning("a paper was not drawn in time", seconds=self._seconds)
            raise Unavailable(retry_after=self._retry_after) from None
        finally:
            self._waiting[requester] -= 1
            if not self._waiting[requester]:
                del self._waiting[requester]
        if made is None:
            raise Unavailable(retry_after=self._retry_after)
        self._kept[key] = made
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return made


async def _drawn(asked: bytes) -> bytes | None:
    """What the worker made of it; None when it failed. Cancelled, it ends the worker."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.papers.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env=_bare_environment(),
        start_new_session=True,
    )
    try:
        made, complained = await worker.communicate(asked)
    finally:
        if worker.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
            await asyncio.shield(worker.wait())
    if worker.returncode != 0 or not made.startswith(b"%PDF-"):
        # Of what it complained only the kind: a traceback may quote the letter.
        last = complained.decode("utf-8", "replace").strip().rpartition("\n")[2].partition(":")[0][:80]
        log.error("a paper could not be drawn", exit=worker.returncode, error=last)
        return None
    return made


def _bare_environment() -> dict[str, str]:
    """None of the gateway's secrets. One thread, as on any number of cores: each more would reserve address space, of which
    the worker takes only so much."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "RAYON_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

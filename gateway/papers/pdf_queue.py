"""Renders papers one after the other, each in a process of its own, without blocking the event loop.

Fair between requesters: they take turns, so that one who requests many papers waits behind those who request one, and each may
have so many at a time.
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

from cachetools import LRUCache

from backbone.process import logs
from contracts.errors import TooMany, Unavailable
from gateway.papers.paper import Paper, VerificationBlock, to_json

log = logs.get("papers")

_ROOT = Path(__file__).resolve().parents[2]
_CACHED_PAPERS = 32
"""The same paper is often requested twice. Some 40 kB each."""


class FairLock:
    """A lock that is fair between requesters, not between their requests."""

    def __init__(self) -> None:
        self._locked = False
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def hold(self, requester: str) -> AsyncIterator[None]:
        """Holds the lock when it is this requester's turn. Cancelling a waiting requester blocks nobody."""
        if self._locked:
            await self._wait(requester)
        self._locked = True
        try:
            yield
        finally:
            self._release()

    async def _wait(self, requester: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(requester, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()
            else:
                self._remove(requester, turn)
            raise

    def _release(self) -> None:
        """Passes the lock to the requester who has waited longest; further requests of theirs go to the end of the queue."""
        self._locked = bool(self._waiting)
        if self._waiting:
            requester, turns = self._waiting.popitem(last=False)
            turns.popleft().set_result(None)
            if turns:
                self._waiting[requester] = turns

    def _remove(self, requester: str, turn: asyncio.Future[None]) -> None:
        turns = self._waiting[requester]
        turns.remove(turn)
        if not turns:
            del self._waiting[requester]


class PdfQueue:
    """`timeout`: seconds within which a paper has to be rendered, waiting included; `max_papers`: that wait or are rendered at
    a time; `max_per_requester`: of these."""

    def __init__(self, timeout: float, max_papers: int, max_per_requester: int, retry_after: int) -> None:
        self._timeout, self._max_papers, self._max_per_requester = timeout, max_papers, max_per_requester
        self._retry_after = retry_after
        self._waiting: Counter[str] = Counter()
        self._lock = FairLock()
        self._cache: LRUCache[bytes, bytes] = LRUCache(_CACHED_PAPERS)

    @property
    def waiting(self) -> int:
        """How many papers wait or are rendered."""
        return self._waiting.total()

    async def render(self, paper: Paper, verification: VerificationBlock, requester: str, keep: bool = True) -> bytes:
        """The PDF. `requester`: the key of an account or an address; `keep` False: it is not cached. TooMany when too many of
        theirs wait already; Unavailable when too many wait in all, or it is not rendered in time. Cancelling it ends the
        rendering."""
        content = to_json(paper, verification)
        key = hashlib.sha256(content).digest()
        if (pdf := self._cache.get(key)) is not None:
            return pdf
        if self._waiting[requester] >= self._max_per_requester:
            raise TooMany(retry_after=self._retry_after)
        if self.waiting >= self._max_papers:
            raise Unavailable(retry_after=self._retry_after)
        self._waiting[requester] += 1
        try:
            async with asyncio.timeout(self._timeout), self._lock.hold(requester):
                pdf = await _render(content)
        except TimeoutError:
            log.warning("a paper was not rendered in time", seconds=self._timeout)
            raise Unavailable(retry_after=self._retry_after) from None
        finally:
            self._waiting[requester] -= 1
            if not self._waiting[requester]:
                del self._waiting[requester]
        if pdf is None:
            raise Unavailable(retry_after=self._retry_after)
        if keep:
            self._cache[key] = pdf
        return pdf


async def _render(content: bytes) -> bytes | None:
    """The worker's PDF; None when it failed. Cancelling it ends the worker."""
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
        pdf, complaint = await worker.communicate(content)
    finally:
        if worker.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
            await asyncio.shield(worker.wait())
    if worker.returncode != 0 or not pdf.startswith(b"%PDF-"):
        # Only the type of the exception: a traceback may quote the letter.
        error = complaint.decode("utf-8", "replace").strip().rpartition("\n")[2].partition(":")[0][:80]
        log.error("a paper could not be rendered", exit=worker.returncode, error=error)
        return None
    return pdf


def _bare_environment() -> dict[str, str]:
    """Without the gateway's secrets. With one thread whatever the number of cores: each thread reserves address space, which
    the worker limits."""
    inherited = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {
        **inherited,
        "RAYON_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

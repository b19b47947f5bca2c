"""Has papers drawn, one after the other, each by a process that ends with it: the event loop waits and goes on."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import sys
from collections import OrderedDict
from pathlib import Path

from backbone import logs
from contracts.errors import Unavailable
from gateway.papers.paper import Paper, Stamp, to_json

log = logs.get("papers")

_ROOT = Path(__file__).resolve().parents[2]
_KEPT = 32
"""Papers that are kept: who asks for one often asks twice. Some 40 kB each."""


class Press:
    """`seconds`: until a paper has to be there, waiting for its turn included; `most`: that wait at a time."""

    def __init__(self, seconds: float, most: int, retry_after: int) -> None:
        self._seconds, self._most, self._retry_after = seconds, most, retry_after
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()

    async def draw(self, paper: Paper, stamp: Stamp) -> bytes:
        """The PDF. Unavailable when too many wait, or it does not come in time."""
        asked = to_json(paper, stamp)
        key = hashlib.sha256(asked).digest()
        if (made := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return made
        if self._waiting >= self._most:
            raise Unavailable(retry_after=self._retry_after)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._seconds), self._turn:
                made = await _drawn(asked)
        except TimeoutError:
            log.warning("a paper was not drawn in time", seconds=self._seconds)
            raise Unavailable(retry_after=self._retry_after) from None
        finally:
            self._waiting -= 1
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
    """None of the gateway's secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}

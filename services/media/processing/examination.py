"""The examination of one file in a worker process (`services.media.processing.worker`), within a wall-clock limit.

The child gets a bare environment: none of this service's secrets, addresses or keys.

When the process ends without a verdict, the moment decides why. Once the worker has written that it reads the file, the file
is the reason: an exception, a crash, memory, time. Before that, and where the disk is full, something of ours is the reason, and
another try may help.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from services.media.processing.rules import Limits, Reason, Verdict
from services.media.processing.worker import READING

_ROOT = Path(__file__).resolve().parents[3]
# The worker was ended from outside: for the machine's memory, or by somebody's hand.
_FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM}
_OUT_OF_TIME = {signal.SIGALRM, signal.SIGXCPU}
_FULL_DISK_BYTES = 16 * 1024 * 1024


class ProcessingFailed(Exception):
    """The examination was cut short by something beside the file (no worker, no ffmpeg, a full disk): try again."""


def examine(source: Path, out: Path, limits: Limits) -> Verdict:
    """The verdict on `source`. Derived files are in `out` (an empty folder) when it was accepted.

    Blocks for at most twice `limits.wall_seconds`; under eventlet only the calling green thread waits. Whatever
    ends the wait (a timeout, a stop of the service) ends the worker too. Raises ProcessingFailed.
    """
    verdict = _examine_once(source, out, limits)
    if verdict is None:  # another process may have used up the memory; twice it is the file
        _clear(out)
        verdict = _examine_once(source, out, limits)
    if verdict is None:
        verdict = _too_complex(source, "killed")
    if not verdict.accepted:
        _clear(out)
        if shutil.disk_usage(out).free < _FULL_DISK_BYTES:
            raise ProcessingFailed("no room on the disk")
    return verdict


def _examine_once(source: Path, out: Path, limits: Limits) -> Verdict | None:
    """None when the worker was killed while it read."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "services.media.processing.worker", str(source), str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=_ROOT,
        env=_bare_environment(),
        start_new_session=True,
    )
    try:
        output, errors = worker.communicate(json.dumps(asdict(limits)).encode(), timeout=limits.wall_seconds)
    except subprocess.TimeoutExpired:
        return _too_complex(source, "time")
    finally:
        _end(worker)
    reading, answer = output.startswith(READING), output.removeprefix(READING)
    if worker.returncode == 0:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            return Verdict.from_json(json.loads(answer))
    if not reading or worker.returncode == os.EX_TEMPFAIL:
        last = errors.decode("utf-8", "replace").strip()[-500:]
        raise ProcessingFailed(f"the worker ended with {worker.returncode}: {last}")
    if worker.returncode < 0:
        name = signal.Signals(-worker.returncode)
        if name in _FROM_OUTSIDE:
            return None
        return _too_complex(source, "time" if name in _OUT_OF_TIME else name.name)
    return Verdict(False, source.stat().st_size, "", reason=Reason.DAMAGED, detail=f"exit {worker.returncode}")


def _too_complex(source: Path, detail: str) -> Verdict:
    return Verdict(False, source.stat().st_size, "", reason=Reason.TOO_COMPLEX, detail=detail)


def _clear(folder: Path) -> None:
    """Deletes what an examination that was cut short has written."""
    for left in folder.iterdir():
        left.unlink(missing_ok=True)


def _bare_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "IMAGEIO_FFMPEG_EXE") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def _end(worker: subprocess.Popen[bytes]) -> None:
    """The worker and its ffmpeg are one process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    for pipe in (worker.stdin, worker.stdout, worker.stderr):
        if pipe is not None:
            pipe.close()

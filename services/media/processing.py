"""The look at one file, asked of a worker process (`services.media.worker`) and held to a wall clock.

The child gets a bare environment: none of this service's secrets, addresses or keys.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from services.media.domain import Limits, Reason, Verdict

# Ends that the file itself brought about: its own limits, or a decoder that fell over it.
_THE_FILES_FAULT = {
    signal.SIGXCPU,
    signal.SIGXFSZ,
    signal.SIGSEGV,
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGILL,
}
_THE_FILES_FAULT |= {signal.SIGFPE}
_ROOT = Path(__file__).resolve().parents[2]


class ProcessingFailed(Exception):
    """The look was cut short by something beside the file (the worker was killed, ffmpeg is missing): try
    again.
    """


def look_at(source: Path, out: Path, limits: Limits) -> Verdict:
    """The verdict on `source`. Derived files are in `out` (an empty folder) when it was accepted.

    Blocks for at most `limits.wall_seconds`; under eventlet only the calling green thread waits. Whatever
    ends the wait (a timeout, a stop of the service) ends the worker too. Raises ProcessingFailed.
    """
    worker = subprocess.Popen(
        [sys.executable, "-m", "services.media.worker", str(source), str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=_ROOT,
        env=_bare_environment(),
        start_new_session=True,
    )
    try:
        said, complained = worker.communicate(json.dumps(asdict(limits)).encode(), timeout=limits.wall_seconds)
    except subprocess.TimeoutExpired:
        return Verdict(False, source.stat().st_size, "", reason=Reason.TOO_COMPLEX, detail="time")
    finally:
        _end(worker)
    if worker.returncode < 0 and -worker.returncode in _THE_FILES_FAULT:
        detail = signal.Signals(-worker.returncode).name
        return Verdict(False, source.stat().st_size, "", reason=Reason.TOO_COMPLEX, detail=detail)
    try:
        if worker.returncode != 0:
            raise ValueError(f"exit {worker.returncode}")
        return Verdict.from_json(json.loads(said))
    except (ValueError, KeyError, TypeError) as error:
        last = complained.decode("utf-8", "replace").strip()[-500:]
        raise ProcessingFailed(f"{error}: {last}") from error


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

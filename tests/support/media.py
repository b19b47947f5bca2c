"""A clamd of the test's own, with one signature: the EICAR string. No virus database is downloaded."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local import ports
from services.media.scan import Scanner
from tests.support import media_samples as samples

CLAMD = shutil.which("clamd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
needs_clamd = pytest.mark.skipif(CLAMD is None, reason="no clamd here: apt-get install clamav-daemon")


@contextmanager
def running_clamd(folder: Path, max_bytes: int = 4 * 1024 * 1024) -> Iterator[int]:
    """A clamd that knows EICAR, on the port that is given; it ends with the block."""
    signature = f"{hashlib.md5(samples.EICAR, usedforsecurity=False).hexdigest()}:{len(samples.EICAR)}:Peygir.Eicar\n"
    (folder / "db").mkdir()
    (folder / "db" / "peygir.hdb").write_text(signature)
    port = ports.pick()
    (folder / "clamd.conf").write_text(
        f"DatabaseDirectory {folder}/db\nTCPSocket {port}\nTCPAddr 127.0.0.1\nForeground yes\n"
        f"TemporaryDirectory {folder}\nMaxThreads 2\nStreamMaxLength {max_bytes}\nMaxFileSize {max_bytes}\n"
    )
    if CLAMD is None:
        raise RuntimeError("clamd is not installed")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([CLAMD, f"--config-file={folder}/clamd.conf"], stdout=log, stderr=log)
        try:
            _await_answer(Scanner("127.0.0.1", port, timeout=2), process, folder / "log")
            yield port
        finally:
            process.kill()
            process.wait()


def _await_answer(scanner: Scanner, process: subprocess.Popen[bytes], log: Path) -> None:
    pause = threading.Event()
    for _ in range(300):
        if scanner.ping():
            return
        if process.poll() is not None:
            break
        pause.wait(0.1)
    raise RuntimeError(f"clamd did not come up: {log.read_text()[-2000:]}")

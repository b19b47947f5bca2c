"""A source tree of Peygir run by its own `./peygir up`, with private servers: of any commit, since only the command, HTTP and
the files of the state folder are relied on."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.api_user import ApiUser
from benchmarks.measured_system import SERVER_VARIABLES, SETTINGS
from benchmarks.processor_time import ProcessorMeter, system_roots
from deploy.local import ports
from deploy.local.child_process import CannotStart, Child
from deploy.local.environment import ROOT

_STARTED = "Peygir is running"
"""What `./peygir up` prints when everything is ready and seeded."""
_PATIENCE = 1_200.0
"""Seconds; a first start installs the requirements."""
_OWN_ENVIRONMENT = ROOT / ".venv"

Say = Callable[[str], None]


class RunningTree:
    """One tree and its system. `state`: the folder of its data, emptied by whoever makes it."""

    def __init__(self, name: str, tree: Path, state: Path, say: Say) -> None:
        self.name = name
        self.url = f"http://127.0.0.1:{(port := ports.pick())}"
        self.state = state
        self.users = ApiUser(self.url, state / "credentials.json")
        self.meter = ProcessorMeter(self.roots)
        self._say = say
        self._stopping = False
        inherited = {key: value for key, value in os.environ.items() if key not in (*SERVER_VARIABLES, "PYTHONPATH")}
        self._launcher = Child(
            f"peygir up of {name}",
            [str(tree / "peygir"), "up", "--port", str(port)],
            log=state.parent / f"{state.name}.log",
            pidfile=state.parent / f"{state.name}.pid",
            environment={**inherited, **SETTINGS, "PEYGIR_STATE": str(state)},
            folder=tree,
        )

    def start(self) -> None:
        """Starts it and waits until it is seeded; CannotStart otherwise, with the end of its log."""
        self._say(f"starting {self.name}")
        self._launcher.start()
        deadline = time.monotonic() + _PATIENCE
        while _STARTED not in self._launcher.log.read_text(errors="replace"):
            if not self._launcher.alive or time.monotonic() > deadline:
                tail = self._launcher.tail()
                self.stop()
                raise CannotStart(f"{self.name} did not start; {self._launcher.log} ends:\n{tail}")
            time.sleep(0.2)

    def ask_to_stop(self) -> None:
        """Returns at once; `stop` waits. Asked once: a second signal would kill everything."""
        if not self._stopping:
            self._stopping = True
            self._launcher.ask_to_stop()

    def stop(self) -> None:
        self.ask_to_stop()
        self._launcher.await_stop(90)

    def roots(self) -> dict[str, int]:
        """As `system_roots`, and the launcher itself."""
        launcher = self._launcher.pid
        return system_roots(self.state) | ({} if launcher is None else {"launcher": launcher})


@contextmanager
def worktree(commit: str, folder: Path, environments: Path, say: Say) -> Iterator[Path]:
    """The tree of a commit below `folder`, with a virtual environment that has its requirements: this tree's where they are
    the same, otherwise one in `environments`, which is kept. CannotStart when there is no such commit."""
    tree = folder / "tree"
    _git("worktree", "prune")
    _git("worktree", "add", "--detach", "--quiet", str(tree), commit)
    try:
        digest = hashlib.sha256((tree / "requirements" / "local.txt").read_bytes()).hexdigest()
        installed = _OWN_ENVIRONMENT / ".installed"
        if installed.exists() and digest in installed.read_text().split():
            environment = _OWN_ENVIRONMENT.resolve()
        else:
            environment = environments / digest[:12]
            say(f"{commit} has requirements of its own, in {environment}")
            if not (environment / "bin" / "python").exists():
                # Here, since venv makes none behind a link; `peygir` of that commit installs its requirements into it.
                subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
        (tree / ".venv").symlink_to(environment)
        yield tree
    finally:
        shutil.rmtree(tree, ignore_errors=True)
        _git("worktree", "prune")


def _git(*words: str) -> None:
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotStart(f"git {' '.join(words)} failed: {done.stderr.strip()}")

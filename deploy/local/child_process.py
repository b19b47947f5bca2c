"""One child process: started with a log and a pid file, stopped, killed, found again later."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

# From util-linux, which every Debian has: asks the kernel to signal the child when its launcher dies.
_SETPRIV = shutil.which("setpriv", path="/usr/bin:/bin")


PRIVATE = 0o077
"""The umask of every process: databases, evidence and logs are for the user who runs them alone."""


class CannotStart(Exception):
    """Something of the local run cannot start; the message is one sentence for the person at the terminal."""


class Child:
    """A process in a session of its own, so that a Ctrl-C at the terminal reaches the launcher alone.

    Start it from a thread that does not end: the kernel takes the end of the starting thread for the launcher's death, and
    sends the stop signal.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        pidfile: Path,
        environment: Mapping[str, str],
        folder: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
        privileges: Sequence[str] = (),
    ) -> None:
        """`environment` is the whole of it; `privileges` are further options for setpriv (another user)."""
        self.name = name
        self.command = list(command)
        self.log = log
        self.pidfile = pidfile
        self.environment = dict(environment)
        self.folder = folder
        self.stop_signal = stop_signal
        self.privileges = list(privileges)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self.alive else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The exit code of the last run, negative for a signal; None while it runs or before it ever did."""
        return None if self._process is None else self._process.poll()

    @property
    def last_end(self) -> str:
        """How the last run ended, in words."""
        code = self.exit_code
        if code is None:
            return "running"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def start(self) -> None:
        """Start the process, first ending a leftover of a launcher that was killed.

        Raises CannotStart when the program does not exist.
        """
        if self.alive:
            return
        self.end_leftover()
        if shutil.which(self.command[0], path=self.environment.get("PATH")) is None:
            raise CannotStart(f"{self.name} cannot start: the program {self.command[0]} was not found.")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.pidfile.parent.mkdir(parents=True, exist_ok=True)
        with private_log(self.log) as output:
            self._process = subprocess.Popen(
                [*self._launcher_prefix(), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self.folder,
                start_new_session=True,
                umask=PRIVATE,
            )
        write_pidfile(self.pidfile, self._process.pid)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process itself, when it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self, patience: float = 12) -> int | None:
        """Send the stop signal, kill it after `patience` seconds; the exit code, None when it never ran."""
        self.ask_to_stop()
        return self.await_stop(patience)

    def ask_to_stop(self) -> None:
        """Send the stop signal and return at once; `await_stop` is the other half."""
        if self.alive:
            self.signal(self.stop_signal)

    def await_stop(self, patience: float = 12) -> int | None:
        """Wait up to `patience` seconds for the end, then kill; the exit code."""
        if self._process is None:
            return None
        try:
            self._process.wait(max(patience, 0))
        except subprocess.TimeoutExpired:
            self.kill()
        self._remove_pidfile()
        return self._process.returncode

    def kill(self) -> None:
        """SIGKILL the process and every process it started, and wait until all of them are gone."""
        if self._process is None or self._process.poll() is not None:
            return
        _kill_tree(self._process.pid, reap=self._process.wait)
        self._remove_pidfile()

    def end_leftover(self) -> None:
        """End the process that the pid file names, if it still is that very process."""
        try:
            pid, started = (int(word) for word in self.pidfile.read_text().split())
        except (OSError, ValueError):
            return
        if self._process is not None and self._process.pid == pid and self._process.poll() is not None:
            self._remove_pidfile()
            return
        if start_time(pid) == started:
            try:
                os.kill(pid, self.stop_signal)
            except ProcessLookupError:
                self._remove_pidfile()
                return
            if not _wait_until(lambda: start_time(pid) != started, 12):
                _kill_tree(pid)
        self._remove_pidfile()

    def tail(self, lines: int = 12) -> str:
        """The last lines of the log."""
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _launcher_prefix(self) -> list[str]:
        if _SETPRIV is None:
            if self.privileges:
                raise CannotStart("setpriv was not found; it is part of util-linux.")
            return []
        return [_SETPRIV, "--pdeathsig", self.stop_signal.name, *self.privileges, "--"]

    def _remove_pidfile(self) -> None:
        self.pidfile.unlink(missing_ok=True)


def private_log(path: Path) -> IO[bytes]:
    """The log opened for appending, readable by its owner alone, also when an earlier run left it open to others."""
    log = os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")
    os.fchmod(log.fileno(), 0o600)
    return log


def running(pidfile: Path) -> int | None:
    """The id of the process that a pid file names, None when that process is gone."""
    try:
        pid, started = (int(word) for word in pidfile.read_text().split())
    except (OSError, ValueError):
        return None
    return pid if start_time(pid) == started else None


def kill_leftovers_of(folder: Path) -> None:
    """Kill every process that was given this folder as an argument of its command line."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(folder) in arguments:
            _kill_tree(int(entry.name))


def write_pidfile(pidfile: Path, pid: int | None = None) -> None:
    """Record a process, or this one, in the form that `running` reads."""
    pid = pid or os.getpid()
    pidfile.touch(0o600)
    pidfile.write_text(f"{pid} {start_time(pid)}\n")


def _kill_tree(pid: int, reap: Callable[[], object] = lambda: None) -> None:
    # PostgreSQL's backends have sessions of their own, so a process group is not enough.
    started_at = {child: start_time(child) for child in [pid, *_descendants(pid)]}
    for member in started_at:
        try:
            os.kill(member, signal.SIGKILL)
        except ProcessLookupError:
            continue
    reap()
    _wait_until(lambda: all(start_time(member) != started for member, started in started_at.items()), 10)


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    descendants, to_visit = [], [pid]
    while to_visit:
        own_children = children.get(to_visit.pop(), [])
        descendants += own_children
        to_visit += own_children
    return descendants


def start_time(pid: int) -> int:
    """When the process started, in clock ticks since boot; 0 for one that is gone (or a zombie).

    Together with the id it identifies a process: ids are reused.
    """
    fields = _stat(pid)
    return 0 if fields is None or fields[0] == "Z" else int(fields[19])


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state (3rd) on; the name before it may contain spaces."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True

"""What RabbitMQ, PostgreSQL and the S3 server of a run without containers have in common."""

import json
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.local import ports
from deploy.local.child_process import CannotStart, Child

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Part(ABC):
    """A private server: a child process with its data in a folder.

    `folder` has settings.json (port and secrets, 0600), the log and the data. `start` returns when the server answers; it
    raises CannotStart, in one sentence, when it does not start.
    """

    name: str
    title: str
    patience: float = 60
    stop_signal: signal.Signals = signal.SIGTERM

    def __init__(self, folder: Path, log: Path | None = None) -> None:
        self.folder = folder.resolve()
        self.log = log or self.folder / f"{self.name}.log"
        self._child: Child | None = None
        self._settings: dict[str, str | int] = {}

    @property
    def port(self) -> int:
        """Chosen once and remembered in the folder."""
        return int(self._remembered()["port"])

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    def start(self) -> None:
        """Start the part and wait until it answers."""
        if self.alive:
            return
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Start the part's process and return at once; `await_ready` is the other half."""
        if self.alive:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._leftover().end_leftover()
        self._choose_ports()
        self._prepare()
        self._child = self._make_child(self._command(), self._environment())
        self._child.start()

    def await_ready(self) -> None:
        """Wait until it answers; CannotStart when it ends before or takes more than `patience` seconds."""
        assert self._child is not None
        deadline = time.monotonic() + self.patience
        while not self._answers():
            if not self._child.alive or time.monotonic() > deadline:
                problem = (
                    "stopped at its start" if not self._child.alive else f"gave no answer in {self.patience:.0f} s"
                )
                tail = self._child.tail()
                self._child.kill()
                raise CannotStart(f"{self.name} {problem}; its log is {self.log}, and ends:\n{tail}")
            time.sleep(0.05)

    def stop(self, patience: float = 12) -> None:
        """Stop it cleanly; after `patience` seconds kill it."""
        if self._child is not None:
            self._child.stop(patience)

    def ask_to_stop(self) -> None:
        """Send the stop signal and return at once."""
        if self._child is not None:
            self._child.ask_to_stop()

    def await_stop(self, patience: float = 12) -> None:
        """The other half of `stop`."""
        if self._child is not None:
            self._child.await_stop(patience)

    @property
    def last_end(self) -> str:
        """How the last run ended, in words."""
        return "not started" if self._child is None else self._child.last_end

    def kill(self) -> None:
        """SIGKILL the part and all its processes."""
        if self._child is not None:
            self._child.kill()

    def restart(self) -> None:
        """Stop it if it runs, and start it on the same port with the same data."""
        self.stop()
        self.start()

    def _make_child(self, command: Sequence[str], environment: Mapping[str, str]) -> Child:
        return Child(
            self.name,
            command,
            log=self.log,
            pidfile=self.folder / "pid",
            environment=environment,
            folder=self.folder,
            stop_signal=self.stop_signal,
        )

    def _leftover(self) -> Child:
        return self._child or self._make_child([], {})

    def _remembered(self) -> dict[str, str | int]:
        if not self._settings:
            self._settings = remembered(self.folder / "settings.json", self._new_settings)
        return self._settings

    def _choose_ports(self) -> None:
        """Keep the remembered ports; one that is in use meanwhile is chosen again."""
        settings = self._remembered()
        for key in [key for key in settings if key.endswith("port")]:
            if not ports.is_free(int(settings[key])):
                settings[key] = ports.pick(besides=(int(settings[k]) for k in settings if k.endswith("port")))
                write_private(self.folder / "settings.json", json.dumps(settings, indent=1))

    @abstractmethod
    def _prepare(self) -> None:
        """Write to the folder what must be there before the process starts."""

    @abstractmethod
    def _new_settings(self) -> dict[str, str | int]: ...

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _environment(self) -> dict[str, str]: ...

    @abstractmethod
    def _answers(self) -> bool: ...


def remembered(file: Path, make: Callable[[], dict[str, str | int]]) -> dict[str, str | int]:
    """The settings in `file`; made and written, for its owner's eyes only, when there are none yet."""
    try:
        settings: dict[str, str | int] = json.loads(file.read_text())
    except FileNotFoundError:
        settings = make()
        write_private(file, json.dumps(settings, indent=1))
    return settings


def write_private(file: Path, text: str) -> None:
    """Write the file atomically, readable by its owner alone."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    temporary.replace(file)

"""Runs one service: `python -m backbone.process.run intake`.

SIGTERM and SIGINT: takes no more work, finishes its work within SHUTDOWN_SECONDS, then leaves whatever is left
to the broker, which gives it to another process.
"""

from __future__ import annotations

import os

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"  # before psycopg is first imported, see backbone.storage.database
os.environ["EVENTLET_NO_GREENDNS"] = "yes"  # before eventlet is; see resolve_names_in_threads
os.environ.setdefault("EVENTLET_THREADPOOL_SIZE", "4")

import warnings

warnings.filterwarnings("ignore", module="eventlet")
warnings.filterwarnings("ignore", message=".*pkg_resources.*")
warnings.filterwarnings("ignore", message="(?s).*Eventlet is deprecated.*")

import eventlet

eventlet.monkey_patch()

import contextlib
import importlib
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from eventlet import patcher, tpool
from eventlet.green import socket as green_socket
from nameko.runners import ServiceRunner

from backbone.messaging.topology import SERVICES
from backbone.process import logs
from backbone.process.settings import ServiceSettings, load


def main(name: str) -> int:
    """Serves until told to stop; the exit code: 0 stopped, 1 died, 2 wrong call or environment."""
    if name not in SERVICES:
        sys.stderr.write(f"There is no service {name!r}; there are {', '.join(SERVICES)}.\n")
        return 2
    settings: ServiceSettings = load(importlib.import_module(f"services.{name}.settings").Settings)
    logs.configure(name, settings.log_level)
    resolve_names_in_threads()
    lower_priority(settings.niceness)
    service = importlib.import_module(f"services.{name}.service").Service
    return serve(service, settings)


def resolve_names_in_threads() -> None:
    """Names of hosts are looked up by the system, in a thread of their own, so that no green thread is held up.

    eventlet's own resolver holds none up either, but takes 8 to 15 MiB of each process and asks nobody but name servers.
    """
    look_up = patcher.original("socket").getaddrinfo

    def getaddrinfo(*given: Any, **named: Any) -> Any:
        return tpool.execute(look_up, *given, **named)

    socket.getaddrinfo = green_socket.getaddrinfo = getaddrinfo


def lower_priority(niceness: int) -> None:
    """On a machine that runs everything, accepting requests goes before handling them: the queues hold those."""
    os.nice(niceness)
    # Linux shares the processor between sessions first, where it groups by them, and only then by niceness.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(niceness))


def serve(service: Any, settings: ServiceSettings) -> int:
    """Runs one service class until a signal comes or it dies."""
    log = logs.get("run")
    config: dict[str, Any] = {"max_workers": settings.max_workers, "settings": settings}
    runner = ServiceRunner(config)
    runner.add_service(service)
    stop = eventlet.event.Event()

    def on_signal(*_: Any) -> None:
        if not stop.ready():
            stop.send(None)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)

    def stopper() -> None:
        stop.wait()
        log.info("stopping")
        try:
            with eventlet.Timeout(settings.shutdown_seconds):
                runner.stop()
        except eventlet.Timeout:
            log.warning("work was still in hand; leaving it to the broker")
            runner.kill()

    runner.start()
    for container in runner.containers:
        container.config["started"] = True
    log.info("started")
    stopping = eventlet.spawn(stopper)
    try:
        runner.wait()
    except Exception as error:  # an extension died: end, so that the supervisor starts a fresh process
        log.error("the service died", error=logs.describe(error), exc_info=True)
        return 1
    if stop.ready():
        stopping.wait()
    log.info("stopped")
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1] if len(sys.argv) == 2 else "")
    sys.stdout.flush()
    os._exit(code)  # no thread of a library may keep a finished process alive

"""What nameko hands to a service: settings, database with its outbox relay, the broker, traces, health.

A service class inherits `PeygirService` and has `self.settings`, `self.db` and `self.broker`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import eventlet
import eventlet.wsgi
from nameko.extensions import DependencyProvider, SharedExtension
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from sqlalchemy import Table

from backbone.messaging import inbox
from backbone.messaging.broker import Broker
from backbone.messaging.outbox_relay import OutboxRelay
from backbone.process import logs
from backbone.process import traces as trace
from backbone.process.settings import ServiceSettings
from backbone.process.timers import WorkerEnds
from backbone.storage import idempotency
from backbone.storage.database import Database
from contracts.base import now

log = logs.get("service")

HANDLED = Counter("peygir_handled_total", "Calls of entrypoints", ["method", "outcome"])
SECONDS = Histogram("peygir_handled_seconds", "Time in entrypoints", ["method"])

FIRST_PRUNING, PRUNING = 5.0, 3600.0
"""Seconds from its start, and from one to the next, that a process prunes its inbox and the commands of its `command_tables`:
those that seldom live an hour do, too."""


class BrokerLink(SharedExtension):  # type: ignore[misc]  # nameko is untyped
    """The process's connections to RabbitMQ."""

    broker: Broker

    def setup(self) -> None:
        settings: ServiceSettings = self.container.config["settings"]
        self.broker = Broker(settings.amqp_url.get_secret_value(), self.container.service_name)

    def start(self) -> None:
        self.broker.start()

    def stop(self) -> None:
        self.broker.stop()

    def kill(self) -> None:
        self.broker.stop()


class SettingsLink(DependencyProvider):  # type: ignore[misc]  # nameko is untyped
    def get_dependency(self, worker_ctx: Any) -> Any:
        return self.container.config["settings"]


class UseCases(DependencyProvider):  # type: ignore[misc]  # nameko is untyped
    """`use_cases = UseCases(Intake)`: one `Intake(settings)` for the process, made before the first message."""

    def __init__(self, factory: Callable[[Any], Any]) -> None:
        self._factory = factory

    def setup(self) -> None:
        self._made = self._factory(self.container.config["settings"])

    def get_dependency(self, worker_ctx: Any) -> Any:
        return self._made


class BrokerAccess(DependencyProvider):  # type: ignore[misc]  # nameko is untyped
    link = BrokerLink()

    def get_dependency(self, worker_ctx: Any) -> Broker:
        return self.link.broker


class DatabaseLink(DependencyProvider):  # type: ignore[misc]  # nameko is untyped
    """The service's database, and the relay of its outbox."""

    link = BrokerLink()

    def setup(self) -> None:
        settings: ServiceSettings = self.container.config["settings"]
        url = settings.database_url.get_secret_value()
        self.database = Database(url, pool_size=settings.max_workers, green=True)
        self.container.config["database"] = self.database

    def start(self) -> None:
        self._relay = OutboxRelay(self.database, self.link.broker)
        self.database.on_outbox_rows(self._relay.committed)
        self._relaying = self.container.spawn_managed_thread(self._relay.run)
        self._pruner = self.container.spawn_managed_thread(self._prune)

    def stop(self) -> None:
        self._relay.stop()
        with eventlet.Timeout(5, False):
            self._relaying.wait()
        self._pruner.kill()
        self.database.close()

    def get_dependency(self, worker_ctx: Any) -> Database:
        return self.database

    def _prune(self) -> None:
        pause = FIRST_PRUNING
        while True:
            eventlet.sleep(pause)
            pause = PRUNING
            try:
                with self.database.transaction() as connection:
                    inbox.prune(connection)
                    for table in self.container.service_cls.command_tables:
                        idempotency.prune(connection, table, now() - idempotency.KEPT)
            except Exception as error:  # noqa: BLE001  # next hour again
                log.warning("inbox and commands could not be pruned", error=type(error).__name__)


class Tracing(DependencyProvider):  # type: ignore[misc]  # nameko is untyped
    """Each worker runs under the trace its message came with, and is counted and timed."""

    def worker_setup(self, worker_ctx: Any) -> None:
        trace.adopt(worker_ctx.data.get(trace.HEADER))
        worker_ctx.peygir_started = time.perf_counter()

    def worker_result(self, worker_ctx: Any, result: Any = None, exc_info: Any = None) -> None:
        method = worker_ctx.entrypoint.method_name
        HANDLED.labels(method, "error" if exc_info else "ok").inc()
        SECONDS.labels(method).observe(time.perf_counter() - worker_ctx.peygir_started)


class Health(DependencyProvider):  # type: ignore[misc]  # nameko is untyped
    """/healthz, /readyz and /metrics on HEALTH_PORT (0: none)."""

    link = BrokerLink()

    def setup(self) -> None:
        self._socket: Any = None
        self._server: Any = None

    def start(self) -> None:
        settings: ServiceSettings = self.container.config["settings"]
        if settings.health_port:
            self._socket = eventlet.listen((settings.health_host, settings.health_port))
            self._server = self.container.spawn_managed_thread(
                lambda: eventlet.wsgi.server(self._socket, self._answer, log_output=False, debug=False)
            )

    def stop(self) -> None:
        if self._server is not None:
            self._server.kill()  # first: a socket closed under it is an error that would end the container
            self._socket.close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
            return [generate_latest()]
        if path == "/healthz":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"alive\n"]
        if path == "/readyz":
            troubles = self._troubles()
            status = "503 Service Unavailable" if troubles else "200 OK"
            start_response(status, [("Content-Type", "text/plain")])
            return [f"{'; '.join(troubles) or 'ready'}\n".encode()]
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"not found\n"]

    def _troubles(self) -> list[str]:
        """Why it cannot work; nothing when it can."""
        database: Database = self.container.config["database"]
        broker = self.link.broker
        parts = {
            "broker": broker.connected or broker.blocked,
            "database": database.ping(),
            "start": bool(self.container.config.get("started")),
        }
        missing = [name for name, good in parts.items() if not good]
        return [
            *([f"missing: {', '.join(missing)}"] if missing else []),
            *(["broker blocks publishers"] if broker.blocked else []),
        ]


class PeygirService:
    """What every service class inherits. `command_tables`: those in which it notes commands (backbone/storage/idempotency.py);
    they are pruned."""

    command_tables: ClassVar[Sequence[Table]] = ()

    name: ClassVar[str]
    settings = SettingsLink()
    db = DatabaseLink()
    broker = BrokerAccess()
    tracing = Tracing()
    worker_ends = WorkerEnds()
    health = Health()

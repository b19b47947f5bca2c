"""The base class of services with an audit log: commands with their entries, the loop that chains them, the head of the chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nameko.extensions import DependencyProvider
from sqlalchemy import Connection

from backbone.messaging.rpc import rpc
from backbone.process import logs
from backbone.process.status_service import StatusService
from backbone.process.timers import Rhythm, WorkSignal
from backbone.storage import audit, audit_reading
from contracts.audit import AuditEntries, ChainHead, ReadAudit, ReadChainHead

log = logs.get("audit")

PAUSE = 1.0
"""Seconds between two runs: how long an entry waits to be chained, at most, while the database answers and the process that
wrote it lives."""


class Chaining(DependencyProvider):  # type: ignore[misc]  # nameko is untyped
    """Chains waiting entries, within a second of the worker that wrote them; one process at a time does."""

    signal = WorkSignal()

    def setup(self) -> None:
        self._rhythm = Rhythm(PAUSE)
        self._readings = audit.Readings()
        self.signal.subscribe(self._rhythm.wake)

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._repeat)

    def stop(self) -> None:
        """What was read until now is written; another process, or this one later, chains it."""
        self._thread.kill()
        try:
            self._readings.save(self.container.config["database"])
        except Exception as error:  # noqa: BLE001  # the process ends
            log.warning("what was read could not be written", error=type(error).__name__)

    def _repeat(self) -> None:
        while True:
            self._rhythm.wait()
            try:
                self._readings.save(self.container.config["database"])
                while audit.link(self.container.config["database"]) == audit.BATCH_SIZE:
                    pass
            except Exception as error:  # noqa: BLE001  # what waits is chained the next time
                log.warning("the audit could not be chained", error=type(error).__name__)
                self._rhythm.wake()

    def get_dependency(self, worker_ctx: Any) -> audit.Readings:
        return self._readings


class AuditedService(StatusService):
    """`self.command(use_case, request)`: its effect and its entry in the audit, in one transaction. `self.readings.note(…)`: what
    was read, written a moment later."""

    readings = Chaining()

    def command(
        self,
        work: Callable[[Connection, audit.RequestT], audit.AnswerT],
        request: audit.RequestT,
        at_once: audit.AtOnce[audit.RequestT, audit.AnswerT] | None = None,
    ) -> audit.AnswerT:
        return audit.command(self.db, work, request, at_once)

    @rpc
    def read_chain_head(self, request: ReadChainHead) -> ChainHead:
        with self.db.read() as connection:
            last = audit.head(connection)
        return ChainHead() if last is None else ChainHead(position=last.position, hash=last.hash, at=last.at)

    @rpc
    def read_audit(self, request: ReadAudit) -> AuditEntries:
        return self.command(audit_reading.page, request)

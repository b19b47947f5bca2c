"""The base class of services with an audit log: commands with their entries, the loop that chains them, the head of the chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet
from nameko.extensions import DependencyProvider
from sqlalchemy import Connection

from backbone.messaging.rpc import rpc
from backbone.process import logs
from backbone.process.dependencies import PeygirService
from backbone.storage import audit
from contracts.audit import ChainHead, ReadChainHead

log = logs.get("audit")

EVERY = 1.0
"""Seconds between two runs: how long an entry waits to be chained, at most, while the database answers."""


class Chaining(DependencyProvider):  # type: ignore[misc]  # nameko is untyped
    """Chains waiting entries each second; one process at a time does."""

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._repeat)

    def stop(self) -> None:
        self._thread.kill()

    def _repeat(self) -> None:
        while True:
            eventlet.sleep(EVERY)
            try:
                while audit.link(self.container.config["database"]) == audit.BATCH_SIZE:
                    pass
            except Exception as error:  # noqa: BLE001  # what waits is chained the next time
                log.warning("the audit could not be chained", error=type(error).__name__)

    def get_dependency(self, worker_ctx: Any) -> None:
        return None


class AuditedService(PeygirService):
    """`self.command(use_case, request)`: its effect and its entry in the audit, in one transaction."""

    chaining = Chaining()

    def command(
        self, work: Callable[[Connection, audit.RequestT], audit.AnswerT], request: audit.RequestT
    ) -> audit.AnswerT:
        return audit.command(self.db, work, request)

    @rpc
    def read_chain_head(self, request: ReadChainHead) -> ChainHead:
        with self.db.read() as connection:
            last = audit.head(connection)
        return ChainHead() if last is None else ChainHead(position=last.position, hash=last.hash, at=last.at)

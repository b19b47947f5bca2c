"""The base class of all services: it tells how the service runs."""

from __future__ import annotations

from backbone.messaging.rpc import rpc
from backbone.process.dependencies import PeygirService
from backbone.storage import status
from contracts.operations import ReadStatus, ServiceStatus


class StatusService(PeygirService):
    """`read_status`, by RPC: release, migrations, outbox."""

    @rpc
    def read_status(self, request: ReadStatus) -> ServiceStatus:
        with self.db.read() as connection:
            return status.read(connection, self.name, self.settings.peygir_version)

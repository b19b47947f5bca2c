"""Intake's entrypoints: parse, call, answer."""

from __future__ import annotations

from backbone.messaging.consumers import durable_event_handler
from backbone.messaging.rpc import rpc
from backbone.process.audited_service import AuditedService
from backbone.process.dependencies import UseCases
from contracts.gateway import FileSubmission
from contracts.intake import (
    Catalogue,
    ChangeConfiguration,
    CheckReceipt,
    ConfigurationHistory,
    GetCatalogue,
    GetConfiguration,
    ListConfigurationHistory,
    OpenedIdentity,
    OpenIdentity,
    OwnName,
    ReadOwnName,
    ReceiptState,
)
from contracts.tracking import RetentionDue
from services.intake.composition import Intake
from services.intake.retention.use_cases import erase


class Service(AuditedService):
    name = "intake"
    use_cases = UseCases(Intake)

    @durable_event_handler("intake.submissions", batch=200, concurrency=2)
    def file_submissions(self, commands: list[FileSubmission]) -> None:
        with self.db.transaction() as connection:
            self.use_cases.submissions.register(connection, commands)

    @durable_event_handler("intake.retention", concurrency=1)
    def retention_due(self, event: RetentionDue) -> None:
        with self.db.transaction() as connection:
            erase(connection, event)

    @rpc
    def get_catalogue(self, request: GetCatalogue) -> Catalogue:
        with self.db.read() as connection:
            return self.use_cases.catalogue.current(connection)

    @rpc
    def get_configuration(self, request: GetConfiguration) -> Catalogue:
        with self.db.read() as connection:
            return self.use_cases.catalogue.configuration(connection, request)

    @rpc
    def change_configuration(self, request: ChangeConfiguration) -> Catalogue:
        return self.command(self.use_cases.catalogue.change, request)

    @rpc
    def list_configuration_history(self, request: ListConfigurationHistory) -> ConfigurationHistory:
        with self.db.read() as connection:
            return self.use_cases.catalogue.history(connection, request)

    @rpc
    def check_receipt(self, request: CheckReceipt) -> ReceiptState:
        with self.db.read() as connection:
            return self.use_cases.submissions.check_receipt(connection, request)

    @rpc
    def read_own_name(self, request: ReadOwnName) -> OwnName:
        with self.db.read() as connection:
            return self.use_cases.identities.own_name(connection, request)

    @rpc
    def open_identity(self, request: OpenIdentity) -> OpenedIdentity:
        return self.command(self.use_cases.identities.open, request)

"""Intake's entrypoints: parse, call, answer."""

from __future__ import annotations

from functools import partial

from backbone.messaging.consumers import durable_event_handler
from backbone.messaging.rpc import rpc
from backbone.process.audited_service import AuditedService
from backbone.process.dependencies import UseCases
from contracts.call_backs import RevealedMobile, RevealMobile
from contracts.desk import (
    AnswerFiledForMe,
    CorrectMobile,
    FiledForMe,
    FiledIds,
    FiledReceipt,
    FindFiled,
    ListFiledForMe,
    PrintReceipt,
    ReplacedCode,
    ReplaceLostCode,
)
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
from services.intake.models import configuration_commands, desk_commands
from services.intake.retention.use_cases import erase


class Service(AuditedService):
    name = "intake"
    command_tables = (configuration_commands, desk_commands)
    use_cases = UseCases(Intake)

    @durable_event_handler("intake.submissions", batch=200, concurrency=2)
    def file_submissions(self, commands: list[FileSubmission]) -> None:
        with self.db.statements() as connection:
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

    @rpc
    def reveal_mobile(self, request: RevealMobile) -> RevealedMobile:
        return self.command(self.use_cases.identities.reveal_mobile, request)

    # --- the counter ---

    @rpc
    def find_filed(self, request: FindFiled) -> FiledIds:
        with self.db.read() as connection:
            return self.use_cases.desk.find(connection, request)

    @rpc
    def print_receipt(self, request: PrintReceipt) -> FiledReceipt:
        return self.command(self.use_cases.desk.print_receipt, request)

    @rpc
    def correct_mobile(self, request: CorrectMobile) -> ReplacedCode:
        return self.command(self.use_cases.desk.correct_mobile, request)

    @rpc
    def replace_lost_code(self, request: ReplaceLostCode) -> ReplacedCode:
        desk = self.use_cases.desk
        with self.db.transaction() as connection:
            try_id = desk.begin_try(connection, request)  # stays, whatever comes of it
        return self.command(partial(desk.replace_lost_code, try_id=try_id), request)

    @rpc
    def list_filed_for_me(self, request: ListFiledForMe) -> FiledForMe:
        with self.db.read() as connection:
            return self.use_cases.desk.list_filed_for(connection, request)

    @rpc
    def answer_filed_for_me(self, request: AnswerFiledForMe) -> FiledForMe:
        return self.command(self.use_cases.desk.answer_filed_for, request)

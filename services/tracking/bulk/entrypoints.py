"""Entrypoints of bulk commands and of macros: a part of tracking's service."""

from __future__ import annotations

from backbone.messaging.rpc import rpc
from backbone.process.audited_service import AuditedService
from backbone.process.timers import follow_up, give_way
from contracts.bulk import Bulk, BulkPage, BulkReport, CancelBulk, GetBulk, ListBulks, ReadBulkReport, StartBulk
from contracts.macros import (
    ChangeMacro,
    DropMacro,
    Dropped,
    GetMacro,
    KeepMacro,
    ListMacros,
    Macro,
    MacroPage,
    RunMacro,
)
from contracts.tracking import StaffCase
from services.tracking.composition import TrackingUseCases


class BulkEntrypoints(AuditedService):
    """What is given to many cases, or in several steps. `use_cases`: the service's."""

    use_cases: TrackingUseCases

    # --- bulk commands ---

    @follow_up(pause=0.5)  # type: ignore[untyped-decorator]  # nameko is untyped
    def carry_out_bulks(self) -> bool:
        return self.use_cases.bulk_worker.work(self.db, give_way)

    @follow_up(pause=20, rest=600)  # type: ignore[untyped-decorator]  # nameko is untyped
    def purge_bulks(self) -> bool:
        with self.db.transaction() as connection:
            return self.use_cases.bulk_worker.purge(connection) > 0

    @rpc
    def start_bulk(self, request: StartBulk) -> Bulk:
        return self.command(self.use_cases.bulk.start_bulk, request)

    @rpc
    def list_bulks(self, request: ListBulks) -> BulkPage:
        with self.db.read() as connection:
            return self.use_cases.bulk.list_bulks(connection, request)

    @rpc
    def get_bulk(self, request: GetBulk) -> Bulk:
        with self.db.read() as connection:
            return self.use_cases.bulk.get_bulk(connection, request)

    @rpc
    def cancel_bulk(self, request: CancelBulk) -> Bulk:
        return self.command(self.use_cases.bulk.cancel_bulk, request)

    @rpc
    def read_bulk_report(self, request: ReadBulkReport) -> BulkReport:
        with self.db.read() as connection:
            return self.use_cases.bulk.read_bulk_report(connection, request)

    # --- macros ---

    @rpc
    def keep_macro(self, request: KeepMacro) -> Macro:
        return self.command(self.use_cases.macros.keep_macro, request)

    @rpc
    def list_macros(self, request: ListMacros) -> MacroPage:
        with self.db.read() as connection:
            return self.use_cases.macros.list_macros(connection, request)

    @rpc
    def get_macro(self, request: GetMacro) -> Macro:
        with self.db.read() as connection:
            return self.use_cases.macros.get_macro(connection, request)

    @rpc
    def change_macro(self, request: ChangeMacro) -> Macro:
        return self.command(self.use_cases.macros.change_macro, request)

    @rpc
    def drop_macro(self, request: DropMacro) -> Dropped:
        return self.command(self.use_cases.macros.drop_macro, request)

    @rpc
    def run_macro(self, request: RunMacro) -> StaffCase:
        return self.command(self.use_cases.macros.run_macro, request)

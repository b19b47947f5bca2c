"""Entrypoints of the counter and of the call-back list: a part of tracking's service."""

from __future__ import annotations

from backbone.messaging.rpc import rpc
from backbone.process.audited_service import AuditedService
from contracts.call_backs import (
    CallBack,
    CallBackState,
    CallBackWeeks,
    ListCallBackWeeks,
    RecordCall,
    SkipCallBack,
    TakeCallBack,
)
from contracts.desk import AuthorizeDesk, DeskCases, DeskGrant, ListDeskCases
from services.tracking.composition import TrackingUseCases


class DeskEntrypoints(AuditedService):
    """What operators ask of tracking. `use_cases`: the service's."""

    use_cases: TrackingUseCases

    # --- the counter ---

    @rpc
    def list_desk_cases(self, request: ListDeskCases) -> DeskCases:
        with self.db.read() as connection:
            return self.use_cases.desk.list_own(connection, request)

    @rpc
    def authorize_desk(self, request: AuthorizeDesk) -> DeskGrant:
        return self.command(self.use_cases.desk.authorize, request)

    # --- the call-back list ---

    @rpc
    def take_call_back(self, request: TakeCallBack) -> CallBack:
        return self.command(self.use_cases.call_backs.take, request)

    @rpc
    def skip_call_back(self, request: SkipCallBack) -> CallBackState:
        return self.command(self.use_cases.call_backs.skip, request)

    @rpc
    def record_call(self, request: RecordCall) -> CallBackState:
        return self.command(self.use_cases.call_backs.record, request)

    @rpc
    def list_call_back_weeks(self, request: ListCallBackWeeks) -> CallBackWeeks:
        with self.db.read() as connection:
            return self.use_cases.call_backs.weeks(connection, request)

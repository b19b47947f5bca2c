"""Accounts' entrypoints: parse, call, answer."""

from __future__ import annotations

from collections.abc import Callable

from eventlet import tpool
from eventlet.semaphore import Semaphore
from nameko.timer import timer

from backbone.messaging.rpc import rpc
from backbone.process.extensions import UseCases
from backbone.storage.audited_service import AuditedService
from contracts.accounts import (
    AddedStaff,
    AddStaff,
    ChangedStaff,
    ChangedStaffMember,
    ChangeStaff,
    EndedSessions,
    ListChangedStaff,
    ListEndedSessions,
    ListStaff,
    ListStaffHistory,
    OtpSent,
    RefreshTokens,
    RequestedStaffChange,
    RequestOtp,
    ResetStaff,
    ResetStaffCredentials,
    RevokedSession,
    RevokeTokens,
    SignInStaff,
    StaffHistory,
    StaffList,
    Tokens,
    VerifyOtp,
)
from contracts.errors import Unavailable
from contracts.staff_changes import (
    ConfirmStaffChange,
    DenyStaffChange,
    ListStaffChanges,
    StaffChangeConfirmed,
    StaffChanges,
)
from services.accounts.administration import Administration
from services.accounts.handlers import Accounts, committed
from services.accounts.settings import Settings
from services.accounts.staff_changes import TwoAdministrators


class Apart:
    """Runs password checks in native threads, so that heartbeats and other requests go on meanwhile.

    So many at once, so many waiting; whoever comes then is told to come again, before memory or patience runs out.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = Semaphore(at_once)
        self._most, self._present = at_once + waiting, 0

    def __call__(self, work: Callable[[], bool]) -> bool:
        if self._present >= self._most:
            raise Unavailable(retry_after=2)
        self._present += 1
        try:
            with self._free:
                return bool(tpool.execute(work))
        finally:
            self._present -= 1


def use_cases(settings: Settings) -> Accounts:
    return Accounts(settings, Apart(settings.password_checks_at_once, settings.password_checks_waiting))


class Service(AuditedService):
    name = "accounts"
    use_cases = UseCases(use_cases)
    administration = UseCases(Administration)
    two_administrators = UseCases(TwoAdministrators)

    @rpc
    def request_otp(self, request: RequestOtp) -> OtpSent:
        with self.db.transaction() as connection:
            return self.use_cases.request_otp(connection, request)

    @rpc
    def verify_otp(self, request: VerifyOtp) -> Tokens:
        with self.db.transaction() as connection:
            answer = self.use_cases.verify_otp(connection, request)
        return committed(answer)

    @rpc
    def sign_in_staff(self, request: SignInStaff) -> Tokens:
        return self.use_cases.sign_in(self.db, request)

    @rpc
    def refresh(self, request: RefreshTokens) -> Tokens:
        with self.db.transaction() as connection:
            answer = self.use_cases.refresh(connection, request)
        return committed(answer)

    @rpc
    def revoke(self, request: RevokeTokens) -> RevokedSession:
        with self.db.transaction() as connection:
            return self.use_cases.revoke(connection, request)

    @rpc
    def list_ended_sessions(self, request: ListEndedSessions) -> EndedSessions:
        with self.db.read() as connection:
            return self.use_cases.list_ended_sessions(connection, request)

    @rpc
    def list_staff(self, request: ListStaff) -> StaffList:
        with self.db.read() as connection:
            return self.use_cases.list_staff(connection, request)

    @rpc
    def list_changed_staff(self, request: ListChangedStaff) -> ChangedStaff:
        with self.db.read() as connection:
            return self.use_cases.list_changed_staff(connection)

    @rpc
    def add_staff(self, request: AddStaff) -> AddedStaff:
        return self.command(self.administration.add, request)

    @rpc
    def change_staff(self, request: ChangeStaff) -> ChangedStaffMember:
        return self.command(self.administration.change, request)

    @rpc
    def reset_staff_credentials(self, request: ResetStaffCredentials) -> ResetStaff:
        return self.command(self.administration.reset_credentials, request)

    @rpc
    def list_staff_history(self, request: ListStaffHistory) -> StaffHistory:
        with self.db.read() as connection:
            return self.administration.history(connection, request)

    @rpc
    def list_staff_changes(self, request: ListStaffChanges) -> StaffChanges:
        with self.db.read() as connection:
            return self.two_administrators.list_changes(connection, request)

    @rpc
    def confirm_staff_change(self, request: ConfirmStaffChange) -> StaffChangeConfirmed:
        return self.command(self.two_administrators.confirm, request)

    @rpc
    def deny_staff_change(self, request: DenyStaffChange) -> RequestedStaffChange:
        return self.command(self.two_administrators.deny, request)

    @timer(interval=600)  # type: ignore[untyped-decorator]  # nameko is untyped
    def prune(self) -> None:
        with self.db.transaction() as connection:
            self.use_cases.prune(connection)
            self.two_administrators.expire(connection)

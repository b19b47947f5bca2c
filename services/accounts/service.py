"""Accounts' entrypoints: parse, call, answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from eventlet import tpool
from eventlet.semaphore import Semaphore
from nameko.timer import timer

from backbone.messaging.rpc import rpc
from backbone.process.audited_service import AuditedService
from backbone.process.dependencies import UseCases
from contracts.accounts import (
    AddedStaff,
    AddStaff,
    BrowserSession,
    ChangedStaff,
    ChangedStaffMember,
    ChangeStaff,
    DeleteCitizenAccount,
    DeletedAccount,
    EndBrowserSession,
    EndedSessions,
    FinishOidcSignIn,
    ListChangedStaff,
    ListEndedSessions,
    ListStaff,
    ListStaffHistory,
    OpenBrowserSession,
    OtpSent,
    RefreshTokens,
    RequestedStaffChange,
    RequestOtp,
    ResetStaff,
    ResetStaffCredentials,
    ResumeBrowserSession,
    RevokedSession,
    RevokeTokens,
    SignInStaff,
    StaffHistory,
    StaffList,
    Tokens,
    VerifyOtp,
)
from contracts.audit import NameStaff, StaffNames
from contracts.errors import PeygirError, Unavailable
from contracts.leaves import AddLeave, EndLeave, Leave, Leaves, ListLeaves
from contracts.operations import (
    DeadLetterDetails,
    DeadLetters,
    DropDeadLetter,
    HandledDeadLetter,
    ListDeadLetters,
    Queues,
    ReadQueues,
    ReplayDeadLetter,
    ShowDeadLetter,
)
from contracts.own_account import (
    AddPasskey,
    BeginOidcSignIn,
    BeginPasskeyRegistration,
    BeginPasskeyUse,
    BeginTotpEnrolment,
    ChangePassword,
    ConfirmTotpEnrolment,
    EndOwnSession,
    ListOwnSessions,
    OidcAuthorisation,
    OidcOffer,
    OwnSessions,
    OwnSessionsEnded,
    Passkey,
    PasskeyChallenge,
    PasskeyRegistration,
    PasswordChanged,
    RecoveryCodes,
    RemovePasskey,
    RemoveTotp,
    RenamePasskey,
    RenewRecoveryCodes,
    SecondFactors,
    ShowOidc,
    ShowSecondFactors,
    TotpEnrolment,
)
from contracts.staff_changes import (
    ConfirmStaffChange,
    DenyStaffChange,
    ListStaffChanges,
    StaffChangeConfirmed,
    StaffChanges,
)
from services.accounts.composition import AccountsUseCases, compose
from services.accounts.models import operation_commands, staff_commands
from services.accounts.settings import Settings

Answer = TypeVar("Answer")


class PasswordCheckThreads:
    """Runs password checks in native threads, so that heartbeats and other requests go on meanwhile.

    So many at once, so many waiting; whoever comes then gets Unavailable, before memory or patience runs out.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = Semaphore(at_once)
        self._most, self._present = at_once + waiting, 0

    def __call__(self, work: Callable[[], Answer], /) -> Answer:
        if self._present >= self._most:
            raise Unavailable(retry_after=2)
        self._present += 1
        try:
            with self._free:
                result: Answer = tpool.execute(work)
                return result
        finally:
            self._present -= 1


def use_cases(settings: Settings) -> AccountsUseCases:
    threads = PasswordCheckThreads(settings.password_checks_at_once, settings.password_checks_waiting)
    return compose(settings, threads)


def committed(answer: Answer | PeygirError) -> Answer:
    """The answer, or its error raised; called when the transaction is committed.

    An error that a use case *returns* belongs to an effect that must be committed (a counted try, a revoked family). An error
    that it raises undoes everything.
    """
    if isinstance(answer, PeygirError):
        raise answer
    return answer


class Service(AuditedService):
    name = "accounts"
    command_tables = (staff_commands, operation_commands)
    use_cases = UseCases(use_cases)

    # --- citizens ---

    @rpc
    def request_otp(self, request: RequestOtp) -> OtpSent:
        with self.db.transaction() as connection:
            return self.use_cases.citizens.request_otp(connection, request)

    @rpc
    def delete_citizen_account(self, request: DeleteCitizenAccount) -> DeletedAccount:
        with self.db.transaction() as connection:
            answer = self.use_cases.citizens.delete_account(connection, request)
        return committed(answer)

    @rpc
    def verify_otp(self, request: VerifyOtp) -> Tokens:
        with self.db.transaction() as connection:
            answer = self.use_cases.citizens.verify_otp(connection, request)
        return committed(answer)

    # --- operations ---

    @rpc
    def read_queues(self, request: ReadQueues) -> Queues:
        return self.command(self.use_cases.operations.read_queues, request)

    @rpc
    def list_dead_letters(self, request: ListDeadLetters) -> DeadLetters:
        return self.command(self.use_cases.operations.list_dead_letters, request)

    @rpc
    def show_dead_letter(self, request: ShowDeadLetter) -> DeadLetterDetails:
        return self.command(self.use_cases.operations.show_dead_letter, request)

    @rpc
    def replay_dead_letter(self, request: ReplayDeadLetter) -> HandledDeadLetter:
        return self.command(self.use_cases.operations.replay, request)

    @rpc
    def drop_dead_letter(self, request: DropDeadLetter) -> HandledDeadLetter:
        return self.command(self.use_cases.operations.drop, request)

    # --- sessions ---

    @rpc
    def refresh(self, request: RefreshTokens) -> Tokens:
        with self.db.transaction() as connection:
            answer = self.use_cases.sessions.refresh(connection, request)
        return committed(answer)

    @rpc
    def revoke(self, request: RevokeTokens) -> RevokedSession:
        with self.db.transaction() as connection:
            return self.use_cases.sessions.revoke(connection, request)

    @rpc
    def open_browser_session(self, request: OpenBrowserSession) -> BrowserSession:
        with self.db.transaction() as connection:
            answer = self.use_cases.browser_sessions.open(connection, request)
        return committed(answer)

    @rpc
    def resume_browser_session(self, request: ResumeBrowserSession) -> BrowserSession:
        with self.db.transaction() as connection:
            answer = self.use_cases.browser_sessions.resume(connection, request)
        return committed(answer)

    @rpc
    def end_browser_session(self, request: EndBrowserSession) -> RevokedSession:
        with self.db.transaction() as connection:
            return self.use_cases.browser_sessions.end(connection, request)

    @rpc
    def list_ended_sessions(self, request: ListEndedSessions) -> EndedSessions:
        with self.db.read() as connection:
            return self.use_cases.sessions.list_ended_sessions(connection, request)

    # --- staff ---

    @rpc
    def sign_in_staff(self, request: SignInStaff) -> Tokens:
        return self.use_cases.staff.sign_in(self.db, request)

    @rpc
    def list_staff(self, request: ListStaff) -> StaffList:
        with self.db.read() as connection:
            return self.use_cases.staff.list_staff(connection, request)

    @rpc
    def list_changed_staff(self, request: ListChangedStaff) -> ChangedStaff:
        with self.db.read() as connection:
            return self.use_cases.staff.list_changed_staff(connection)

    # --- administration ---

    @rpc
    def add_staff(self, request: AddStaff) -> AddedStaff:
        return self.command(self.use_cases.administration.add, request)

    @rpc
    def change_staff(self, request: ChangeStaff) -> ChangedStaffMember:
        return self.command(self.use_cases.administration.change, request)

    @rpc
    def reset_staff_credentials(self, request: ResetStaffCredentials) -> ResetStaff:
        return self.command(self.use_cases.administration.reset_credentials, request)

    @rpc
    def list_staff_history(self, request: ListStaffHistory) -> StaffHistory:
        with self.db.read() as connection:
            return self.use_cases.administration.history(connection, request)

    # --- leaves ---

    @rpc
    def add_leave(self, request: AddLeave) -> Leave:
        return self.command(self.use_cases.leaves.add, request)

    @rpc
    def end_leave(self, request: EndLeave) -> Leave:
        return self.command(self.use_cases.leaves.end, request)

    @rpc
    def list_leaves(self, request: ListLeaves) -> Leaves:
        with self.db.read() as connection:
            return self.use_cases.leaves.list_leaves(connection, request)

    # --- changes that take two administrators ---

    @rpc
    def list_staff_changes(self, request: ListStaffChanges) -> StaffChanges:
        with self.db.read() as connection:
            return self.use_cases.changes.list_changes(connection, request)

    @rpc
    def confirm_staff_change(self, request: ConfirmStaffChange) -> StaffChangeConfirmed:
        return self.command(self.use_cases.changes.confirm, request)

    @rpc
    def deny_staff_change(self, request: DenyStaffChange) -> RequestedStaffChange:
        return self.command(self.use_cases.changes.deny, request)

    @rpc
    def name_staff(self, request: NameStaff) -> StaffNames:
        with self.db.read() as connection:
            return self.use_cases.staff.name_staff(connection, request)

    # --- one's own account ---

    @rpc
    def change_password(self, request: ChangePassword) -> PasswordChanged:
        return self.use_cases.passwords.change(self.db, request)

    @rpc
    def show_second_factors(self, request: ShowSecondFactors) -> SecondFactors:
        with self.db.read() as connection:
            return self.use_cases.second_factors.show(connection, request)

    @rpc
    def begin_totp_enrolment(self, request: BeginTotpEnrolment) -> TotpEnrolment:
        return self.use_cases.second_factors.begin_totp(self.db, request)

    @rpc
    def confirm_totp_enrolment(self, request: ConfirmTotpEnrolment) -> SecondFactors:
        with self.db.transaction() as connection:
            return self.use_cases.second_factors.confirm_totp(connection, request)

    @rpc
    def remove_totp(self, request: RemoveTotp) -> SecondFactors:
        return self.use_cases.second_factors.remove_totp(self.db, request)

    @rpc
    def renew_recovery_codes(self, request: RenewRecoveryCodes) -> RecoveryCodes:
        return self.use_cases.second_factors.renew_recovery_codes(self.db, request)

    @rpc
    def begin_passkey_registration(self, request: BeginPasskeyRegistration) -> PasskeyRegistration:
        return self.use_cases.passkeys.begin_registration(self.db, request)

    @rpc
    def add_passkey(self, request: AddPasskey) -> Passkey:
        return self.use_cases.passkeys.add(self.db, request)

    @rpc
    def rename_passkey(self, request: RenamePasskey) -> Passkey:
        with self.db.transaction() as connection:
            return self.use_cases.passkeys.rename(connection, request)

    @rpc
    def remove_passkey(self, request: RemovePasskey) -> SecondFactors:
        return self.use_cases.passkeys.remove(self.db, request)

    @rpc
    def begin_passkey_use(self, request: BeginPasskeyUse) -> PasskeyChallenge:
        with self.db.transaction() as connection:
            return self.use_cases.passkeys.begin_use(connection, request)

    @rpc
    def list_own_sessions(self, request: ListOwnSessions) -> OwnSessions:
        with self.db.read() as connection:
            return self.use_cases.own_sessions.list_own(connection, request)

    @rpc
    def end_own_session(self, request: EndOwnSession) -> OwnSessionsEnded:
        with self.db.transaction() as connection:
            return self.use_cases.own_sessions.end_own(connection, request)

    # --- OpenID Connect ---

    @rpc
    def show_oidc(self, request: ShowOidc) -> OidcOffer:
        return self.use_cases.oidc.show(request)

    @rpc
    def begin_oidc_sign_in(self, request: BeginOidcSignIn) -> OidcAuthorisation:
        return self.use_cases.oidc.begin(self.db, request)

    @rpc
    def finish_oidc_sign_in(self, request: FinishOidcSignIn) -> Tokens:
        return self.use_cases.oidc.finish(self.db, request)

    @timer(interval=600)  # type: ignore[untyped-decorator]  # nameko is untyped
    def prune(self) -> None:
        with self.db.transaction() as connection:
            self.use_cases.pruning.prune(connection)
            self.use_cases.changes.expire(connection)

"""Events and RPC of accounts: citizens by one-time code, staff by password and TOTP."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Contract, Event, HistoryRequest, Moment, Request, Sealed, UnitCode
from contracts.gateway import Actor
from contracts.vocabulary import Language, Role

PRODUCER = "accounts"

Mobile = Annotated[str, Field(pattern=r"^\+98\d{10}$")]


class AccountsEvent(Event):
    producer: ClassVar[str] = PRODUCER


class OtpRequested(AccountsEvent):
    """A one-time code is to be sent. `sealed_code`: a `SealedOtp`, opened by notify alone. Useless after `expires_at`."""

    name: ClassVar[str] = "otp.requested.v1"

    sealed_code: Sealed
    expires_at: Moment


class SealedOtp(Answer):
    mobile: Mobile
    code: str
    language: Language = Language.FA


class CitizenAccountDeleted(AccountsEvent):
    """A citizen deleted their account: nobody signs in as this citizen any more, and no case is shown as theirs. The
    cases stay."""

    name: ClassVar[str] = "citizen.account_deleted.v1"

    citizen_id: UUID


class StaffChanged(AccountsEvent):
    """A member of staff as other services need them: who may be assigned, whom to notify. Whole, so the latest wins.
    `successor`: who takes over what they may not do any more; None: the head."""

    name: ClassVar[str] = "staff.changed.v1"

    staff_id: UUID
    version: int
    display_name: str
    roles: list[Role]
    unit: UnitCode | None
    active: bool
    successor: UUID | None = None


class SessionEnded(AccountsEvent):
    """Sessions that ended before their time: signed out, a refresh token that was stolen, an account closed or given new
    credentials. Their access tokens (claim `sid`) are invalid from now on. Only the sessions' ids, which show nobody whose they
    were. `until`: the moment by which the last of these tokens has expired by itself."""

    name: ClassVar[str] = "session.ended.v1"

    session_ids: Annotated[list[UUID], Field(min_length=1)]
    until: Moment


class SignInFailuresNoted(AccountsEvent):
    """Somebody tried again and again to sign in as this member of staff, who is to be notified; at most one a day for each
    account. `failures`: in a row, so far."""

    name: ClassVar[str] = "sign_in.failures.v1"

    staff_id: UUID
    failures: int


AddressKey = Annotated[str, Field(max_length=100)]
"""Stands for the address of a request, today: a keyed hash, made by the gateway."""
OtpSession = Annotated[str, Field(max_length=100)]
"""An opaque value that whoever requests one-time codes keeps: their tries are counted by it, and others' are not."""


class SignInPlace(Contract):
    """Where a session is begun, for its owner's list. `agent`: the family of the browser and its system; `network`: of staff
    alone, a part of the address."""

    agent: Annotated[str, Field(max_length=60)] | None = None
    network: Annotated[str, Field(max_length=60)] | None = None


class RequestOtp(Request):
    """RPC accounts.request_otp → OtpSent. The same answer whether or not the number is known, or others requested one.

    `otp_session`: of the answer before, when requesting again; TooMany when that is too early.
    """

    mobile: Mobile
    language: Language = Language.FA
    address_key: AddressKey
    otp_session: OtpSession | None = None


class OtpSent(Answer):
    """Seconds. `otp_session`: to be given with the code."""

    resend_after: int
    expires_in: int
    otp_session: OtpSession | None = None


class VerifyOtp(Request):
    """RPC accounts.verify_otp → Tokens. BadCode, whatever is wrong, too many tries included."""

    mobile: Mobile
    code: Annotated[str, Field(max_length=20)]
    address_key: AddressKey
    otp_session: OtpSession | None = None
    place: SignInPlace | None = None


class SecondFactor(Contract):
    """One of these. `passkey`: what `navigator.credentials.get` gave for a challenge of accounts, as JSON."""

    totp: Annotated[str, Field(max_length=20)] | None = None
    recovery_code: Annotated[str, Field(max_length=40)] | None = None
    passkey: Annotated[str, Field(max_length=32_768)] | None = None


class DeleteCitizenAccount(Request):
    """RPC accounts.delete_citizen_account → DeletedAccount. By the signed-in citizen, with a one-time code sent to their mobile.
    BadCode, whatever is wrong, too many tries included. All their sessions end."""

    actor: Actor
    mobile: Mobile
    code: Annotated[str, Field(max_length=20)]
    address_key: AddressKey
    otp_session: OtpSession | None = None


class DeletedAccount(Answer):
    """The account is gone."""

    deleted: bool = True


DeviceToken = Annotated[str, Field(max_length=200)]
"""Shows that this device signed in to this account before; valid until the account's credentials are reset."""


class SignInStaff(Request):
    """RPC accounts.sign_in_staff → Tokens. BadCredentials does not show which part was wrong.

    `worked`: the gateway got a proof of work for this attempt, so failures of others at its address do not block it. A
    TooMany with `work_passes` means that such a proof would do. `totp`, or another `second_factor`.
    """

    username: Annotated[str, Field(max_length=100)]
    password: Annotated[str, Field(max_length=200)]
    totp: Annotated[str, Field(max_length=20)] | None = None
    second_factor: SecondFactor | None = None
    address_key: AddressKey
    device_token: DeviceToken | None = None
    worked: bool = False
    place: SignInPlace | None = None

    @property
    def factor(self) -> SecondFactor:
        """Whichever was given."""
        return self.second_factor or SecondFactor(totp=self.totp)


class RefreshTokens(Request):
    """RPC accounts.refresh → Tokens. A refresh token that was used before revokes its whole family."""

    refresh_token: Annotated[str, Field(max_length=200)]


class RevokeTokens(Request):
    """RPC accounts.revoke → RevokedSession. Ends the session of this refresh token; an unknown one is no error."""

    refresh_token: Annotated[str, Field(max_length=200)]


class Revoked(Answer, extra="forbid"):
    """The answer to the person: the same whether there was such a session or not."""


class EndedSession(Answer):
    """`until`: as in SessionEnded."""

    session_id: UUID
    until: Moment


class RevokedSession(Answer):
    """`ended`: the session of the token, for the gateway alone; None: no such token."""

    ended: EndedSession | None = None


CookieSecret = Annotated[str, Field(max_length=100)]
"""256 random bits that a browser has in its cookie. Only a digest of it is stored."""


class OpenBrowserSession(Request):
    """RPC accounts.open_browser_session → BrowserSession. `refresh_token`: of a sign-in that was just done, unused; its session
    becomes one of a browser, which has no refresh token any more. None: for whoever holds a tracking code, which the gateway has
    checked, and which accounts does not learn. BadToken."""

    refresh_token: Annotated[str, Field(max_length=200)] | None = None


class ResumeBrowserSession(Request):
    """RPC accounts.resume_browser_session → BrowserSession, as often as it is asked and by whichever gateway: the session does
    not change with it. BadToken when there is no such session, or it has ended."""

    secret: CookieSecret


class EndBrowserSession(Request):
    """RPC accounts.end_browser_session → RevokedSession. An unknown one is no error."""

    secret: CookieSecret


class BrowserSession(Answer):
    """`secret`: only when it is opened. `access_token`: as of `Tokens`, of who is signed in as they are today; None for whoever
    holds a tracking code. `expires_at`: by when the session ends by itself. `valid_seconds`: for how long this may be relied
    on without asking again, as long as no event says that the session has ended."""

    session_id: UUID
    expires_at: Moment
    valid_seconds: Annotated[int, Field(ge=0)]
    access_token: str | None = None
    secret: CookieSecret | None = None


class ListEndedSessions(Request):
    """RPC accounts.list_ended_sessions → EndedSessions: for the gateway, the sessions that ended before their time so lately
    that access tokens of theirs are still valid by themselves. `after`: the last id of the page before."""

    after: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=10_000)] = 5_000


class EndedSessions(Answer):
    """`next`: to be given as `after`; None: these were the last."""

    items: list[EndedSession]
    next: UUID | None = None


class Tokens(Answer):
    """`access_token`: a JWT signed with EdDSA, checked by the gateway alone. Its claims: `sub` (UUID), `typ`
    ("citizen" or "staff"), `roles`, `unit`, `name`, `sid` (session), `iat`, `exp`, and for a citizen `ctc`: the
    verified mobile, a SecretBox under CONTACT_KEY, base64. `expires_in` in seconds. `device_token`: when staff sign in, to be
    kept and given at the next sign-in; failures of others do not block such a device."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105  # the scheme's name
    device_token: DeviceToken | None = None


class FinishOidcSignIn(Request):
    """RPC accounts.finish_oidc_sign_in → Tokens. OidcFailed; NoStaffAccount: the provider knows the person and we do not;
    SecondFactorNeeded: to be sent again with `second_factor`; BadCredentials for a wrong one; TooMany."""

    sign_in: Annotated[str, Field(max_length=200)]
    code: Annotated[str, Field(max_length=4096)]
    state: Annotated[str, Field(max_length=200)]
    address_key: AddressKey
    second_factor: SecondFactor | None = None
    device_token: DeviceToken | None = None
    worked: bool = False
    place: SignInPlace | None = None


class ListStaff(Request):
    """RPC accounts.list_staff → StaffList. For head, screener, substitute and administrator, and for the auditor, whose
    entries name staff by their ids."""

    actor: Actor
    role: Role | None = None


class StaffMember(Answer):
    """`username` and `version` are for the administrator alone."""

    staff_id: UUID
    display_name: str
    roles: list[Role]
    unit: UnitCode | None
    active: bool = True
    username: str | None = None
    version: int | None = None


class StaffList(Answer):
    items: list[StaffMember]


# --- the administrator's commands ---

Key = Annotated[str, Field(max_length=100)]


class AddStaff(Request):
    """RPC accounts.add_staff → AddedStaff. For the administrator; with a role that takes two of them it is only requested
    (contracts/staff_changes.py). InvalidField when the user name is taken."""

    actor: Actor
    idempotency_key: Key
    username: Annotated[str, Field(max_length=100)]
    display_name: Annotated[str, Field(max_length=200)]
    roles: list[Role]
    unit: UnitCode | None = None


class ChangeStaff(Request):
    """RPC accounts.change_staff → ChangedStaffMember. For the administrator: the account as it is to be; closing it ends its
    sessions. What takes two administrators is only requested. StaleVersion. Nobody closes their own account or gives up their
    own role of administrator, and the last head stays one. `successor`: an open account, which takes over the open cases,
    reminders and visits that this one may not have any more; None: they go to the head, with a notice."""

    actor: Actor
    idempotency_key: Key
    staff_id: UUID
    expected_version: int
    display_name: Annotated[str, Field(max_length=200)]
    roles: list[Role]
    unit: UnitCode | None
    active: bool
    successor: UUID | None = None


class ResetStaffCredentials(Request):
    """RPC accounts.reset_staff_credentials → ResetStaff. For the administrator; ends every session of the account, and its
    access tokens. For an account with a role that takes two administrators it is only requested."""

    actor: Actor
    idempotency_key: Key
    staff_id: UUID


class StaffCredentials(Answer):
    """`password`, `totp_secret` and `totp_address` (for an authenticator app) are answered once: None when the command is
    repeated under its key, for they are stored nowhere."""

    member: StaffMember
    password: str | None = None
    totp_secret: str | None = None
    totp_address: str | None = None


# What takes two administrators is requested by one of them (contracts/staff_changes.py).


class StaffChangeState(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


StaffChangeAction = Literal["add", "change", "reset_credentials"]


class RequestedStaffChange(Answer):
    """One change that was requested. `before`: the account as it was then, None for a new one; `after`: as it is to be, its
    `version` the one it will have. `new_credentials`: the account gets a new password and TOTP secret with it. `outdated`: the
    account was changed since, or the one who requested it is no administrator any more, so nobody can confirm it. `actions`: what
    the reader may do with it."""

    change_id: UUID
    number: int
    action: StaffChangeAction
    state: StaffChangeState
    staff_id: UUID
    before: StaffMember | None
    after: StaffMember
    new_credentials: bool
    asked_by: UUID
    asked_by_name: str | None = None
    asked_at: Moment
    expires_at: Moment
    decided_by: UUID | None = None
    decided_by_name: str | None = None
    decided_at: Moment | None = None
    outdated: bool = False
    actions: list[Literal["confirm", "deny", "cancel"]] = []


class StaffChangeAsked(Answer):
    """`password`: of the account once the change is confirmed; given to the one who requested it, in this answer alone. The other
    half of the credentials, the TOTP secret, is given to the one who confirms, so that neither can sign in with them alone. None
    without new credentials, and when the command is repeated under its key."""

    change: RequestedStaffChange
    password: str | None = None


class AddedStaff(StaffCredentials):
    """`requested`: it takes another administrator; `member` is then the account as it is to be."""

    requested: StaffChangeAsked | None = None


class ChangedStaffMember(StaffMember):
    """`requested`: it takes another administrator; the rest is then the account as it still is."""

    requested: StaffChangeAsked | None = None


class ResetStaff(StaffCredentials):
    """`requested`: it takes another administrator; the account's credentials are then those of before."""

    requested: StaffChangeAsked | None = None


class ListChangedStaff(Request):
    """RPC accounts.list_changed_staff → ChangedStaff: for the gateway, whose accounts were changed so lately that access
    tokens of before are still valid by themselves; and who stands in for others."""


class AccountVersion(Answer):
    """`version`: as in StaffChanged; a token names the one it was made of (claim `ver`)."""

    staff_id: UUID
    version: int


class Substitute(Answer):
    """An open account with the role of a substitute."""

    staff_id: UUID
    version: int
    unit: UnitCode | None


class Absence(Answer):
    """A leave that is not over, and the account of who is away: the `deputy` has what these roles and this unit have."""

    staff_id: UUID
    version: int
    roles: list[Role]
    unit: UnitCode | None
    deputy: UUID
    starts_at: Moment
    ends_at: Moment


class ChangedStaff(Answer):
    """`substitutes`, `absences`: all there are. `names`: what each open account is called."""

    items: list[AccountVersion]
    substitutes: list[Substitute] = []
    absences: list[Absence] = []
    names: dict[UUID, str] = {}


class ListStaffHistory(HistoryRequest):
    """RPC accounts.list_staff_history → StaffHistory. For the administrator; the newest first.

    `after`: the cursor of the page before."""

    actor: Actor
    staff_id: UUID | None = None


class StaffChange(Answer):
    """One change of an account. `by`: the id of the administrator who did it or, with `confirmed_by`, who requested it; or the
    command that did it. Before and after a reset of credentials the account is the same but for its version, and no secret is
    in it."""

    id: int
    at: Moment
    by: str
    by_name: str | None = None
    staff_id: UUID
    action: Literal["added", "changed", "credentials_reset"]
    before: StaffMember | None
    after: StaffMember | None
    confirmed_by: UUID | None = None
    confirmed_by_name: str | None = None


class StaffHistory(Answer):
    items: list[StaffChange]
    next: str | None = None

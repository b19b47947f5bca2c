"""One's own account: its password, second factors and sessions, and signing in by OpenID Connect."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.accounts import AccountsEvent, DeviceToken, EndedSession
from contracts.base import Answer, Moment, PageRequest, Request
from contracts.gateway import Actor
from contracts.own_requests import GuardedRequest, OwnRequest

AccountNews = Literal[
    "password_changed",
    "totp_enrolled",
    "totp_removed",
    "passkey_added",
    "passkey_removed",
    "recovery_codes_renewed",
    "recovery_code_used",
]


class AccountSecurityChanged(AccountsEvent):
    """Something about how this member of staff signs in was changed or used, of which they are notified: had it not been they,
    they would learn of it. `codes_left`: recovery codes that are not used, after one was."""

    name: ClassVar[str] = "account.security_changed.v1"

    staff_id: UUID
    what: AccountNews
    codes_left: int | None = None


# --- the password ---


class ChangePassword(OwnRequest):
    """RPC accounts.change_password → PasswordChanged. Every other session of the account ends. InvalidField: a wrong current
    password, or a new one that is too short, known to be breached, the user name or the same as before. TooMany: the current
    one was guessed at."""

    current_password: Annotated[str, Field(max_length=200)]
    new_password: Annotated[str, Field(max_length=200)]


class PasswordChanged(Answer):
    """`device_token`: to be kept instead of the one before, which ended with the password."""

    device_token: DeviceToken


# --- second factors ---


class ShowSecondFactors(OwnRequest):
    """RPC accounts.show_second_factors → SecondFactors."""


class Passkey(Answer):
    """`synced`: its authenticator copies it to other devices. `used_at`: None: never used to sign in."""

    passkey_id: UUID
    name: str
    synced: bool
    created_at: Moment
    used_at: Moment | None


class SecondFactors(Answer):
    """`totp`: whether an authenticator app is enrolled. `recovery_codes_left`: not used yet. `passkeys_offered`: whether this
    installation has an address that passkeys can belong to."""

    totp: bool
    passkeys: list[Passkey]
    recovery_codes_left: int
    passkeys_offered: bool


class BeginTotpEnrolment(GuardedRequest):
    """RPC accounts.begin_totp_enrolment → TotpEnrolment. The present secret stays in force until a code of the new one confirms
    it. Another enrolment that was begun ends."""


class TotpEnrolment(Answer):
    """`totp_address`: for an authenticator app, as a QR code. Both are told once."""

    totp_secret: str
    totp_address: str
    expires_at: Moment


class ConfirmTotpEnrolment(OwnRequest):
    """RPC accounts.confirm_totp_enrolment → SecondFactors. NoTotpEnrolment; InvalidField for a wrong code."""

    totp: Annotated[str, Field(max_length=20)]


class RemoveTotp(GuardedRequest):
    """RPC accounts.remove_totp → SecondFactors. LastSecondFactor while there is no passkey."""


class RenewRecoveryCodes(GuardedRequest):
    """RPC accounts.renew_recovery_codes → RecoveryCodes. Those of before are void."""


class RecoveryCodes(Answer):
    """`codes`: told once, each good once in place of another second factor."""

    codes: list[str]


class BeginPasskeyRegistration(GuardedRequest):
    """RPC accounts.begin_passkey_registration → PasskeyRegistration. PasskeysUnavailable, TooManyPasskeys."""


class PasskeyRegistration(Answer):
    """What the browser is asked with. `challenge`, `user_id`: base64url; `excluded`: credential ids of passkeys that the account
    has already, base64url. `algorithms`: COSE identifiers, the preferred one first. `timeout`: milliseconds."""

    challenge: str
    rp_id: str
    rp_name: str
    user_id: str
    username: str
    display_name: str
    excluded: list[str]
    algorithms: list[int]
    timeout: int


class AddPasskey(OwnRequest):
    """RPC accounts.add_passkey → Passkey. `credential`: what `navigator.credentials.create` gave, as JSON. InvalidField for one
    that is no answer to a challenge of this account; TooManyPasskeys."""

    name: Annotated[str, Field(max_length=60)]
    credential: Annotated[str, Field(max_length=32_768)]


class RenamePasskey(OwnRequest):
    """RPC accounts.rename_passkey → Passkey. NotFound."""

    passkey_id: UUID
    name: Annotated[str, Field(max_length=60)]


class RemovePasskey(GuardedRequest):
    """RPC accounts.remove_passkey → SecondFactors. NotFound; LastSecondFactor for the last one of an account without TOTP."""

    passkey_id: UUID


class BeginPasskeyUse(Request):
    """RPC accounts.begin_passkey_use → PasskeyChallenge. The same for everybody: whose passkey it will be is not asked.
    PasskeysUnavailable."""


class PasskeyChallenge(Answer):
    """What the browser is asked with. `challenge`: base64url, good once; `timeout`: milliseconds."""

    challenge: str
    rp_id: str
    timeout: int


# --- sessions ---


class ListOwnSessions(PageRequest):
    """RPC accounts.list_own_sessions → OwnSessions. Of a citizen or a member of staff: those that have not ended, the newest
    first."""

    actor: Actor
    session_id: UUID


class OwnSession(Answer):
    """`agent`: the family of the browser and its system, where it was recognised. `network`: of staff, the network that it was
    begun from. `last_used_at`: to a quarter of an hour. `current`: the one in which it is asked."""

    session_id: UUID
    agent: str | None
    network: str | None
    started_at: Moment
    last_used_at: Moment
    expires_at: Moment
    current: bool


class OwnSessions(Answer):
    items: list[OwnSession]
    next: str | None = None


class EndOwnSession(OwnRequest):
    """RPC accounts.end_own_session → OwnSessionsEnded. `ended`: which; None: all but the one in which it is asked. NotFound for
    one that is not the caller's, or has ended."""

    ended: UUID | None = None


class OwnSessionsEnded(Answer):
    """`items`: for the gateway, which refuses their access tokens at once."""

    items: list[EndedSession]


# --- OpenID Connect ---


class ShowOidc(Request):
    """RPC accounts.show_oidc → OidcOffer."""


class OidcOffer(Answer):
    """`name_fa`, `name_en`: of the provider, for the button. Empty while it is off."""

    enabled: bool
    name_fa: str = ""
    name_en: str = ""


class BeginOidcSignIn(Request):
    """RPC accounts.begin_oidc_sign_in → OidcAuthorisation. NotFound while it is off; Unavailable while the provider does not
    answer."""


class OidcAuthorisation(Answer):
    """`url`: where the browser goes. `sign_in`: a secret that this browser keeps and gives with the code it comes back with, so
    that nobody can be signed in with another's."""

    url: str
    sign_in: str
    expires_at: Moment

"""Notifications of accounts and of identities that are opened: to custodians, administrators, owners; one-time codes."""

from __future__ import annotations

from typing import Any

from contracts.accounts import OtpRequested, SignInFailuresNoted, StaffChangeState
from contracts.identities import IdentityAsked, IdentityDecided
from contracts.leaves import LeaveChanged
from contracts.own_account import AccountNews, AccountSecurityChanged
from contracts.staff_changes import StaffChangeDecided, StaffChangeRequested
from services.notify.notifications.recipients import (
    ACCOUNT_OWNER,
    ADMINISTRATORS,
    AWAY_AND_HEADS,
    CUSTODIANS,
    IDENTITY_REQUESTER,
    OTP_HANDSET,
)
from services.notify.notifications.rules import INBOX, SMS, Notification
from services.notify.wording.rules import Value
from services.notify.wording.values import ACCOUNT, CODES_LEFT, DECIDER, KIND, OTP, REQUESTER, ROLES

_CHANGE = (ACCOUNT, ROLES, REQUESTER)
_DECIDED_CHANGE = (*_CHANGE, DECIDER)


def _end(event: StaffChangeDecided) -> str:
    """What became of a change that takes two administrators."""
    if event.asked_by is None:
        return "on_server"
    return {StaffChangeState.CONFIRMED: "confirmed", StaffChangeState.DENIED: "denied"}.get(event.state, "dropped")


def _news(what: AccountNews, *values: Value) -> Notification[Any]:
    """To the owner of an account: what was changed about how they sign in."""
    return Notification(
        AccountSecurityChanged, what, ACCOUNT_OWNER, INBOX, values, condition=lambda event: event.what == what
    )


# A sealed identity: its custodians are asked for consent, and who asked to open it is notified of their decision. Of the case
# nothing but its kind is in it.
IDENTITIES: tuple[Notification[Any], ...] = (
    Notification(IdentityAsked, "identity_asked", CUSTODIANS, INBOX, (KIND,)),
    Notification(
        IdentityDecided,
        "identity_consented",
        IDENTITY_REQUESTER,
        INBOX,
        (KIND,),
        condition=lambda event: event.open_until is not None,
    ),
    Notification(
        IdentityDecided,
        "identity_kept",
        IDENTITY_REQUESTER,
        INBOX,
        (KIND,),
        condition=lambda event: event.open_until is None,
    ),
)

# Roles that open identities, or grant those, take two administrators; all custodians are notified of each change.
ACCOUNTS: tuple[Notification[Any], ...] = (
    Notification(
        StaffChangeRequested,
        "staff_grant_requested",
        CUSTODIANS,
        INBOX,
        _CHANGE,
        condition=lambda event: event.action != "reset_credentials",
    ),
    Notification(
        StaffChangeRequested,
        "staff_reset_requested",
        CUSTODIANS,
        INBOX,
        _CHANGE,
        condition=lambda event: event.action == "reset_credentials",
    ),
    Notification(StaffChangeRequested, "staff_change_waits", ADMINISTRATORS, INBOX, _CHANGE),
    Notification(
        StaffChangeDecided,
        "staff_change_confirmed",
        CUSTODIANS,
        INBOX,
        _DECIDED_CHANGE,
        condition=lambda event: _end(event) == "confirmed",
    ),
    Notification(
        StaffChangeDecided,
        "staff_change_denied",
        CUSTODIANS,
        INBOX,
        _DECIDED_CHANGE,
        condition=lambda event: _end(event) == "denied",
    ),
    Notification(
        StaffChangeDecided,
        "staff_change_dropped",
        CUSTODIANS,
        INBOX,
        _CHANGE,
        condition=lambda event: _end(event) == "dropped",
    ),
    Notification(
        StaffChangeDecided,
        "staff_change_on_server",
        CUSTODIANS,
        INBOX,
        (ACCOUNT, ROLES),
        condition=lambda event: _end(event) == "on_server",
    ),
    Notification(
        OtpRequested,
        "one_time_code",
        OTP_HANDSET,
        SMS,
        (OTP,),
        urgent=True,
        expires=lambda event: event.expires_at,
    ),
    Notification(LeaveChanged, "leave_without_deputy", AWAY_AND_HEADS, INBOX, condition=lambda event: event.unfit),
    Notification(SignInFailuresNoted, "sign_in_failures", ACCOUNT_OWNER, INBOX),
    _news("password_changed"),
    _news("totp_enrolled"),
    _news("totp_removed"),
    _news("passkey_added"),
    _news("passkey_removed"),
    _news("recovery_codes_renewed"),
    _news("recovery_code_used", CODES_LEFT),
)

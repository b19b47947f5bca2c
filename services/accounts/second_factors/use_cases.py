"""One's own authenticator app and recovery codes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from backbone import sealing
from backbone.storage import audit
from backbone.storage.database import Database
from contracts.base import now
from contracts.errors import InvalidField, LastSecondFactor, NoTotpEnrolment
from contracts.own_account import (
    BeginTotpEnrolment,
    ConfirmTotpEnrolment,
    Passkey,
    RecoveryCodes,
    RemoveTotp,
    RenewRecoveryCodes,
    SecondFactors,
    ShowSecondFactors,
    TotpEnrolment,
)
from services.accounts.passkeys import store as passkeys_store
from services.accounts.passkeys.ceremonies import RelyingParty
from services.accounts.second_factors import checking, store
from services.accounts.second_factors.checking import NO_TOTP, Guard
from services.accounts.second_factors.news import publish_news
from services.accounts.second_factors.rules import ENROLMENT_VALID, fresh_recovery_codes
from services.accounts.staff import store as staff_store
from services.accounts.staff.authorization import own_account
from services.accounts.staff.credentials import fresh_totp_secret, totp_address


class SecondFactorUseCases:
    """`key`: encrypts TOTP secrets (STAFF_SECRET_KEY)."""

    def __init__(self, key: bytes, party: RelyingParty, checker: checking.SecondFactors, guard: Guard) -> None:
        self._key, self._party, self._checker, self._guard = key, party, checker, guard

    def show(self, connection: Connection, request: ShowSecondFactors) -> SecondFactors:
        """What the account is signed in to with, beside the password."""
        return self.shown(connection, own_account(connection, request.actor))

    def shown(self, connection: Connection, account: Any) -> SecondFactors:
        """The same of an account at hand."""
        return SecondFactors(
            totp=account.locked_totp_secret != NO_TOTP,
            passkeys=[passkey_of(row) for row in passkeys_store.of_staff(connection, account.staff_id)],
            recovery_codes_left=store.recovery_codes_left(connection, account.staff_id),
            passkeys_offered=self._party.is_there,
        )

    def begin_totp(self, database: Database, request: BeginTotpEnrolment) -> TotpEnrolment:
        """A secret for another authenticator app; the present one stays in force until it is confirmed."""

        def begin(connection: Connection, account: Any) -> TotpEnrolment:
            totp_secret, expires_at = fresh_totp_secret(), now() + ENROLMENT_VALID
            locked = sealing.encrypt(totp_secret, self._key)
            store.begin_enrolment(connection, account.staff_id, locked, expires_at)
            return TotpEnrolment(
                totp_secret=totp_secret,
                totp_address=totp_address(account.username, totp_secret),
                expires_at=expires_at,
            )

        return self._guard.guarded(database, request, begin)

    def confirm_totp(self, connection: Connection, request: ConfirmTotpEnrolment) -> SecondFactors:
        """From now on codes of the new secret are right, and none of the one before. The code that confirms it is used up."""
        account = own_account(connection, request.actor)
        staff_store.lock_by_id(connection, account.staff_id)
        locked = store.enrolment(connection, account.staff_id, now())
        if locked is None:
            raise NoTotpEnrolment
        step = self._checker.step_of_secret(locked, request.totp)
        if step is None:
            raise InvalidField(fields=[{"field": "totp", "reason": "wrong_second_factor"}])
        staff_store.change(connection, account.staff_id, {"locked_totp_secret": locked, "totp_last_step": step})
        store.end_enrolment(connection, account.staff_id)
        publish_news(connection, account.staff_id, "totp_enrolled")
        audit.note(connection, request.actor, audit.name_of(request), [request.actor.id])
        return self._shown(connection, account.staff_id)

    def remove_totp(self, database: Database, request: RemoveTotp) -> SecondFactors:
        """LastSecondFactor while the account has no passkey: recovery codes alone are none."""

        def remove(connection: Connection, account: Any) -> SecondFactors:
            if not passkeys_store.count(connection, account.staff_id):
                raise LastSecondFactor
            staff_store.change(connection, account.staff_id, {"locked_totp_secret": NO_TOTP})
            store.end_enrolment(connection, account.staff_id)
            publish_news(connection, account.staff_id, "totp_removed")
            return self._shown(connection, account.staff_id)

        return self._guard.guarded(database, request, remove)

    def renew_recovery_codes(self, database: Database, request: RenewRecoveryCodes) -> RecoveryCodes:
        """Ten new ones, told once; those of before are void."""

        def renew(connection: Connection, account: Any) -> RecoveryCodes:
            codes = fresh_recovery_codes()
            hashes = [self._checker.recovery_code_hash(account.staff_id, code) or "" for code in codes]
            store.replace_recovery_codes(connection, account.staff_id, hashes)
            publish_news(connection, account.staff_id, "recovery_codes_renewed")
            return RecoveryCodes(codes=codes)

        return self._guard.guarded(database, request, renew)

    def _shown(self, connection: Connection, staff_id: UUID) -> SecondFactors:
        return self.shown(connection, staff_store.by_id(connection, staff_id))


def passkey_of(row: Any) -> Passkey:
    """A row of the table, as its owner sees it."""
    return Passkey(**{name: getattr(row, name) for name in Passkey.model_fields})

"""One's own passkeys: registered, named and removed; and the challenges that they answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection
from webauthn.helpers import bytes_to_base64url

from backbone.storage import audit
from backbone.storage.database import Database
from contracts.base import now
from contracts.errors import InvalidField, LastSecondFactor, NotFound, TooManyPasskeys
from contracts.own_account import (
    AddPasskey,
    BeginPasskeyRegistration,
    BeginPasskeyUse,
    Passkey,
    PasskeyChallenge,
    PasskeyRegistration,
    RemovePasskey,
    RenamePasskey,
    SecondFactors,
)
from services.accounts.passkeys import store
from services.accounts.passkeys.ceremonies import ALGORITHMS, RelyingParty
from services.accounts.passkeys.rules import CHALLENGE_VALID, MOST_PASSKEYS, RP_NAME
from services.accounts.second_factors.checking import NO_TOTP, Guard
from services.accounts.second_factors.news import publish_news
from services.accounts.second_factors.use_cases import SecondFactorUseCases, passkey_of
from services.accounts.staff import store as staff_store
from services.accounts.staff.authorization import own_account

_TIMEOUT = int(CHALLENGE_VALID.total_seconds() * 1000)


class PasskeyUseCases:
    def __init__(self, party: RelyingParty, guard: Guard, second_factors: SecondFactorUseCases) -> None:
        self._party, self._guard, self._second_factors = party, guard, second_factors

    def begin_use(self, connection: Connection, _: BeginPasskeyUse) -> PasskeyChallenge:
        """A challenge for whoever signs in. The same for all: the browser finds the passkey, so no account is named."""
        challenge = self._party.challenge(connection, None, now())
        return PasskeyChallenge(challenge=challenge, rp_id=self._party.id, timeout=_TIMEOUT)

    def begin_registration(self, database: Database, request: BeginPasskeyRegistration) -> PasskeyRegistration:
        """A challenge for a new passkey, for who shows a second factor. PasskeysUnavailable, TooManyPasskeys."""
        party_id = self._party.id

        def begin(connection: Connection, account: Any) -> PasskeyRegistration:
            present = store.of_staff(connection, account.staff_id)
            _refuse_too_many(len(present))
            return PasskeyRegistration(
                challenge=self._party.challenge(connection, account.staff_id, now()),
                rp_id=party_id,
                rp_name=RP_NAME,
                user_id=bytes_to_base64url(account.staff_id.bytes),
                username=account.username,
                display_name=account.display_name,
                excluded=[bytes_to_base64url(row.credential_id) for row in present],
                algorithms=[int(algorithm) for algorithm in ALGORITHMS],
                timeout=_TIMEOUT,
            )

        return self._guard.guarded(database, request, begin)

    def add(self, database: Database, request: AddPasskey) -> Passkey:
        """The passkey that the browser made. InvalidField, TooManyPasskeys."""
        refused = InvalidField(fields=[{"field": "credential", "reason": "bad_passkey"}])
        at = now()
        with database.transaction() as connection:  # of its own: the challenge is used up, whatever comes of it
            account = own_account(connection, request.actor)
            made = self._party.registered(connection, account.staff_id, request.credential, at)
        if made is None:
            raise refused
        with database.transaction() as connection:
            staff_store.lock_by_id(connection, account.staff_id)  # of two at once, the second counts the first
            _refuse_too_many(store.count(connection, account.staff_id))
            values = {
                "passkey_id": uuid4(),
                "staff_id": account.staff_id,
                "name": request.name,
                "created_at": at,
                "credential_id": made.credential_id,
                "public_key": made.public_key,
                "sign_count": made.sign_count,
                "synced": made.synced,
                "transports": made.transports,
            }
            if not store.add(connection, values):
                raise refused
            publish_news(connection, account.staff_id, "passkey_added")
            audit.note(connection, request.actor, audit.name_of(request), [request.actor.id, str(values["passkey_id"])])
            return Passkey(used_at=None, **{name: values[name] for name in Passkey.model_fields if name in values})

    def rename(self, connection: Connection, request: RenamePasskey) -> Passkey:
        """NotFound."""
        account = own_account(connection, request.actor)
        row = store.rename(connection, account.staff_id, request.passkey_id, request.name)
        if row is None:
            raise NotFound
        audit.note(connection, request.actor, audit.name_of(request), [request.actor.id, str(row.passkey_id)])
        return passkey_of(row)

    def remove(self, database: Database, request: RemovePasskey) -> SecondFactors:
        """For who shows a second factor, which may be this passkey. NotFound, LastSecondFactor."""

        def remove(connection: Connection, account: Any) -> SecondFactors:
            staff_id: UUID = account.staff_id
            if not store.remove(connection, staff_id, request.passkey_id):
                raise NotFound
            if account.locked_totp_secret == NO_TOTP and not store.count(connection, staff_id):
                raise LastSecondFactor
            publish_news(connection, staff_id, "passkey_removed")
            return self._second_factors.shown(connection, account)

        return self._guard.guarded(database, request, remove)


def _refuse_too_many(present: int) -> None:
    if present >= MOST_PASSKEYS:
        raise TooManyPasskeys(limit=MOST_PASSKEYS)

"""Whether somebody shows a second factor of an account: a code of the authenticator app, a recovery code, or a passkey.

Every way of signing in asks here, and whoever changes how they sign in. A proof is found first and taken in the transaction
of its effect: each code and each answer of a passkey is good once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from backbone import sealing
from backbone.process import logs
from backbone.storage import audit
from backbone.storage.database import Database
from contracts.accounts import SecondFactor
from contracts.base import now
from contracts.errors import InvalidField, NotAllowed
from contracts.gateway import Actor
from contracts.own_requests import GuardedRequest
from contracts.vocabulary import ActorKind
from services.accounts.passkeys.ceremonies import PasskeyUse, PasskeyUses
from services.accounts.second_factors import store
from services.accounts.second_factors.news import publish_news
from services.accounts.second_factors.rules import recovery_code_form
from services.accounts.staff import store as staff_store
from services.accounts.staff.authorization import own_account
from services.accounts.staff.credentials import totp_step
from services.accounts.staff.sign_in_attempts import SignInAttempts, of_session

log = logs.get("second_factors")

RECOVERY_CODE_USED = "use_recovery_code"
"""How the audit log names it."""
NO_TOTP = ""
"""In place of an encrypted secret, for an account without an authenticator app."""
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Proof:
    """A second factor that fits; not taken yet. One of the three is there."""

    totp_step: int | None = None
    recovery_code: str | None = None
    passkey: PasskeyUse | None = None

    @property
    def can_be_guessed(self) -> bool:
        """By who tries often enough."""
        return self.passkey is None


class SecondFactors:
    """`key`: encrypts TOTP secrets and hashes recovery codes (STAFF_SECRET_KEY)."""

    def __init__(self, key: bytes, passkeys: PasskeyUses) -> None:
        self._key, self._passkeys = key, passkeys

    def prove(
        self, connection: Connection, staff_id: UUID, locked_totp_secret: str, factor: SecondFactor
    ) -> Proof | None:
        """What fits this account; None when nothing does. Uses up the challenge of a passkey, whatever comes of it."""
        given = [factor.totp, factor.recovery_code, factor.passkey]
        if sum(value is not None for value in given) != 1:
            return None
        if factor.totp is not None:
            step = self._step(locked_totp_secret, factor.totp)
            return Proof(totp_step=step) if step is not None else None
        if factor.recovery_code is not None:
            code_hash = self.recovery_code_hash(staff_id, factor.recovery_code)
            fits = code_hash is not None and store.has_recovery_code(connection, staff_id, code_hash)
            return Proof(recovery_code=code_hash) if fits else None
        use = self._passkeys.check(connection, staff_id, factor.passkey or "", now())
        return Proof(passkey=use) if use is not None else None

    def take(self, connection: Connection, staff_id: UUID, proof: Proof) -> bool:
        """Accepts a proof once: False when it was accepted before. The owner hears of a recovery code that was used."""
        if proof.totp_step is not None:
            return staff_store.take_totp_step(connection, staff_id, proof.totp_step)
        if proof.passkey is not None:
            return self._passkeys.take(connection, staff_id, proof.passkey, now())
        if proof.recovery_code is None or not store.use_recovery_code(connection, staff_id, proof.recovery_code, now()):
            return False
        publish_news(
            connection, staff_id, "recovery_code_used", codes_left=store.recovery_codes_left(connection, staff_id)
        )
        actor = Actor(kind=ActorKind.STAFF, id=str(staff_id))
        audit.note(connection, actor, RECOVERY_CODE_USED, [str(staff_id)])
        return True

    def recovery_code_hash(self, staff_id: UUID, typed: str) -> str | None:
        """As it is stored; None for what can be no recovery code. Keyed: the database alone cannot be searched for codes."""
        code = recovery_code_form(typed)
        return None if code is None else sealing.keyed_hash(f"recovery:{staff_id}:{code}", self._key)

    def step_of_secret(self, locked_secret: str, entered: str) -> int | None:
        """The step of a code of this secret."""
        return self._step(locked_secret, entered)

    def _step(self, locked_secret: str, entered: str) -> int | None:
        """None when it fits none, and when the secret was encrypted under another key: whoever signs in learns no more."""
        if locked_secret == NO_TOTP:
            return None
        try:
            totp_secret = sealing.decrypt(locked_secret, self._key)
        except sealing.CannotOpen:
            log.error("a TOTP secret cannot be opened; since STAFF_SECRET_KEY was changed the account wants a reset")
            return None
        return totp_step(totp_secret, entered, now())


class Guard:
    """Lets who shows a second factor change how they sign in; wrong ones are counted as failed sign-ins of their session."""

    def __init__(self, second_factors: SecondFactors, attempts: SignInAttempts) -> None:
        self._second_factors, self._attempts = second_factors, attempts

    def guarded(self, database: Database, request: GuardedRequest, work: Callable[[Connection, Any], Answer]) -> Answer:
        """`work(connection, account)` in the transaction that takes the second factor. InvalidField, TooMany."""
        with database.transaction() as connection:
            row = own_account(connection, request.actor)
            attempt = self._attempts.begin(connection, row.username, "", of_session(request.session_id))
        with database.transaction() as connection:
            proof = self._second_factors.prove(connection, row.staff_id, row.locked_totp_secret, request.second_factor)
        if proof is not None:
            with database.transaction() as connection:
                current = staff_store.lock_by_id(connection, row.staff_id)
                if current is None or not current.active:
                    raise NotAllowed
                if self._second_factors.take(connection, current.staff_id, proof):
                    self._attempts.succeeded(connection, attempt)
                    answer = work(connection, staff_store.by_id(connection, current.staff_id))
                    _note(connection, request, audit.DONE)
                    return answer
        with database.transaction() as connection:
            self._attempts.failed(connection, attempt, row, password_fits=False)
            _note(connection, request, "wrong_second_factor")
        raise InvalidField(fields=[{"field": "second_factor", "reason": "wrong_second_factor"}])


def _note(connection: Connection, request: GuardedRequest, result: str) -> None:
    audit.note(connection, request.actor, audit.name_of(request), [request.actor.id], result)

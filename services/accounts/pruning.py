"""Deletes what has passed in all of accounts' tables: codes of yesterday, sessions at their end, forgiven attempts."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from backbone.process import logs
from contracts.base import now
from services.accounts.citizens.use_cases import CitizenUseCases
from services.accounts.oidc import store as oidc_store
from services.accounts.passkeys import store as passkeys_store
from services.accounts.second_factors import store as second_factors_store
from services.accounts.sessions.use_cases import SessionUseCases
from services.accounts.staff.sign_in_attempts import SignInAttempts

log = logs.get("accounts")

_LOCK = 7_204_507  # any number, the same in every process


class Pruning:
    def __init__(self, citizens: CitizenUseCases, sessions: SessionUseCases, attempts: SignInAttempts) -> None:
        self._citizens, self._sessions, self._attempts = citizens, sessions, attempts

    def prune(self, connection: Connection) -> None:
        """One process at a time; another one that comes meanwhile does nothing."""
        if not connection.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one():
            return
        at = now()
        deleted = {
            "codes": self._citizens.prune(connection, at),
            "sessions": self._sessions.prune(connection, at),
            "attempts": self._attempts.prune(connection, at),
            "enrolments": second_factors_store.prune(connection, at),
            "challenges": passkeys_store.prune(connection, at),
            "oidc": oidc_store.prune(connection, at),
        }
        if any(deleted.values()):
            log.info("pruned", **deleted)

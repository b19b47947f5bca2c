"""Deletes what has passed in all of accounts' tables: codes of yesterday, sessions at their end, forgiven attempts."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from backbone.process import logs
from contracts.base import now
from services.accounts.citizens.use_cases import CitizenUseCases
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
        }
        if any(deleted.values()):
            log.info("pruned", **deleted)

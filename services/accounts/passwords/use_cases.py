"""Changing one's own password."""

from __future__ import annotations

from uuid import UUID

from backbone.process import logs
from backbone.process.settings import secret
from backbone.storage import audit
from backbone.storage.database import Database
from contracts.errors import InvalidField, NotAllowed
from contracts.own_account import ChangePassword, PasswordChanged
from services.accounts.passwords.breached import BreachedPasswords
from services.accounts.passwords.rules import wrong_with_new_password
from services.accounts.second_factors.news import publish_news
from services.accounts.sessions.ended_sessions import end_other_sessions_of
from services.accounts.settings import Settings
from services.accounts.staff import store
from services.accounts.staff.authorization import own_account
from services.accounts.staff.credentials import hash_password, password_fits
from services.accounts.staff.sign_in_attempts import DeviceTokens, SignInAttempts, of_session
from services.accounts.staff.slow_work import RunSlow

log = logs.get("accounts")

COMMAND = "change_password"
"""How the audit log names it."""


class PasswordUseCases:
    def __init__(
        self, settings: Settings, attempts: SignInAttempts, breached: BreachedPasswords, run_slow: RunSlow
    ) -> None:
        self._attempts, self._breached, self._run_slow = attempts, breached, run_slow
        self._shortest = settings.password_min_length
        self._devices = DeviceTokens(secret(settings.staff_secret_key), settings.device_days)

    def change(self, database: Database, request: ChangePassword) -> PasswordChanged:
        """A new password for who knows the present one; every other session ends. InvalidField, TooMany, Unavailable.

        Each try counts as a failure of this session before it is checked, as signing in does; no transaction is open meanwhile.
        """
        with database.transaction() as connection:
            row = own_account(connection, request.actor)
            attempt = self._attempts.begin(connection, row.username, "", of_session(request.session_id))
        if not self._run_slow(lambda: password_fits(row.password_hash, request.current_password)):
            with database.transaction() as connection:
                self._attempts.failed(connection, attempt, row, password_fits=False)
                audit.note(connection, request.actor, COMMAND, [request.actor.id], "wrong_password")
            raise InvalidField(fields=[{"field": "current_password", "reason": "wrong_password"}])
        wrong = wrong_with_new_password(row.username, request.current_password, request.new_password, self._shortest)
        if wrong is None and self._breached.contains(request.new_password):
            wrong = {"field": "new_password", "reason": "password_breached"}
        if wrong is not None:
            with database.transaction() as connection:
                self._attempts.succeeded(connection, attempt)
            raise InvalidField(fields=[wrong])
        password_hash = self._run_slow(lambda: hash_password(request.new_password))
        with database.transaction() as connection:
            current = store.lock_by_id(connection, UUID(request.actor.id))
            # Changed or closed while the hashes were computed.
            if current is None or not current.active or current.password_hash != row.password_hash:
                raise NotAllowed
            self._attempts.succeeded(connection, attempt)
            store.change(connection, current.staff_id, {"password_hash": password_hash})
            end_other_sessions_of(connection, current.staff_id, request.session_id, "password")
            publish_news(connection, current.staff_id, "password_changed")
            audit.note(connection, request.actor, COMMAND, [request.actor.id])
        log.info("a member of staff changed their password", staff_id=request.actor.id)
        return PasswordChanged(device_token=self._devices.issue(current.staff_id, password_hash, None))

"""Staff: signing in with password and second factor, and the list of staff accounts."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone import sealing
from backbone.persian.normalisation import normalise
from backbone.process import logs
from backbone.process.settings import secret
from backbone.storage import audit
from backbone.storage.database import Database
from contracts.accounts import (
    Absence,
    AccountVersion,
    ChangedStaff,
    ListStaff,
    SignInPlace,
    SignInStaff,
    StaffList,
    Substitute,
    Tokens,
)
from contracts.audit import MOST_PEOPLE, NameStaff, StaffName, StaffNames
from contracts.base import now
from contracts.errors import BadCredentials, NotAllowed
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.accounts.leaves import store as leaves_store
from services.accounts.second_factors.checking import Proof, SecondFactors
from services.accounts.sessions.access_tokens import AccessTokens
from services.accounts.sessions.rules import COMMITTED_WITHIN, Subject
from services.accounts.sessions.use_cases import SessionUseCases
from services.accounts.settings import Settings
from services.accounts.staff import store
from services.accounts.staff.authorization import current_roles
from services.accounts.staff.credentials import fresh_credentials, password_fits
from services.accounts.staff.rules import username_form
from services.accounts.staff.sign_in_attempts import SIGN_INS, Attempt, DeviceTokens, SignInAttempts
from services.accounts.staff.slow_work import RunSlow
from services.accounts.staff.staff_accounts import staff_member

log = logs.get("accounts")

SIGN_IN = "sign_in_staff"
"""How the audit log names a sign-in."""
MAY_LIST_STAFF = frozenset({Role.HEAD, Role.SCREENER, Role.ADMINISTRATOR, Role.SUBSTITUTE})


class StaffUseCases:
    def __init__(
        self,
        settings: Settings,
        access_tokens: AccessTokens,
        sessions: SessionUseCases,
        attempts: SignInAttempts,
        second_factors: SecondFactors,
        run_slow: RunSlow,
    ) -> None:
        self._access_tokens = access_tokens
        self._sessions = sessions
        self._attempts = attempts
        self._second_factors = second_factors
        self._run_slow = run_slow
        staff_key = secret(settings.staff_secret_key)
        self._devices = DeviceTokens(staff_key, settings.device_days)
        # An account to check when nobody has the user name, so that it takes as long.
        made_up = fresh_credentials().hashed()
        self._nobody = (uuid4(), made_up.password_hash, sealing.encrypt(made_up.totp_secret, staff_key))

    def name_staff(self, connection: Connection, request: NameStaff) -> StaffNames:
        """Names of staff, for the auditor. NotAllowed."""
        if Role.AUDITOR not in current_roles(connection, request.actor):
            raise NotAllowed
        rows = list(store.by_ids(connection, set(request.ids)).values())
        if request.typed is not None:
            typed = normalise(request.typed)
            rows += [
                row
                for row in store.with_role(connection, None)
                if typed and (typed in normalise(row.display_name) or typed in normalise(row.username))
            ]
        return StaffNames(
            items=[
                StaffName(staff_id=row.staff_id, username=row.username, display_name=row.display_name)
                for row in rows[:MOST_PEOPLE]
            ]
        )

    def sign_in(self, database: Database, request: SignInStaff) -> Tokens:
        """Tokens for a user name with its password and a second factor; BadCredentials, or TooMany while it is blocked
        (sign_in_attempts.py).

        Known and unknown user names are counted, slowed and answered alike, with the same work. An attempt is counted
        as a failure before it is checked, so that many at once gain nothing; no transaction is open meanwhile.
        """
        username = username_form(request.username)
        with database.transaction() as connection:
            row = store.by_username(connection, username)
            staff_id, password_hash, locked_totp_secret = (
                (row.staff_id, row.password_hash, row.locked_totp_secret) if row is not None else self._nobody
            )
            device = self._devices.read(request.device_token, staff_id, password_hash)
            attempt = self._attempts.begin(connection, username, request.address_key, device, worked=request.worked)
        fits = self._run_slow(lambda: password_fits(password_hash, request.password))
        with database.transaction() as connection:
            proof = self._second_factors.prove(connection, staff_id, locked_totp_secret, request.factor)
        if row is None or not fits or proof is None:
            with database.transaction() as connection:
                self._attempts.failed(connection, attempt, row, password_fits=row is not None and fits)
            return _refuse("wrong")
        with database.transaction() as connection:
            # Read again: the check took a while, and a change of the account in that while counts.
            current = store.lock_by_username(connection, username)
            if current is None or not current.active or current.password_hash != password_hash:
                return _refuse("inactive")
            tokens = self.enter(connection, current, (attempt, proof), request.place, SIGN_IN)
        device_token = self._devices.issue(current.staff_id, current.password_hash, device)
        return tokens.model_copy(update={"device_token": device_token})

    def enter(
        self,
        connection: Connection,
        account: Any,
        shown: tuple[Attempt, Proof] | None,
        place: SignInPlace | None,
        audit_name: str,
    ) -> Tokens:
        """A session for a locked, open account, in the transaction that takes the second factor. `shown`: the
        attempt, and what fits; None where the provider that signed them in is trusted to have asked for one. BadCredentials."""
        if shown is not None:
            attempt, proof = shown
            if proof.can_be_guessed and self._attempts.second_factor_is_blocked(connection, attempt):
                return _refuse("second_factor_rests")
            if not self._second_factors.take(connection, account.staff_id, proof):
                return _refuse("replayed")
            self._attempts.succeeded(connection, attempt)
        subject = _subject(account)
        tokens = self._sessions.open(connection, subject, place)
        audit.note(connection, _actor(subject), audit_name, [str(subject.id)])
        SIGN_INS.labels("right").inc()
        log.info("a member of staff signed in", staff_id=str(account.staff_id))
        return tokens

    def list_changed_staff(self, connection: Connection) -> ChangedStaff:
        """The accounts that an access token which is still valid may describe as they were."""
        rows = store.changed_since(connection, now() - self._access_tokens.valid - COMMITTED_WITHIN)
        accounts = [row for row in store.with_role(connection, None) if row.active]
        substitutes = [row for row in accounts if Role.SUBSTITUTE in row.roles]
        return ChangedStaff(
            items=[AccountVersion(staff_id=row.staff_id, version=row.version) for row in rows],
            substitutes=[Substitute(staff_id=row.staff_id, version=row.version, unit=row.unit) for row in substitutes],
            names={row.staff_id: row.display_name for row in accounts},
            absences=[Absence.model_validate(dict(row._mapping)) for row in leaves_store.absences(connection, now())],
        )

    def list_staff(self, connection: Connection, request: ListStaff) -> StaffList:
        """Staff, all or of one role, to those who assign and administer; NotAllowed to anybody else."""
        roles = request.actor.roles & current_roles(connection, request.actor)
        if not roles & MAY_LIST_STAFF:
            raise NotAllowed
        rows = store.with_role(connection, request.role)
        return StaffList(items=[staff_member(row, for_administrator=Role.ADMINISTRATOR in roles) for row in rows])


def current_subject(connection: Connection, subject_type: str, subject_id: UUID) -> Subject | None:
    """Whose session it is, as they are today; None for a closed account."""
    if subject_type == "citizen":
        return Subject("citizen", subject_id)
    row = store.by_id(connection, subject_id)
    return _subject(row) if row is not None and row.active else None


def _refuse(outcome: str) -> Tokens:
    SIGN_INS.labels(outcome).inc()
    raise BadCredentials


def _subject(row: Any) -> Subject:
    roles = tuple(Role(role) for role in row.roles)
    return Subject("staff", row.staff_id, roles, row.unit, row.display_name, version=row.version)


def _actor(subject: Subject) -> Actor:
    return Actor(kind=ActorKind.STAFF, id=str(subject.id), roles=frozenset(subject.roles), unit=subject.unit)

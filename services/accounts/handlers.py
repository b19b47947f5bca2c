"""What accounts does: sends and checks one-time codes, signs staff in, keeps sessions.

An error that is *returned* belongs to an effect that must be committed (a counted try, a revoked family); the service
raises it after the commit. An error that is raised undoes everything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from prometheus_client import Counter
from sqlalchemy import Connection

from backbone import audit, crypto, logs, outbox, persian
from backbone.database import Database
from backbone.settings import secret
from contracts.accounts import (
    AccountVersion,
    ChangedStaff,
    EndedSession,
    EndedSessions,
    ListEndedSessions,
    ListStaff,
    OtpRequested,
    OtpSent,
    RefreshTokens,
    RequestOtp,
    RevokedSession,
    RevokeTokens,
    SealedOtp,
    SignInStaff,
    StaffList,
    StaffMember,
    Tokens,
    VerifyOtp,
)
from contracts.base import now
from contracts.errors import BadCode, BadCredentials, InvalidField, NotAllowed, PeygirError, TooMany
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.accounts import domain, store
from services.accounts.credentials import fresh_totp_secret, hash_password, password_fits, totp_step
from services.accounts.domain import Pace, StoredCode, Verdict
from services.accounts.endings import good_until
from services.accounts.sessions import Sessions, Subject
from services.accounts.settings import Settings

log = logs.get("accounts")

CODES = Counter("peygir_one_time_codes_total", "One-time codes by what became of them", ["outcome"])
SIGN_INS = Counter("peygir_staff_sign_ins_total", "Sign-ins of staff", ["outcome"])

_COMMITTED_WITHIN = timedelta(minutes=1)
"""From the time a change bears to its being seen by others."""
SIGN_IN = "sign_in_staff"
MAY_LIST_STAFF = frozenset({Role.HEAD, Role.SCREENER, Role.ADMINISTRATOR})

Apart = Callable[[Callable[[], bool]], bool]
Done = TypeVar("Done")


class Accounts:
    """The use cases of one process. `apart` runs slow arithmetic where it does not hold up the others."""

    def __init__(self, settings: Settings, apart: Apart = lambda work: work()) -> None:
        self._settings = settings
        self._pace = Pace(settings.otp_resend_seconds, settings.otp_per_hour, settings.otp_per_day)
        self._index_key = secret(settings.mobile_index_key)
        self._notify_key = secret(settings.notify_public_key)
        self._staff_key = secret(settings.staff_secret_key)
        self._sessions = Sessions(settings)
        self._apart = apart
        # Somebody to check when nobody has the user name, so that it takes as long.
        self._nobody = (hash_password(uuid4().hex), crypto.lock(fresh_totp_secret(), self._staff_key))

    # --- citizens ---

    def request_otp(self, connection: Connection, request: RequestOtp) -> OtpSent:
        """Sends a code to a mobile and makes the one before void. TooMany while it is too early for another.

        Nobody looks whether a citizen with this mobile is known, so nothing can tell.
        """
        mobile, mobile_hash = self._mobile(request.mobile)
        row = store.claim_code_row(connection, mobile_hash)
        at = now()  # after the wait for the row
        wait = domain.wait_for_code(row.requested, at, self._pace)
        if wait:
            CODES.labels("too_early").inc()
            raise TooMany(retry_after=wait)
        code = domain.fresh_code()
        expires_at = at + timedelta(seconds=self._settings.otp_seconds)
        recent = [moment for moment in row.requested if at - moment < domain.DAY]
        store.replace_code(connection, mobile_hash, self._code_hash(mobile_hash, code), expires_at, [*recent, at])
        sealed = crypto.seal(SealedOtp(mobile=mobile, code=code, language=request.language), self._notify_key)
        outbox.add(connection, OtpRequested(id=uuid4(), occurred_at=at, sealed_code=sealed, expires_at=expires_at))
        CODES.labels("sent").inc()
        return OtpSent(resend_after=self._settings.otp_resend_seconds, expires_in=self._settings.otp_seconds)

    def verify_otp(self, connection: Connection, request: VerifyOtp) -> Tokens | PeygirError:
        """Tokens for the code last sent to this mobile, once; BadCode, or TooMany when it was tried too often."""
        mobile, mobile_hash = self._mobile(request.mobile)
        row = store.lock_code(connection, mobile_hash)
        at = now()
        stored = (
            StoredCode(row.code_hash, row.expires_at, row.tries, row.used)
            if row is not None and row.expires_at is not None
            else None
        )
        told = self._code_hash(mobile_hash, persian.compact_digits(request.code) or "")
        verdict = domain.judge(stored, told, at, self._settings.otp_tries)
        CODES.labels(verdict.value).inc()
        if verdict is Verdict.TRIED_TOO_OFTEN:
            return TooMany(retry_after=max(1, domain.wait_for_code(row.requested if row else [], at, self._pace)))
        if verdict is Verdict.WRONG:
            store.count_wrong_code(connection, mobile_hash)
        if verdict is not Verdict.RIGHT:
            return BadCode()
        store.spend_code(connection, mobile_hash)
        return self._sessions.open(
            connection, Subject("citizen", store.citizen(connection, mobile_hash), mobile=mobile)
        )

    def _mobile(self, told: str) -> tuple[str, str]:
        """E.164 and its keyed hash; InvalidField when it is no Iranian mobile."""
        mobile = persian.mobile(told)
        if mobile is None:
            raise InvalidField(fields=[{"field": "mobile", "reason": "not_a_mobile"}])
        return mobile, crypto.keyed_hash(mobile, self._index_key)

    def _code_hash(self, mobile_hash: str, code: str) -> str:
        return crypto.keyed_hash(f"one-time code:{mobile_hash}:{code}", self._staff_key)

    # --- staff ---

    def sign_in(self, database: Database, request: SignInStaff) -> Tokens:
        """Tokens for a user name with its password and TOTP; BadCredentials, or TooMany while the name rests.

        Known and unknown user names are counted, slowed and answered alike, with the same work. An attempt is counted
        as a failure before it is checked, so that many at once gain nothing; no transaction is open meanwhile.
        """
        username = domain.username_form(request.username)
        username_hash = crypto.keyed_hash(f"username:{username}", self._staff_key)
        with database.transaction() as connection:
            self._count_attempt(connection, username_hash)
            row = store.staff_by_username(connection, username)
        password_hash, locked = (row.password_hash, row.locked_totp_secret) if row is not None else self._nobody
        fits = self._apart(lambda: password_fits(password_hash, request.password))
        step = self._totp_step(locked, request.totp)
        if row is None or not fits or step is None:
            return _refused("wrong")
        with database.transaction() as connection:
            # Read again: the check took a while, and a change of staff in that while counts.
            current = store.lock_staff(connection, username)
            if current is None or not current.active or current.password_hash != password_hash:
                return _refused("inactive")
            if not store.take_totp_step(connection, current.staff_id, step):
                return _refused("replayed")
            store.forget_attempts(connection, username_hash)
            subject = _subject(current)
            tokens = self._sessions.open(connection, subject)
            audit.note(connection, _actor_of(subject), SIGN_IN, [str(subject.id)])
        SIGN_INS.labels("right").inc()
        log.info("a member of staff signed in", staff_id=str(current.staff_id))
        return tokens

    def _totp_step(self, locked_secret: str, told: str) -> int | None:
        """None when it fits none, and when the secret was encrypted under another key: whoever asks learns no more."""
        try:
            totp_secret = crypto.unlock(locked_secret, self._staff_key)
        except crypto.CannotOpen:
            log.error("a TOTP secret cannot be opened; since STAFF_SECRET_KEY was changed the account wants a reset")
            return None
        return totp_step(totp_secret, told, now())

    def _count_attempt(self, connection: Connection, username_hash: str) -> None:
        row = store.claim_attempts(connection, username_hash, now())
        at = now()  # after the wait for the row, or an attempt that came together with another would look too early
        if row.blocked_until > at:
            SIGN_INS.labels("blocked").inc()
            raise TooMany(retry_after=domain.seconds_until(row.blocked_until, at))
        failures = (row.failures if at - row.last_at < domain.FORGIVEN_AFTER else 0) + 1
        store.count_attempt(connection, username_hash, failures, at + domain.block_after(failures), at)

    def list_changed_staff(self, connection: Connection) -> ChangedStaff:
        """The accounts that an access token which is still good may tell of as they were."""
        rows = store.changed_staff(connection, now() - self._sessions.access - _COMMITTED_WITHIN)
        return ChangedStaff(items=[AccountVersion(staff_id=row.staff_id, version=row.version) for row in rows])

    def list_staff(self, connection: Connection, request: ListStaff) -> StaffList:
        """Staff, all or of one role, to those who assign and administer; NotAllowed to anybody else."""
        roles = self._roles_now(connection, request.actor)
        if not roles & MAY_LIST_STAFF:
            raise NotAllowed
        administers = Role.ADMINISTRATOR in roles
        return StaffList(
            items=[
                StaffMember(
                    staff_id=row.staff_id,
                    display_name=row.display_name,
                    roles=[Role(role) for role in row.roles],
                    unit=row.unit,
                    active=row.active,
                    username=row.username if administers else None,
                    version=row.version if administers else None,
                )
                for row in store.list_staff(connection, request.role)
            ]
        )

    def _roles_now(self, connection: Connection, actor: Actor) -> frozenset[Role]:
        """Those of the token that the account still has: a token may be older than the last change of them."""
        row = store.staff_by_id(connection, UUID(actor.id)) if actor.kind is ActorKind.STAFF else None
        return actor.roles & frozenset(row.roles) if row is not None and row.active else frozenset()

    # --- sessions ---

    def refresh(self, connection: Connection, request: RefreshTokens) -> Tokens | PeygirError:
        """New tokens of the same session; BadToken. Roles and unit are those of this moment."""

        def find(row: Any) -> Subject | None:
            if row.subject_type == "citizen":
                return Subject("citizen", row.subject_id)
            member = store.staff_by_id(connection, row.subject_id)
            return _subject(member) if member is not None and member.active else None

        return self._sessions.refresh(connection, request.refresh_token, find)

    def revoke(self, connection: Connection, request: RevokeTokens) -> RevokedSession:
        """Ends a session, its access tokens included. Nothing happens for an unknown token."""
        return RevokedSession(ended=self._sessions.revoke(connection, request.refresh_token))

    def list_ended_sessions(self, connection: Connection, request: ListEndedSessions) -> EndedSessions:
        """The sessions that ended before their time, of which an access token may still be good by itself."""
        since = now() - self._sessions.access - _COMMITTED_WITHIN
        rows = store.ended_sessions(connection, since, request.after, request.limit + 1)
        shown = rows[: request.limit]
        return EndedSessions(
            items=[EndedSession(session_id=row.session_id, until=good_until(row.revoked_at)) for row in shown],
            next=shown[-1].session_id if len(rows) > request.limit else None,
        )

    def prune(self, connection: Connection) -> None:
        """Deletes what has passed: codes of yesterday, sessions at their end, forgiven attempts."""
        at = now()
        gone = store.prune(connection, at, at - domain.DAY, at - domain.FORGIVEN_AFTER)
        if any(gone.values()):
            log.info("pruned", **gone)


def committed(answer: Done | PeygirError) -> Done:
    """The answer, or its error raised; called when the transaction is committed."""
    if isinstance(answer, PeygirError):
        raise answer
    return answer


def _refused(why: str) -> Tokens:
    SIGN_INS.labels(why).inc()
    raise BadCredentials


def _subject(row: Any) -> Subject:
    roles = tuple(Role(role) for role in row.roles)
    return Subject("staff", row.staff_id, roles, row.unit, row.display_name, version=row.version)


def _actor_of(subject: Subject) -> Actor:
    return Actor(kind=ActorKind.STAFF, id=str(subject.id), roles=frozenset(subject.roles), unit=subject.unit)

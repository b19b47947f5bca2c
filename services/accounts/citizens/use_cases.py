"""Citizens: one-time codes requested and verified, and the session that a right one opens.

Whoever requests a code gets a session of that request (an opaque value), and tries are counted by it: strangers do not use up
the tries of the person who is signing in. Tries without the session are counted by address. Neither the answer to a request
nor the answer to a try tells a stranger whether somebody else is signing in with this mobile at the moment: requesting again
too early is refused only to the session itself, because of its own requests; a wrong try, one too many, and one for a mobile
that requested nothing are all BadCode.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from prometheus_client import Counter
from sqlalchemy import Connection, Row

from backbone import sealing
from backbone.messaging import outbox
from backbone.process.settings import secret
from contracts import identifiers
from contracts.accounts import (
    CitizenAccountDeleted,
    DeleteCitizenAccount,
    DeletedAccount,
    OtpRequested,
    OtpSent,
    RequestOtp,
    SealedOtp,
    Tokens,
    VerifyOtp,
)
from contracts.base import now
from contracts.errors import BadCode, InvalidField, NotAllowed, PeygirError, TooMany
from contracts.vocabulary import ActorKind
from services.accounts.citizens import rules, store
from services.accounts.citizens.rules import SendingLimits, StoredCode, Verdict
from services.accounts.rules import DAY
from services.accounts.sessions.ended_sessions import end_sessions_of
from services.accounts.sessions.rules import Subject
from services.accounts.sessions.use_cases import SessionUseCases
from services.accounts.settings import Settings

CODES = Counter("peygir_one_time_codes_total", "One-time codes by what became of them", ["outcome"])


@dataclass(frozen=True)
class _Counter:
    """What a wrong code is counted by: `session_hash`, the session that was sent a code; without one, the address, and all
    strangers together when nobody requested a code from there (`is_stranger`)."""

    address_hash: str
    session_hash: str | None = None
    is_stranger: bool = False


class CitizenUseCases:
    def __init__(self, settings: Settings, sessions: SessionUseCases) -> None:
        self._sessions = sessions
        self._limits = SendingLimits(settings.otp_resend_seconds, settings.otp_per_hour, settings.otp_per_day)
        self._valid_seconds = settings.otp_seconds
        self._tries = settings.otp_tries
        self._index_key = secret(settings.mobile_index_key)
        self._notify_key = secret(settings.notify_public_key)
        self._key = secret(settings.staff_secret_key)

    def request_otp(self, connection: Connection, request: RequestOtp) -> OtpSent:
        """Sends a code to a mobile. TooMany to a session that requests again too early, as far as its own requests go.

        Nobody looks whether a citizen with this mobile is known, so nothing can tell. A request that is too early because of
        others is answered as if a code had been sent: one was, not long ago.
        """
        mobile, mobile_hash = self._mobile(request.mobile)
        row = store.claim_code_row(connection, mobile_hash)
        at = now()  # after the wait for the row
        token, own = self._session(connection, mobile_hash, request.otp_session)
        address_hash = self._address_hash(request.address_key)
        requested = own.requested if own is not None else []
        wait = rules.wait_for_code(requested, at, self._limits)
        if wait:
            CODES.labels("too_early").inc()
            raise TooMany(retry_after=wait)
        sends = self._may_send(connection, row, address_hash, at)
        code = rules.fresh_code()
        sealed = sealing.seal(SealedOtp(mobile=mobile, code=code, language=request.language), self._notify_key)
        session: dict[str, Any] = {
            "session_hash": self._session_hash(mobile_hash, token),
            "mobile_hash": mobile_hash,
            "address_hash": address_hash,
            "requested": [*rules.recent(requested, at), at],
            "requested_at": at,
        }
        if sends:
            expires_at = at + timedelta(seconds=self._valid_seconds)
            code_hash = self._code_hash(mobile_hash, code)
            sent = [*rules.recent(own.sent if own is not None else [], at), at]
            session |= {"code_hash": code_hash, "expires_at": expires_at, "used": False, "tries": 0, "sent": sent}
            store.record_sent(connection, mobile_hash, [*rules.recent(row.sent, at), at])
            store.forget_tries(connection, mobile_hash, address_hash)
            outbox.add(connection, OtpRequested(id=uuid4(), occurred_at=at, sealed_code=sealed, expires_at=expires_at))
        elif own is None:
            session |= {"code_hash": "", "expires_at": at}
        else:
            session |= {"code_hash": own.code_hash, "expires_at": own.expires_at}
        store.keep_session(connection, session)
        CODES.labels("sent" if sends else "not_sent").inc()
        return OtpSent(resend_after=self._limits.resend, expires_in=self._valid_seconds, otp_session=token)

    def verify_otp(self, connection: Connection, request: VerifyOtp) -> Tokens | PeygirError:
        """Tokens for a code that was sent to this mobile, once. BadCode, whatever is wrong, is returned: what it counts is to
        be committed."""
        mobile, mobile_hash = self._mobile(request.mobile)
        if not self._is_right(connection, mobile_hash, request):
            return BadCode()
        subject = Subject("citizen", store.citizen(connection, mobile_hash), mobile=mobile)
        return self._sessions.open(connection, subject, request.place)

    def delete_account(self, connection: Connection, request: DeleteCitizenAccount) -> DeletedAccount | PeygirError:
        """Forgets the citizen, ends their sessions, and publishes that no case is shown as theirs any more. NotAllowed for
        anybody but who has the account of this mobile; BadCode is returned, as above."""
        mobile, mobile_hash = self._mobile(request.mobile)
        if request.actor.kind is not ActorKind.CITIZEN:
            raise NotAllowed
        citizen_id = UUID(request.actor.id)
        if store.citizen_of(connection, mobile_hash) != citizen_id:
            raise NotAllowed
        given = VerifyOtp(
            mobile=mobile, code=request.code, address_key=request.address_key, otp_session=request.otp_session
        )
        if not self._is_right(connection, mobile_hash, given):
            return BadCode()
        store.delete_citizen(connection, citizen_id)
        end_sessions_of(connection, citizen_id, "deleted")
        outbox.add(connection, CitizenAccountDeleted(id=uuid4(), occurred_at=now(), citizen_id=citizen_id))
        return DeletedAccount()

    def prune(self, connection: Connection, at: datetime) -> int:
        """Deletes codes of yesterday; how many."""
        return store.prune(connection, at - DAY, at - rules.TRIES_FORGIVEN_AFTER)

    def _is_right(self, connection: Connection, mobile_hash: str, request: VerifyOtp) -> bool:
        store.lock_code_row(connection, mobile_hash)  # tries of one mobile wait for each other
        at = now()
        _, own = self._session(connection, mobile_hash, request.otp_session)
        sessions = store.sessions_with_codes(connection, mobile_hash)
        counter = _counter(own, self._address_hash(request.address_key), sessions, at)
        entered_hash = self._code_hash(mobile_hash, identifiers.compact_digits(request.code) or "")
        may_try = self._may_try(connection, mobile_hash, counter, own, at)
        verdict = rules.judge(_stored(sessions), entered_hash, at, may_try=may_try)
        CODES.labels(verdict.value).inc()
        if verdict is Verdict.RIGHT:
            store.spend_codes(connection, mobile_hash)
            return True
        if may_try:
            self._count(connection, mobile_hash, counter, at)
        return False

    def _mobile(self, typed: str) -> tuple[str, str]:
        """E.164 and its keyed hash; InvalidField when it is no Iranian mobile."""
        mobile = identifiers.mobile(typed)
        if mobile is None:
            raise InvalidField(fields=[{"field": "mobile", "reason": "not_a_mobile"}])
        return mobile, sealing.keyed_hash(mobile, self._index_key)

    def _may_send(self, connection: Connection, row: Row[Any], address_hash: str, at: datetime) -> bool:
        """Whether this mobile may be sent another code now, at all and on the request of this address."""
        if rules.wait_for_code(row.sent, at, self._limits):
            return False
        sessions = store.sessions_with_codes(connection, row.mobile_hash)
        sent_for_address = [
            moment for session in sessions if session.address_hash == address_hash for moment in session.sent
        ]
        return not rules.wait_for_code(sent_for_address, at, rules.limits_of_one_requester(self._limits))

    def _may_try(
        self, connection: Connection, mobile_hash: str, counter: _Counter, own: Row[Any] | None, at: datetime
    ) -> bool:
        addresses = [counter.address_hash, store.ALL_STRANGERS]
        tries = store.tries(connection, mobile_hash, addresses, at - rules.TRIES_FORGIVEN_AFTER)
        if counter.session_hash is not None and own is not None:
            return bool(own.tries < self._tries)
        if counter.is_stranger and tries.get(store.ALL_STRANGERS, 0) >= rules.STRANGER_TRIES:
            return False
        return tries.get(counter.address_hash, 0) < self._tries

    def _count(self, connection: Connection, mobile_hash: str, counter: _Counter, at: datetime) -> None:
        since = at - rules.TRIES_FORGIVEN_AFTER
        if counter.session_hash is not None:
            store.count_session_try(connection, counter.session_hash)
            return
        store.count_try(connection, mobile_hash, counter.address_hash, at, since)
        if counter.is_stranger:
            store.count_try(connection, mobile_hash, store.ALL_STRANGERS, at, since)

    def _session(self, connection: Connection, mobile_hash: str, token: str | None) -> tuple[str, Row[Any] | None]:
        """The session that was given, when it requested a code for this mobile; else the value of a new one."""
        own = store.session(connection, self._session_hash(mobile_hash, token or ""))
        return (token, own) if token and own is not None else (secrets.token_urlsafe(24), None)

    def _session_hash(self, mobile_hash: str, token: str) -> str:
        return sealing.keyed_hash(f"one-time code session:{mobile_hash}:{token}", self._key)

    def _address_hash(self, address_key: str) -> str:
        return sealing.keyed_hash(f"one-time code address:{address_key}", self._key)

    def _code_hash(self, mobile_hash: str, code: str) -> str:
        return sealing.keyed_hash(f"one-time code:{mobile_hash}:{code}", self._key)


def _counter(own: Row[Any] | None, address_hash: str, sessions: Sequence[Row[Any]], at: datetime) -> _Counter:
    """Only a session that was sent a code that is still valid counts by itself: sessions can be had without end."""
    if own is not None and own.sent and at < own.expires_at:
        return _Counter(address_hash, session_hash=own.session_hash)
    addresses_with_codes = {session.address_hash for session in sessions if at < session.expires_at}
    return _Counter(address_hash, is_stranger=address_hash not in addresses_with_codes)


def _stored(sessions: Sequence[Row[Any]]) -> list[StoredCode]:
    """The codes of a mobile, the one sent last first."""
    newest_first = sorted(sessions, key=lambda session: session.sent[-1], reverse=True)
    return [StoredCode(session.code_hash, session.expires_at, session.used) for session in newest_first]

"""One-time codes: who may be sent one, and whose tries are counted where.

Whoever asks for a code comes away with a session (an opaque value), and tries are counted by it: strangers do not use up the
tries of the one who is signing in. Who tries without the session is counted by their address. Neither the answer to asking
nor the answer to a try tells a stranger whether somebody else is signing in with this mobile just now: asking again too
early is refused only to the session itself, of its own asking; a wrong try, one too many, and one for a mobile that asked for
nothing are all BadCode.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from prometheus_client import Counter
from sqlalchemy import Connection, Row

from backbone import sealing
from backbone.messaging import outbox
from backbone.process.settings import secret
from contracts import identifiers
from contracts.accounts import OtpRequested, OtpSent, RequestOtp, SealedOtp, VerifyOtp
from contracts.base import now
from contracts.errors import InvalidField, TooMany
from services.accounts import domain, otp_store, store
from services.accounts.domain import Pace, StoredCode, Verdict
from services.accounts.settings import Settings

CODES = Counter("peygir_one_time_codes_total", "One-time codes by what became of them", ["outcome"])


@dataclass(frozen=True)
class _Try:
    """Where a wrong code is counted. `session_hash`: of the session that asked; else `asker`, an address, and `stranger`
    when nobody asked for a code from there; neither: of those who ask without a gateway."""

    session_hash: str | None = None
    asker: str | None = None
    stranger: bool = False


class OneTimeCodes:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pace = Pace(settings.otp_resend_seconds, settings.otp_per_hour, settings.otp_per_day)
        self._index_key = secret(settings.mobile_index_key)
        self._notify_key = secret(settings.notify_public_key)
        self._key = secret(settings.staff_secret_key)

    def request(self, connection: Connection, request: RequestOtp) -> OtpSent:
        """Sends a code to a mobile. TooMany to a session that asks again too early, as far as its own asking goes.

        Nobody looks whether a citizen with this mobile is known, so nothing can tell. Too early because of others is answered
        as if a code had been sent: one was, not long ago.
        """
        mobile, mobile_hash = self.mobile(request.mobile)
        row = store.claim_code_row(connection, mobile_hash)
        at = now()  # after the wait for the row
        token, own = self._session(connection, mobile_hash, request.otp_session)
        asker = self._asker_hash(request.asker)
        # Without an address, as a gateway of the release before asks, all are one.
        history = own.asked if own is not None else ([] if asker is not None else row.requested)
        wait = domain.wait_for_code(history, at, self._pace)
        if wait:
            CODES.labels("too_early").inc()
            raise TooMany(retry_after=wait)
        sends = self._may_send(connection, row, asker, at)
        code = domain.fresh_code()
        sealed = sealing.seal(SealedOtp(mobile=mobile, code=code, language=request.language), self._notify_key)
        session: dict[str, Any] = {
            "session_hash": self._session_hash(mobile_hash, token),
            "mobile_hash": mobile_hash,
            "asker_hash": asker,
            "asked": [*_lately(own.asked if own is not None else [], at), at],
            "asked_at": at,
        }
        if sends:
            expires_at = at + timedelta(seconds=self._settings.otp_seconds)
            code_hash = self._code_hash(mobile_hash, code)
            sent = [*_lately(own.sent if own is not None else [], at), at]
            session |= {"code_hash": code_hash, "expires_at": expires_at, "used": False, "tries": 0, "sent": sent}
            store.replace_code(connection, mobile_hash, code_hash, expires_at, [*_lately(row.requested, at), at])
            if asker is not None:
                otp_store.forget_tries(connection, mobile_hash, asker)
            else:
                otp_store.void_codes_of_nobody(connection, mobile_hash)
            outbox.add(connection, OtpRequested(id=uuid4(), occurred_at=at, sealed_code=sealed, expires_at=expires_at))
        elif own is None:
            session |= {"code_hash": "", "expires_at": at}
        otp_store.keep_session(connection, session)
        CODES.labels("sent" if sends else "not_sent").inc()
        return OtpSent(
            resend_after=self._settings.otp_resend_seconds, expires_in=self._settings.otp_seconds, otp_session=token
        )

    def verify(self, connection: Connection, request: VerifyOtp) -> str | None:
        """The mobile (E.164) when this is a code that was sent to it, once; None for anything else, alike."""
        mobile, mobile_hash = self.mobile(request.mobile)
        # Tries of one mobile wait for the lock of its row. Without a row nobody asked for a code.
        row = store.lock_code(connection, mobile_hash)
        at = now()
        _, own = self._session(connection, mobile_hash, request.otp_session)
        sessions = otp_store.sent_sessions(connection, mobile_hash)
        attempt = _whose(own, self._asker_hash(request.asker), sessions, at)
        told = self._code_hash(mobile_hash, identifiers.compact_digits(request.code) or "")
        may_try = self._may_try(connection, mobile_hash, attempt, own, row, at)
        verdict = domain.judge(_stored(row, sessions), told, at, may_try=may_try)
        CODES.labels(verdict.value).inc()
        if verdict is Verdict.RIGHT:
            otp_store.spend_codes(connection, mobile_hash)
            return mobile
        if may_try:
            self._count(connection, mobile_hash, attempt, at)
        return None

    def mobile(self, told: str) -> tuple[str, str]:
        """E.164 and its keyed hash; InvalidField when it is no Iranian mobile."""
        mobile = identifiers.mobile(told)
        if mobile is None:
            raise InvalidField(fields=[{"field": "mobile", "reason": "not_a_mobile"}])
        return mobile, sealing.keyed_hash(mobile, self._index_key)

    def prune(self, connection: Connection, at: datetime) -> None:
        otp_store.prune(connection, at - domain.DAY, at - domain.STRANGERS_FORGIVEN)

    def _may_send(self, connection: Connection, row: Row[Any], asker: str | None, at: datetime) -> bool:
        """Whether this mobile may be sent another code now, at all and at the wish of this address."""
        if domain.wait_for_code(row.requested, at, self._pace):
            return False
        sessions = otp_store.sent_sessions(connection, row.mobile_hash)
        by_asker = [moment for one in sessions if asker is not None and one.asker_hash == asker for moment in one.sent]
        return not domain.wait_for_code(by_asker, at, domain.share_of_one_asker(self._pace))

    def _may_try(
        self,
        connection: Connection,
        mobile_hash: str,
        attempt: _Try,
        own: Row[Any] | None,
        row: Row[Any] | None,
        at: datetime,
    ) -> bool:
        allowed = self._settings.otp_tries
        asker = attempt.asker or otp_store.EVERYBODY
        askers = [asker, otp_store.EVERYBODY]
        counted = otp_store.tries(connection, mobile_hash, askers, at - domain.STRANGERS_FORGIVEN)
        if attempt.session_hash is not None and own is not None:
            return bool(own.tries < allowed)
        if attempt.asker is None:
            return row is None or row.tries < allowed
        everybody = counted.get(otp_store.EVERYBODY, 0)
        return counted.get(asker, 0) < allowed and not (attempt.stranger and everybody >= domain.STRANGERS_TRIES)

    def _count(self, connection: Connection, mobile_hash: str, attempt: _Try, at: datetime) -> None:
        since = at - domain.STRANGERS_FORGIVEN
        if attempt.session_hash is not None:
            otp_store.count_session_try(connection, attempt.session_hash)
        elif attempt.asker is None:
            store.count_wrong_code(connection, mobile_hash)
        else:
            otp_store.count_try(connection, mobile_hash, attempt.asker, at, since)
            if attempt.stranger:
                otp_store.count_try(connection, mobile_hash, otp_store.EVERYBODY, at, since)

    def _session(self, connection: Connection, mobile_hash: str, token: str | None) -> tuple[str, Row[Any] | None]:
        """The session that was given, when it asked for a code to this mobile; else the value of a new one."""
        own = otp_store.session(connection, self._session_hash(mobile_hash, token or ""))
        return (token, own) if token and own is not None else (secrets.token_urlsafe(24), None)

    def _session_hash(self, mobile_hash: str, token: str) -> str:
        return sealing.keyed_hash(f"one-time code session:{mobile_hash}:{token}", self._key)

    def _asker_hash(self, asker: str | None) -> str | None:
        return sealing.keyed_hash(f"one-time code asker:{asker}", self._key) if asker else None

    def _code_hash(self, mobile_hash: str, code: str) -> str:
        return sealing.keyed_hash(f"one-time code:{mobile_hash}:{code}", self._key)


def _whose(own: Row[Any] | None, asker: str | None, sessions: Sequence[Row[Any]], at: datetime) -> _Try:
    """Only who was sent a code that is still good counts by themselves: sessions can be had without end."""
    if own is not None and own.sent and at < own.expires_at:
        return _Try(session_hash=own.session_hash)
    live = {row.asker_hash for row in sessions if at < row.expires_at}
    return _Try(asker=asker, stranger=asker is not None and asker not in live)


def _stored(row: Row[Any] | None, sessions: Sequence[Row[Any]]) -> list[StoredCode]:
    """The codes of a mobile, the newest first. The row's own is one of a session, or was sent by a release before."""
    sent = [StoredCode(one.code_hash, one.expires_at, one.used) for one in sessions]
    if row is None or row.expires_at is None:
        return sent
    newest = StoredCode(row.code_hash, row.expires_at, row.used)
    return [newest, *(one for one in sent if one.code_hash != newest.code_hash)]


def _lately(moments: Sequence[datetime], at: datetime) -> list[datetime]:
    return [moment for moment in moments if at - moment < domain.DAY]

"""Attempts of staff to sign in: what is counted by what, so that guessing is slow and nobody keeps an account locked.

| counted by | after | then |
| --- | --- | --- |
| user name and address | 5 wrong ones in a row | that address rests with that name: 15 s, doubling to 15 minutes; or works |
| device | 5 wrong ones in a row | that device rests, alike |
| user name, from devices that never signed in | 50 in a row | one attempt each 2 s, doubling to 30 s |
| user name, right password, wrong one-time password | 10 within an hour | none of a device that never signed in is right |

A device that signed in before shows the token it got then; what others did wrong under its account does not concern it.
Known and unknown user names are counted and answered alike.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from prometheus_client import Counter
from sqlalchemy import Connection, Row

from backbone import sealing
from backbone.messaging import outbox
from contracts.accounts import SignInFailuresNoted
from contracts.base import now
from contracts.errors import TooMany
from services.accounts import domain, store

SIGN_INS = Counter("peygir_staff_sign_ins_total", "Sign-ins of staff", ["outcome"])
_VERSION = "d1"


class Devices:
    """Tokens of devices that signed in: `d1.<device>.<epoch seconds>.<HMAC>`, over the account and its password's hash, so
    that they end with a reset of its credentials. Nothing is stored."""

    def __init__(self, key: bytes, days: int) -> None:
        self._key, self._kept = key, timedelta(days=days)

    def token(self, staff_id: UUID, password_hash: str, device: str | None) -> str:
        """A fresh one; `device`: the one that signed in, None when it never did before."""
        line = f"{_VERSION}.{device or secrets.token_urlsafe(12)}.{int(now().timestamp())}"
        return f"{line}.{self._mac(line, staff_id, password_hash)}"

    def read(self, token: str | None, staff_id: UUID, password_hash: str) -> str | None:
        """The device whose token of this account this is; None when it is not, or not any more."""
        line, _, mac = (token or "").rpartition(".")
        # The same work with and without a token, and for an account that nobody has.
        if not hmac.compare_digest(mac.encode(), self._mac(line, staff_id, password_hash).encode()):
            return None
        _, device, made = line.split(".")
        fresh = now() - datetime.fromtimestamp(int(made), tz=now().tzinfo) < self._kept
        return device if fresh else None

    def _mac(self, line: str, staff_id: UUID, password_hash: str) -> str:
        return sealing.keyed_hash(f"device:{staff_id}:{password_hash}:{line}", self._key)


@dataclass(frozen=True)
class Attempt:
    """One attempt, counted as a failure until it is shown to be none. `lane`: what it is counted by besides its account."""

    username: str
    lane: str
    device: str | None
    failures: int


class Attempts:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def begin(
        self, connection: Connection, username: str, asker: str | None, device: str | None, *, worked: bool = False
    ) -> Attempt:
        """Counts an attempt before it is checked, so that many at once gain nothing. TooMany while its lane rests: an
        address's does not for who has `worked`."""
        if device is not None:
            lane = self._hash(f"device:{device}")
        else:
            lane = self._hash(f"username:{username}" if asker is None else f"username:{username}\0{asker}")
        failures = self._count(connection, lane, domain.block_after, work_passes=device is None, worked=worked)
        if device is None:
            failures = max(failures, self._count(connection, self._account(username), domain.pause_after))
        return Attempt(username, lane, device, failures)

    def succeeded(self, connection: Connection, attempt: Attempt) -> None:
        """Forgets what was wrong before, of this lane and, where it was none of the known devices, of the account."""
        store.forget_attempts(connection, attempt.lane)
        if attempt.device is None:
            store.forget_attempts(connection, self._account(attempt.username))
            store.forget_attempts(connection, self._second_factor(attempt.username))

    def failed(self, connection: Connection, attempt: Attempt, row: Row[Any] | None, *, password_fits: bool) -> None:
        """Tells the account's owner, once a day, and counts what only who has the password can do wrong."""
        if attempt.device is None and password_fits:
            self._count(connection, self._second_factor(attempt.username), lambda _: timedelta(0), domain.HOUR)
        if attempt.failures < domain.TOLD_AFTER:
            return
        key, at = self._hash(f"told:{attempt.username}"), now()
        told = store.claim_attempts(connection, key, at)
        if told.failures and at - told.last_at < domain.DAY:
            return
        store.count_attempt(connection, key, attempt.failures, at, at)
        if row is not None and row.active:
            event = SignInFailuresNoted(id=uuid4(), occurred_at=at, staff_id=row.staff_id, failures=attempt.failures)
            outbox.add(connection, event)

    def second_factor_rests(self, connection: Connection, attempt: Attempt) -> bool:
        """True when this account's one-time password was guessed at too often, by somebody who has the password."""
        if attempt.device is not None:
            return False
        at = now()
        row = store.claim_attempts(connection, self._second_factor(attempt.username), at)
        return bool(row.failures >= domain.SECOND_FACTOR_TRIES and at - row.last_at < domain.HOUR)

    def _count(
        self,
        connection: Connection,
        key: str,
        rest: Callable[[int], timedelta],
        forgiven: timedelta = domain.FORGIVEN_AFTER,
        *,
        work_passes: bool = False,
        worked: bool = False,
    ) -> int:
        row = store.claim_attempts(connection, key, now())
        at = now()  # after the wait for the row, or an attempt that came together with another would look too early
        if row.blocked_until > at and not (work_passes and worked):
            SIGN_INS.labels("blocked").inc()
            more = {"work_passes": True} if work_passes else {}
            raise TooMany(retry_after=domain.seconds_until(row.blocked_until, at), **more)
        failures = (row.failures if at - row.last_at < forgiven else 0) + 1
        store.count_attempt(connection, key, failures, at + rest(failures), at)
        return int(failures)

    def _account(self, username: str) -> str:
        return self._hash(f"account:{username}")

    def _second_factor(self, username: str) -> str:
        return self._hash(f"second factor:{username}")

    def _hash(self, text: str) -> str:
        return sealing.keyed_hash(text, self._key)

"""Attempts of staff to sign in: what is counted by what, so that guessing is slow and nobody keeps an account locked.

| counted by | after | then |
| --- | --- | --- |
| user name and address | 5 failures in a row | that address is blocked with that name: 15 s, doubling to 15 minutes; or works |
| device | 5 failures in a row | that device is blocked, alike |
| user name, from devices that never signed in | 50 in a row | one attempt each 2 s, doubling to 30 s |
| user name, right password, wrong one-time password | 10 within an hour | none of a device that never signed in is right |

A device that signed in before shows the token it got then; failures of others with its account do not concern it.
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
from services.accounts.rules import DAY, HOUR, seconds_until
from services.accounts.staff import rules, store

SIGN_INS = Counter("peygir_staff_sign_ins_total", "Sign-ins of staff", ["outcome"])
_VERSION = "d1"


class DeviceTokens:
    """Tokens of devices that signed in: `d1.<device>.<epoch seconds>.<HMAC>`, over the account and its password's hash, so
    that they end with a reset of its credentials. Nothing is stored."""

    def __init__(self, key: bytes, days: int) -> None:
        self._key, self._valid = key, timedelta(days=days)

    def issue(self, staff_id: UUID, password_hash: str, device: str | None) -> str:
        """A fresh one; `device`: the one that signed in, None when it never did before."""
        line = f"{_VERSION}.{device or secrets.token_urlsafe(12)}.{int(now().timestamp())}"
        return f"{line}.{self._mac(line, staff_id, password_hash)}"

    def read(self, token: str | None, staff_id: UUID, password_hash: str) -> str | None:
        """The device whose token of this account this is; None when it is not, or not any more."""
        line, _, mac = (token or "").rpartition(".")
        # The same work with and without a token, and for an account that nobody has.
        if not hmac.compare_digest(mac.encode(), self._mac(line, staff_id, password_hash).encode()):
            return None
        _, device, issued = line.split(".")
        is_valid = now() - datetime.fromtimestamp(int(issued), tz=now().tzinfo) < self._valid
        return device if is_valid else None

    def _mac(self, line: str, staff_id: UUID, password_hash: str) -> str:
        return sealing.keyed_hash(f"device:{staff_id}:{password_hash}:{line}", self._key)


def of_session(session_id: UUID) -> str:
    """What guessing inside a session is counted by, as if it were a device: nobody outside of it is held up by it."""
    return f"session:{session_id}"


@dataclass(frozen=True)
class Attempt:
    """One attempt, counted as a failure until it is shown to be none. `counter`: the key of what it is counted by besides its
    account."""

    username: str
    counter: str
    device: str | None
    failures: int


class SignInAttempts:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def begin(
        self, connection: Connection, username: str, address_key: str, device: str | None, *, worked: bool = False
    ) -> Attempt:
        """Counts an attempt before it is checked, so that many at once gain nothing. TooMany while its counter is blocked;
        that of an address is not for who has `worked`."""
        sender = f"device:{device}" if device is not None else f"username:{username}\0{address_key}"
        counter = self._hash(sender)
        failures = self._count(connection, counter, rules.block_after, work_passes=device is None, worked=worked)
        if device is None:
            failures = max(failures, self._count(connection, self._account(username), rules.pause_after))
        return Attempt(username, counter, device, failures)

    def succeeded(self, connection: Connection, attempt: Attempt) -> None:
        """Forgets the failures before, of this counter and, where it was none of the known devices, of the account."""
        store.forget_attempts(connection, attempt.counter)
        if attempt.device is None:
            store.forget_attempts(connection, self._account(attempt.username))
            store.forget_attempts(connection, self._second_factor(attempt.username))

    def failed(self, connection: Connection, attempt: Attempt, row: Row[Any] | None, *, password_fits: bool) -> None:
        """Notifies the account's owner, once a day, and counts what only who has the password can do wrong."""
        if attempt.device is None and password_fits:
            self._count(connection, self._second_factor(attempt.username), lambda _: timedelta(0), HOUR)
        if attempt.failures < rules.OWNER_NOTIFIED_FROM:
            return
        key, at = self._hash(f"owner notified:{attempt.username}"), now()
        notified = store.claim_attempts(connection, key, at)
        if notified.failures and at - notified.last_at < DAY:
            return
        store.count_attempt(connection, key, attempt.failures, at, at)
        if row is not None and row.active:
            event = SignInFailuresNoted(id=uuid4(), occurred_at=at, staff_id=row.staff_id, failures=attempt.failures)
            outbox.add(connection, event)

    def second_factor_is_blocked(self, connection: Connection, attempt: Attempt) -> bool:
        """True when this account's one-time password was guessed at too often, by somebody who has the password."""
        if attempt.device is not None:
            return False
        at = now()
        row = store.claim_attempts(connection, self._second_factor(attempt.username), at)
        return bool(row.failures >= rules.SECOND_FACTOR_TRIES and at - row.last_at < HOUR)

    def prune(self, connection: Connection, at: datetime) -> int:
        """Deletes forgiven attempts; how many."""
        return store.prune_attempts(connection, at - rules.FORGIVEN_AFTER)

    def _count(
        self,
        connection: Connection,
        key: str,
        pause: Callable[[int], timedelta],
        forgiven: timedelta = rules.FORGIVEN_AFTER,
        *,
        work_passes: bool = False,
        worked: bool = False,
    ) -> int:
        row = store.claim_attempts(connection, key, now())
        at = now()  # after the wait for the row, or an attempt that came together with another would look too early
        if row.blocked_until > at and not (work_passes and worked):
            SIGN_INS.labels("blocked").inc()
            more = {"work_passes": True} if work_passes else {}
            raise TooMany(retry_after=seconds_until(row.blocked_until, at), **more)
        failures = (row.failures if at - row.last_at < forgiven else 0) + 1
        store.count_attempt(connection, key, failures, at + pause(failures), at)
        return int(failures)

    def _account(self, username: str) -> str:
        return self._hash(f"account:{username}")

    def _second_factor(self, username: str) -> str:
        return self._hash(f"second factor:{username}")

    def _hash(self, text: str) -> str:
        return sealing.keyed_hash(text, self._key)

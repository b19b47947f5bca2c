"""The rules of staff accounts, and of how often signing in to one may be tried."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from contracts.vocabulary import Role
from services.accounts.rules import DAY

# --- failed sign-ins ---

FREE_FAILURES = 5
"""Failed sign-ins that cost no waiting."""
FIRST_BLOCK, LONGEST_BLOCK = timedelta(seconds=15), timedelta(minutes=15)
FORGIVEN_AFTER = DAY
"""Failed sign-ins are forgotten when none came for so long."""
OWNER_NOTIFIED_FROM = 5
"""Failed sign-ins in a row of which the account's owner is notified, at most once a day."""
SECOND_FACTOR_TRIES = 10
"""Wrong one-time passwords within an hour, with the right password, from devices that never signed in: whoever tries has the
password, and three of a million one-time passwords fit."""
PAUSE_FROM, PAUSE_DOUBLES_EACH = 50, 25
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(seconds=30)


def block_after(failures: int) -> timedelta:
    """How long a user name is blocked after so many failed sign-ins in a row: not for five, then doubling to 15 minutes."""
    if failures < FREE_FAILURES:
        return timedelta(0)
    doublings: int = 2 ** min(failures - FREE_FAILURES, 20)
    return min(FIRST_BLOCK * doublings, LONGEST_BLOCK)


def pause_after(failures: int) -> timedelta:
    """How long an account takes no attempt of a device that never signed in, after so many failed ones in a row from all
    addresses together: guessing from many addresses becomes slow, and nobody is kept out for long."""
    if failures < PAUSE_FROM:
        return timedelta(0)
    doublings: int = 2 ** min((failures - PAUSE_FROM) // PAUSE_DOUBLES_EACH, 20)
    return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)


# --- accounts ---


@dataclass(frozen=True)
class Member:
    """A member of staff as others know them. `display_name` names a role or a workplace, never a person."""

    display_name: str
    roles: tuple[Role, ...]
    unit: str | None
    active: bool = True


_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,49}")


def username_form(typed: str) -> str:
    """The form in which user names are stored and compared."""
    return unicodedata.normalize("NFKC", typed).strip().casefold()


def password_form(typed: str) -> bytes:
    """The bytes of a password, the same whatever keyboard composed them."""
    return unicodedata.normalize("NFKC", typed).encode()


def wrong_with_username(username: str) -> str | None:
    """A stable word for what is wrong with a new user name, in its `username_form`; None when nothing is."""
    return None if _USERNAME.fullmatch(username) else "string_pattern_mismatch"


def wrong_with_member(display_name: str, roles: Sequence[Role], unit: str | None) -> Iterator[dict[str, str]]:
    """What is wrong with a member of staff, as the `fields` of an error."""
    if not any(map(_is_visible, display_name)):
        yield {"field": "display_name", "reason": "missing"}
    if any(unicodedata.category(letter) in ("Cc", "Cs") or letter in "\u202d\u202e" for letter in display_name):
        yield {"field": "display_name", "reason": "forbidden_characters"}
    if not roles:
        yield {"field": "roles", "reason": "missing"}
    if len(set(roles)) != len(roles):
        yield {"field": "roles", "reason": "twice"}
    if Role.LIAISON in roles and unit is None:  # for whose unit would they answer?
        yield {"field": "unit", "reason": "missing"}


def _is_visible(letter: str) -> bool:
    """It leaves a mark where it is printed: no space, accent, mark of direction or filler."""
    return unicodedata.category(letter)[0] in "LNPS" and letter not in "\u115f\u1160\u2800\u3164\uffa0"

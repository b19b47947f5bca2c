"""The rules of signing in, and of the staff. Imports the standard library and contracts alone."""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from contracts.vocabulary import TWO_ADMINISTRATOR_ROLES, Role

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

FREE_FAILURES = 5
"""Wrong sign-ins that cost no waiting."""
FIRST_BLOCK, LONGEST_BLOCK = timedelta(seconds=15), timedelta(minutes=15)
FORGIVEN_AFTER = DAY
"""Wrong sign-ins are forgotten when none came for so long."""


# --- one-time codes ---


def fresh_code() -> str:
    """Six digits, each code as likely as any other."""
    return f"{secrets.randbelow(1_000_000):06d}"


@dataclass(frozen=True)
class Pace:
    """How often one mobile may be sent a code; `resend` in seconds."""

    resend: int
    per_hour: int
    per_day: int


def wait_for_code(requested: Sequence[datetime], at: datetime, pace: Pace) -> int:
    """Seconds until this mobile may be sent another code; 0: now. `requested`: when it was sent the last ones."""
    past = sorted(requested)
    free_at = [at]
    if past:
        free_at.append(past[-1] + timedelta(seconds=pace.resend))
    for limit, span in ((pace.per_hour, HOUR), (pace.per_day, DAY)):
        if len(past) >= limit:
            free_at.append(past[-limit] + span)
    return seconds_until(max(free_at), at)


def seconds_until(moment: datetime, at: datetime) -> int:
    """Whole seconds, rounded up; 0 when it has passed."""
    left = (moment - at).total_seconds()
    return max(0, -int(-left // 1))


def share_of_one_asker(pace: Pace) -> Pace:
    """How often one mobile may be sent a code at the wish of one address: never all of it, so that a stranger who asks for
    codes again and again does not keep its owner from getting one."""
    return Pace(resend=0, per_hour=max(1, pace.per_hour - 1), per_day=max(1, pace.per_day - 3))


STRANGERS_TRIES = 10
"""Wrong codes within `STRANGERS_FORGIVEN` that may be told for one mobile by all who did not ask for any."""
STRANGERS_FORGIVEN = HOUR
LIVE_CODES = 3
"""How many of the codes sent to one mobile, by the wish of different people, are good at a time: the newest."""


@dataclass(frozen=True)
class StoredCode:
    """What is kept of a code that was sent."""

    code_hash: str
    expires_at: datetime
    used: bool


class Verdict(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    TRIED_TOO_OFTEN = "tried_too_often"
    VOID = "void"  # expired, used, or none was sent: as good as wrong


def judge(stored: Sequence[StoredCode], told_hash: str, at: datetime, *, may_try: bool) -> Verdict:
    """What a code told is worth: each is compared alike, whatever else is wrong with it. `stored`: the newest first."""
    compared = [*stored[:LIVE_CODES], *[None] * (LIVE_CODES - len(stored))]
    equal = [hmac.compare_digest(one.code_hash if one else "0" * 64, told_hash) for one in compared]
    live = [one is not None and not one.used and at < one.expires_at for one in compared]
    if not may_try:
        return Verdict.TRIED_TOO_OFTEN
    if not any(live):
        return Verdict.VOID
    return Verdict.RIGHT if any(same and good for same, good in zip(equal, live, strict=True)) else Verdict.WRONG


# --- staff ---


def block_after(failures: int) -> timedelta:
    """How long a user name rests after so many wrong sign-ins in a row: nothing for five, then doubling to 15 minutes."""
    if failures < FREE_FAILURES:
        return timedelta(0)
    doublings: int = 2 ** min(failures - FREE_FAILURES, 20)
    return min(FIRST_BLOCK * doublings, LONGEST_BLOCK)


TOLD_AFTER = 5
"""Wrong sign-ins in a row of which the account's owner is told, at most once a day."""
SECOND_FACTOR_TRIES = 10
"""Wrong one-time passwords within an hour, with the right password, from devices that never signed in: whoever tries has the
password, and three of a million one-time passwords fit."""
PAUSE_FROM, PAUSE_DOUBLES_EACH = 50, 25
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(seconds=30)


def pause_after(failures: int) -> timedelta:
    """How long an account takes no attempt of a device that never signed in, after so many wrong ones in a row from all
    addresses together: guessing from many addresses becomes slow, and nobody is kept out for long."""
    if failures < PAUSE_FROM:
        return timedelta(0)
    doublings: int = 2 ** min((failures - PAUSE_FROM) // PAUSE_DOUBLES_EACH, 20)
    return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)


def username_form(typed: str) -> str:
    """The form in which user names are stored and compared."""
    return unicodedata.normalize("NFKC", typed).strip().casefold()


def password_form(typed: str) -> bytes:
    """The bytes of a password, the same whatever keyboard composed them."""
    return unicodedata.normalize("NFKC", typed).encode()


_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,49}")


def wrong_with_username(username: str) -> str | None:
    """A stable word for what is wrong with a new user name, in its `username_form`; None when nothing is."""
    return None if _USERNAME.fullmatch(username) else "string_pattern_mismatch"


def wrong_with_member(display_name: str, roles: Sequence[Role], unit: str | None) -> Iterator[dict[str, str]]:
    """What is wrong with a member of staff, as the `fields` of an error."""
    if not any(map(_is_seen, display_name)):
        yield {"field": "display_name", "reason": "missing"}
    if any(unicodedata.category(letter) in ("Cc", "Cs") or letter in "\u202d\u202e" for letter in display_name):
        yield {"field": "display_name", "reason": "forbidden_characters"}
    if not roles:
        yield {"field": "roles", "reason": "missing"}
    if len(set(roles)) != len(roles):
        yield {"field": "roles", "reason": "twice"}
    if Role.LIAISON in roles and unit is None:  # for whose unit would they answer?
        yield {"field": "unit", "reason": "missing"}


def _is_seen(letter: str) -> bool:
    """It leaves a mark where it is printed: no space, accent, mark of direction or filler."""
    return unicodedata.category(letter)[0] in "LNPS" and letter not in "\u115f\u1160\u2800\u3164\uffa0"


@dataclass(frozen=True)
class Member:
    """A member of staff as others know them. `display_name` names a role or a desk, never a person."""

    display_name: str
    roles: tuple[Role, ...]
    unit: str | None
    active: bool = True


# --- what takes two administrators (DOMAIN: The people) ---


def sensitive_roles(member: Member | None) -> frozenset[Role]:
    """Those of the account's roles, in force or not, that take two administrators."""
    return TWO_ADMINISTRATOR_ROLES & frozenset(member.roles) if member is not None else frozenset()


def sensitive_roles_in_force(member: Member | None) -> frozenset[Role]:
    """The same, none for a closed account."""
    return sensitive_roles(member) if member is not None and member.active else frozenset()


def needs_two_administrators(before: Member | None, after: Member) -> bool:
    """Whether a new account (`before` None) or a change grants a sensitive role, opening a closed account included, or extends
    what an account with one may do: by another role, or by another unit, which decides whose cases it sees."""
    had = sensitive_roles_in_force(before) if after.active else sensitive_roles(before)
    if sensitive_roles(after) - had:
        return True
    if before is None or not sensitive_roles_in_force(after):
        return False
    return bool(set(after.roles) - set(before.roles)) or after.unit != before.unit


def renews_credentials(before: Member | None, after: Member) -> bool:
    """Whether an account without a sensitive role comes to have one. Whoever made the account, or reset it, alone, may know how
    to sign in with it."""
    return bool(sensitive_roles_in_force(after)) and not sensitive_roles_in_force(before)


def may_be_done_on_the_server(before: Member | None, after: Member, other_administrators: int) -> bool:
    """Whether a command on the server may do, alone, what takes two administrators: only make or mend an administrator, and
    only while there are fewer than two others who could. `after` equal to `before`: new credentials."""
    return sensitive_roles(after) | sensitive_roles(before) <= {Role.ADMINISTRATOR} and other_administrators < 2


# --- tokens ---

ACCESS_SECONDS_MOST = 15 * 60
"""No access token lives longer: the gateway remembers for so long which sessions have ended."""


class Use(Enum):
    FIRST = "first"
    AGAIN = "again"  # the same refresh, whose answer was lost
    STOLEN = "stolen"


def use_of(used_at: datetime | None, successor_used: bool, at: datetime, grace: int) -> Use:
    """What it means that a refresh token came. `grace` in seconds.

    A second time within the grace is a retry, unless its successor was used: whoever holds that has had the answer.
    """
    if used_at is None:
        return Use.FIRST
    return Use.AGAIN if not successor_used and at - used_at <= timedelta(seconds=grace) else Use.STOLEN

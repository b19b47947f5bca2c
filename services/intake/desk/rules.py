"""Who may correct what an operator filed, and when somebody without their code is believed to be its citizen. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.desk import LostCodeAnswers
from contracts.errors import NotAllowed, UnknownCase
from contracts.gateway import Actor, Identity
from contracts.vocabulary import ActorKind, Kind, Role

TEHRAN = ZoneInfo("Asia/Tehran")
LAST_DIGITS = 4
QUESTIONS_NEEDED = 2
TRIES_OF_CASE, CASE_WINDOW = 3, timedelta(days=1)
"""Wrong tries for one case, by whomever, after which nobody may try for a while."""
TRIES_OF_PERSON, PERSON_WINDOW = 10, timedelta(hours=1)
"""The same of one member of staff, whichever cases they try."""


def last_digits(mobile: str | None) -> str | None:
    """By which an operator finds what they filed, and a citizen shows that a mobile is theirs."""
    return mobile[-LAST_DIGITS:] if mobile else None


def require_filer(actor: Actor, filed_by: str | None) -> None:
    """The operator who filed it, or a head. UnknownCase for what no operator filed, or another one did."""
    if actor.kind is not ActorKind.STAFF or not actor.roles & {Role.OPERATOR, Role.HEAD}:
        raise NotAllowed
    if filed_by is None or (Role.HEAD not in actor.roles and filed_by != actor.id):
        raise UnknownCase


@dataclass(frozen=True)
class HeldFacts:
    """What a case holds of what its citizen may be asked. None, or no unit at all: nobody can answer that."""

    national_id: str | None
    mobile_digits: str | None
    filed_on: date
    units: frozenset[str]
    ground: str


def held_facts(
    kind: Kind, identity: Identity | None, filed_at: datetime, units: Collection[str], ground: str
) -> HeldFacts:
    """Of a report of wrongdoing nothing about the person counts: a right answer would tell who filed it."""
    person = None if kind is Kind.INFORMATION else identity
    return HeldFacts(
        national_id=person.national_id if person else None,
        mobile_digits=last_digits(person.mobile) if person else None,
        filed_on=filed_at.astimezone(TEHRAN).date(),
        units=frozenset(units),
        ground=ground,
    )


def is_confirmed(answers: LostCodeAnswers, facts: HeldFacts) -> bool:
    """Whether two questions at least were answered, and each answer is right."""
    checks = (
        (answers.national_id, answers.national_id == facts.national_id),
        (answers.mobile_digits, answers.mobile_digits == facts.mobile_digits),
        (answers.filed_on, answers.filed_on == facts.filed_on),
        (answers.unit, answers.unit in facts.units),
        (answers.ground, answers.ground == facts.ground),
    )
    given = [right for answer, right in checks if answer is not None]
    return len(given) >= QUESTIONS_NEEDED and all(given)


def seconds_to_wait(wrong: Sequence[datetime], at: datetime, tries: int, window: timedelta) -> int:
    """Until another try is allowed after these wrong ones; 0: now."""
    recent = sorted(moment for moment in wrong if at - moment < window)
    if len(recent) < tries:
        return 0
    return max(1, int((recent[-tries] + window - at).total_seconds()))

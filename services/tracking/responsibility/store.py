"""Queries on what somebody has who may not have it any more, a line of comment each. What another process holds is left to it:
these are looked for again until there are none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    and_,
    any_,
    cast,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.exc import IntegrityError

from backbone.storage.writes import Write, given
from contracts.units import UnitTree
from contracts.vocabulary import Role
from services.tracking.case.lifecycle import Case
from services.tracking.case.record import EffectWriter, EffectWriters, Recorded
from services.tracking.case.store import CASE_COLUMNS, case_of
from services.tracking.models import cases, questions, staff, visit_slots, visits
from services.tracking.reference.store import Member, member_of_row
from services.tracking.responsibility.rules import MissingLiaisonReported, RemindersHandedOver
from services.tracking.row_conditions import IN_HAND
from services.tracking.visits.rules import BOOKED, TAKES_A_PLACE

_BOOKED = sorted(BOOKED)
_WAITS = and_(questions.c.unit.is_not(None), questions.c.answered_at.is_(None), questions.c.lapsed_at.is_(None))


@dataclass(frozen=True)
class Unsettled:
    """A member of staff as they are now, and who was named to take over."""

    member: Member
    successor: UUID | None


def unsettled(connection: Connection) -> list[Unsettled]:
    """The members of staff who were changed lately, or all since the tree of units was."""
    rows = connection.execute(select(staff).where(staff.c.unsettled_until.is_not(None)))
    return [Unsettled(member_of_row(row), row.successor) for row in rows]


def look_at_all(connection: Connection) -> None:
    """All of the staff are looked at again, whatever has changed or not."""
    connection.execute(update(staff).where(staff.c.unsettled_until.is_(None)).values(unsettled_until=func.now()))


def settle(connection: Connection, staff_ids: Collection[UUID]) -> None:
    """They have nothing that they may not have, and no command of before their change is at work any more."""
    chosen = update(staff).where(staff.c.staff_id.in_(staff_ids), staff.c.unsettled_until <= func.now())
    connection.execute(chosen.values(unsettled_until=None))


def lock_held(
    connection: Connection, gone: Collection[UUID], avoided: Mapping[UUID, Collection[str]], limit: int
) -> list[Case]:
    """Open cases of handlers who handle none any more (`gone`), or none about these units (`avoided`), locked."""
    conditions: list[ColumnElement[bool]] = []
    if gone:
        conditions.append(cases.c.handler == any_(literal(list(gone), ARRAY(PG_UUID))))
    conditions += [
        and_(cases.c.handler == handler, cases.c.unit.in_(sorted(units))) for handler, units in avoided.items() if units
    ]
    if not conditions:
        return []
    chosen = select(*CASE_COLUMNS).where(IN_HAND, or_(*conditions)).order_by(cases.c.case_id).limit(limit)
    return [case_of(row) for row in connection.execute(chosen.with_for_update(skip_locked=True))]


# --- slots and visits ---


def slots_of_leavers(connection: Connection, gone: Collection[UUID], at: datetime, limit: int) -> list[UUID]:
    """The slots to come of these, the next first; not locked."""
    chosen = select(visit_slots.c.slot_id).where(
        visit_slots.c.inspector.in_(gone), visit_slots.c.closed.is_(False), visit_slots.c.starts_at > at
    )
    return list(connection.execute(chosen.order_by(visit_slots.c.starts_at).limit(limit)).scalars())


def lock_cases_of_slot(connection: Connection, slot_id: UUID) -> list[Case] | None:
    """The cases with a booked visit in this slot, locked; None while another process holds one of them."""
    ids = _booked_in(connection, slot_id)
    chosen = select(*CASE_COLUMNS).where(cases.c.case_id.in_(ids)).order_by(cases.c.case_id)
    locked = [case_of(row) for row in connection.execute(chosen.with_for_update(skip_locked=True))]
    return locked if len(locked) == len(ids) else None


def _booked_in(connection: Connection, slot_id: UUID) -> set[UUID]:
    chosen = select(visits.c.case_id).where(visits.c.slot_id == slot_id, visits.c.state.in_(_BOOKED))
    return set(connection.execute(chosen).scalars())


def lock_slot_with(connection: Connection, slot_id: UUID, case_ids: Collection[UUID]) -> bool:
    """The slot, locked; False when others than these cases have a visit there by now."""
    connection.execute(select(visit_slots.c.slot_id).where(visit_slots.c.slot_id == slot_id).with_for_update())
    return _booked_in(connection, slot_id) == set(case_ids)


def give_slot(connection: Connection, slot_id: UUID, inspector: UUID) -> bool:
    """Another inspector has this slot; False, and nothing changed, when they have another one at its time."""
    try:
        with connection.begin_nested():
            connection.execute(update(visit_slots).where(visit_slots.c.slot_id == slot_id).values(inspector=inspector))
    except IntegrityError:
        return False
    return True


def give_slot_of_one(connection: Connection, slot_id: UUID, inspector: UUID) -> bool:
    """The same when there is but one visit in it."""
    connection.execute(select(visit_slots.c.slot_id).where(visit_slots.c.slot_id == slot_id).with_for_update())
    places = select(func.count()).where(visits.c.slot_id == slot_id, visits.c.state.in_(sorted(TAKES_A_PLACE)))
    return connection.execute(places).scalar_one() == 1 and give_slot(connection, slot_id, inspector)


def lock_booked_on(connection: Connection, days: Iterable[date], at: datetime, limit: int) -> list[Case]:
    """Cases with a visit to come on one of these days, locked."""
    day = cast(func.timezone("Asia/Tehran", visit_slots.c.starts_at), Date)
    booked = (
        select(visits.c.case_id)
        .select_from(visits.join(visit_slots, visit_slots.c.slot_id == visits.c.slot_id))
        .where(visits.c.state.in_(_BOOKED), visit_slots.c.starts_at > at, day.in_(sorted(days)))
    )
    chosen = select(*CASE_COLUMNS).where(cases.c.case_id.in_(booked)).order_by(cases.c.case_id).limit(limit)
    return [case_of(row) for row in connection.execute(chosen.with_for_update(skip_locked=True))]


# --- questions to units ---


def answered_units(connection: Connection, tree: UnitTree) -> frozenset[str]:
    """The units that a liaison answers for: their own and all below it."""
    chosen = select(staff.c.unit).where(staff.c.active, staff.c.roles.contains([str(Role.LIAISON)])).distinct()
    units = connection.execute(chosen.where(staff.c.unit.is_not(None))).scalars()
    return frozenset(code for unit in units for code in tree.below(unit))


def note_liaisons(connection: Connection, answered: Collection[str]) -> None:
    """Somebody answers for these units again: should they leave, that is reported anew."""
    chosen = update(questions).where(_WAITS, questions.c.liaison_missing, questions.c.unit.in_(sorted(answered)))
    connection.execute(chosen.values(liaison_missing=False))


def unanswered(connection: Connection, answered: Collection[str], limit: int) -> Sequence[tuple[UUID, UUID, str]]:
    """Questions that wait for a unit which nobody answers for, and of which that was not reported: case, question, unit."""
    chosen = select(questions.c.case_id, questions.c.question_id, questions.c.unit).where(
        _WAITS, ~questions.c.liaison_missing, questions.c.unit.not_in(sorted(answered))
    )
    return [tuple(row) for row in connection.execute(chosen.order_by(questions.c.question_id).limit(limit))]


def lock_unless_held(connection: Connection, case_id: UUID) -> Case | None:
    """The case, locked; None while somebody else holds it."""
    chosen = select(*CASE_COLUMNS).where(cases.c.case_id == case_id)
    row = connection.execute(chosen.with_for_update(skip_locked=True)).first()
    return None if row is None else case_of(row)


# --- what changes do ---

_HAND_OVER = """
UPDATE reminders SET staff_id = given.successor FROM json_to_recordset({rows}) AS given(case_id uuid, leaver uuid, successor uuid)
WHERE reminders.case_id = given.case_id AND reminders.staff_id = given.leaver AND NOT reminders.reminded
"""
_REPORT = f"UPDATE questions SET liaison_missing = true FROM {given(questions)} WHERE questions.question_id = given.question_id"


def _hand_over(effect: RemindersHandedOver, recorded: Recorded) -> list[Write]:
    return [
        Write(_HAND_OVER, [{"case_id": recorded.case.case_id, "leaver": effect.leaver, "successor": effect.successor}])
    ]


def _report(effect: MissingLiaisonReported, recorded: Recorded) -> list[Write]:
    return [Write(_REPORT, [{"question_id": effect.question_id}])]


EFFECT_WRITERS: EffectWriters = {
    RemindersHandedOver: EffectWriter(_hand_over),
    MissingLiaisonReported: EffectWriter(_report),
}

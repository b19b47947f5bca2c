"""What the commands of screening are judged by."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from backbone.storage.writes import Write
from contracts.tracking import Assign, Correct
from contracts.vocabulary import Role
from services.tracking.case.facts import FactsLoader, FactsLoaders, FactsPart, FactsQuery, loaded_as
from services.tracking.case.json_queries import json_object
from services.tracking.case.record import EffectWriter, EffectWriters, Recorded, ViewParts
from services.tracking.reference import store as reference_store
from services.tracking.screening import workload
from services.tracking.screening.rules import AssignmentFacts, CorrectionFacts, UnitCorrected


def _correction_facts(read: dict[str, Any], command: Correct, about: FactsQuery) -> CorrectionFacts:
    kinds, handler = read["kinds"], reference_store.member_of_json(read["handler"])
    tree, unit = about.city.tree, command.unit
    conflicted = handler is not None and tree.has_conflict_of_interest(handler.unit, unit)
    liaison = unit is not None and not tree.above(unit).isdisjoint(read["liaisons"] or ())
    return CorrectionFacts(about.city.unit(unit), None if kinds is None else frozenset(kinds), conflicted, liaison)


_CORRECTION = FactsPart(
    json_object(
        kinds=reference_store.kinds_part("ground"),
        handler=reference_store.handler_part(),
        liaisons=reference_store.liaisons_part(),
    ),
    lambda command: {"ground": command.ground},
    _correction_facts,
)


def _assignment_facts(member: dict[str, Any] | None, command: Assign, about: FactsQuery) -> AssignmentFacts:
    return AssignmentFacts(about.staff_facts(reference_store.member_of_json(member)))


_ASSIGNMENT = FactsPart(
    reference_store.member_part("chosen"),
    # Whoever is free is chosen by one at a time, under a lock.
    lambda command: {"chosen": command.inspector} if command.inspector else None,
    _assignment_facts,
)


def _load_assignment(connection: Connection, command: Assign, about: FactsQuery) -> AssignmentFacts:
    if command.inspector:
        facts: AssignmentFacts = _ASSIGNMENT.load(connection, command, about)
        return facts
    chosen = _free_inspector(connection, about)
    return AssignmentFacts(about.staff(connection, chosen) if chosen else None)


def _free_inspector(connection: Connection, about: FactsQuery) -> UUID | None:
    """Who is skilled in the ground and has the fewest open cases; where nobody is named for it, of those without any
    named skill. None when there is no one."""
    case = about.case
    excluded = {about.passed_over, case.handler, *case.excluded_staff}
    role = Role.SUBSTITUTE if case.unit in about.city.about_inspection else Role.INSPECTOR
    able = [
        row
        for row in workload.inspectors(connection, one_at_a_time=True, role=role)
        if row.staff_id not in excluded and not about.city.tree.has_conflict_of_interest(row.unit, case.unit)
    ]
    skilled = [row for row in able if case.ground in (row.grounds or ())]
    first = next(iter(skilled or [row for row in able if not row.grounds]), None)
    return first.staff_id if first is not None else None


def _write_unit(effect: UnitCorrected, recorded: Recorded) -> list[Write]:
    """The case's own row tells it."""
    return []


def _show_unit(parts: ViewParts, effect: UnitCorrected, recorded: Recorded) -> None:
    parts["liaison"] = effect.liaison


EFFECT_WRITERS: EffectWriters = {UnitCorrected: EffectWriter(_write_unit, _show_unit)}
FACTS_LOADERS: FactsLoaders = {
    Correct: loaded_as(_CORRECTION),
    Assign: FactsLoader(_load_assignment, _ASSIGNMENT),
}

"""What all rules of a case's lifecycle are written with: how a command is declared, and a change of one entry. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from contracts.base import Contract
from contracts.errors import InvalidField, NotAllowed, PeygirError, WrongStage
from contracts.tracking import TrackedEvent
from contracts.vocabulary import Role, Stage
from services.tracking.case.lifecycle import Case, Change, Context, Effect, Listed, TimelineEntry

Transitions = Mapping[Stage, Stage]
"""The stage a command may be given in → the stage it leads to."""

BY_SCREENER = frozenset({Role.SCREENER, Role.HEAD})
BY_INSPECTOR = frozenset({Role.INSPECTOR, Role.HEAD})
"""An inspector acts on a case that they work on, alone."""
BY_HEAD = frozenset({Role.HEAD})
BY_CITIZEN: frozenset[Role] = frozenset()


def handles(case: Case, actor_id: str) -> bool:
    """Whether this is the case's inspector."""
    return str(case.handler) == actor_id


def works_on(case: Case, actor_id: str) -> bool:
    """Whether this is the case's inspector, or works on it beside them."""
    return handles(case, actor_id) or actor_id in map(str, case.co_handlers)


Why = Literal["not_yet", "not_yours", "too_late"]
"""Why a command cannot be given now: it may become possible; it is another's, or not for such a case; its time is over."""


@dataclass(frozen=True)
class Hindrance:
    """What is in the way of a command, whatever its arguments are. `code`: what exactly, as the reader's view names it; `error`:
    what giving it raises."""

    why: Why
    code: str
    error: PeygirError


Guard = Callable[[Case, Context], Hindrance | None]
"""Of a case at a stage where the command may be given, and of somebody who may give it: what is in its way all the same."""
Bounds = Mapping[str, str]
"""`earliest` and `latest`, ISO days or moments, of a field; each may be left out."""


def _nothing(case: Case, context: Context) -> Hindrance | None:
    return None


def _no_bounds(case: Case, context: Context) -> Mapping[str, Bounds]:
    return {}


def not_at_this_stage(case: Case, command: type[Contract], why: Why, code: str) -> Hindrance:
    """Something about the case, other than its stage, for which the command is refused as at a wrong one."""
    return Hindrance(why, code, WrongStage(stage=case.stage, command=name_of(command)))


def not_by_this_one(code: str) -> Hindrance:
    """The command is another's to give."""
    return Hindrance("not_yours", code, NotAllowed())


def has_unit(case: Case, context: Context) -> Hindrance | None:
    """Guard: without a unit nobody knows who has a conflict of interest."""
    return Hindrance("not_yet", "unit_not_set", wrong("unit", "not_set")) if case.unit is None else None


def name_of(command: type[Contract]) -> str:
    """The command's type."""
    return str(command.model_fields["type"].default)


@dataclass(frozen=True)
class CommandRule:
    """A command of a case, declared by the capability that it belongs to.

    `command`: its contract; `roles`: who gives it, nobody of the staff when it is the citizen's; `apply`: what it changes,
    or its errors. `lapses_question`: it need not wait for an answer whose day is over; `waits_for_proposal`: not given while
    a proposed decision waits for the head. `other_case`: the other case that it names, or `partner`: the one that the case itself
    names, and `change_other`: what it changes there. `inspectors`: which of the inspectors who see the case give it.

    `guard`: what is in its way whatever its arguments are; asked before `apply`, and by whoever shows what can be done.
    `choices`: its fields that name a part of the case → the parts there are, and what each is; without any it cannot be given,
    for the reason `without_choice` ("not_yours": there are some, for others). `bounds`: of its days and moments. `decides`:
    what comes of it is a decision, only proposed where the kind asks for four eyes. `in_summary`: the citizen's view names it
    in `can`."""

    command: type[Contract]
    transitions: Transitions
    roles: frozenset[Role]
    apply: Callable[[Case, Any, Context], Change]
    lapses_question: bool = False
    waits_for_proposal: bool = False
    other_case: Callable[[Any], UUID] | None = None
    partner: Callable[[Case], UUID | None] | None = None
    change_other: Callable[[Case, Case, Any], Change] | None = None
    inspectors: Callable[[Case, str], bool] = works_on
    guard: Guard = _nothing
    choices: Mapping[str, Callable[[Case, Context], Mapping[str, str]]] = field(default_factory=dict)
    without_choice: tuple[Why, str] = ("not_yet", "nothing_to_choose")
    bounds: Callable[[Case, Context], Mapping[str, Bounds]] = _no_bounds
    decides: bool = False
    in_summary: bool = False

    @cached_property
    def name(self) -> str:
        """The command's type."""
        return name_of(self.command)

    def in_next_stage(self, case: Case, context: Context) -> Context:
        """The context with the stage that the command leads to. WrongStage where it may not be given."""
        return replace(context, next_stage=next_stage(case, self.transitions, self.name))


def staying_in(*stages: Stage) -> dict[Stage, Stage]:
    """The transitions of a command that leaves the stage as it is."""
    return {stage: stage for stage in stages}


def next_stage(case: Case, transitions: Transitions, name: str) -> Stage:
    """Where this leads from here; WrongStage when it leads nowhere."""
    stage = transitions.get(case.stage)
    if stage is None:
        raise WrongStage(stage=case.stage, command=name)
    return stage


def moved(case: Case, context: Context, **values: Any) -> Case:
    """The case in the stage that the command leads to, with these values."""
    assert context.next_stage is not None
    return replace(case, stage=context.next_stage, **values)


def change_of(
    case: Case,
    after: Case,
    entry: str,
    event: type[TrackedEvent],
    *effects: Effect,
    details: Mapping[str, Any] | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Change:
    """A change of one entry. `details` go to the timeline, `fields` to the event."""
    previous = case.stage if after.stage is not case.stage else None
    return Change(after, [TimelineEntry(entry, after, event, details or {}, fields or {}, previous)], effects)


def wrong(path: str, reason: str) -> InvalidField:
    """The command names something that will not do."""
    return InvalidField(fields=[{"field": path, "reason": reason}])


def named(listed: Mapping[str, Listed], codes: Iterable[str], path: str) -> dict[str, dict[str, str]]:
    """What the administrator calls these today: code → name_fa, name_en. InvalidField for one that is not offered."""
    names = {}
    for code in codes:
        row = listed.get(code)
        if row is None:
            raise wrong(path, "unknown_code")
        if not row.active:
            raise wrong(path, "not_offered")
        names[code] = {"name_fa": row.name_fa, "name_en": row.name_en}
    return names


def days_of(case: Case, step: str, context: Context) -> int:
    """The working days that this case has for a step."""
    return context.deadlines.days(step, case.kind, case.ground, case.urgent)

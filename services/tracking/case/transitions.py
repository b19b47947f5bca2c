"""What all rules of a case's life are written with: a wrong command, a move along the drawing, a change of one step. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from contracts.errors import InvalidField, WrongStage
from contracts.tracking import TrackedEvent
from contracts.vocabulary import Stage
from services.tracking.case.lifecycle import TRANSITIONS, Case, Change, Context, Listed, TimelineEntry


def wrong(path: str, reason: str) -> InvalidField:
    """The command names something that will not do."""
    return InvalidField(fields=[{"field": path, "reason": reason}])


def named(listed: Mapping[str, Listed], codes: Iterable[str], path: str) -> dict[str, dict[str, str]]:
    """What the administrator calls these today: code → name_fa, name_en. InvalidField for one that is not offered."""
    found = {}
    for code in codes:
        one = listed.get(code)
        if one is None:
            raise wrong(path, "unknown_code")
        if not one.active:
            raise wrong(path, "not_offered")
        found[code] = {"name_fa": one.name_fa, "name_en": one.name_en}
    return found


def leads_to(case: Case, name: str) -> Stage:
    """Where the command leads from here; WrongStage when it is not drawn."""
    stage = TRANSITIONS[name].get(case.stage)
    if stage is None:
        raise WrongStage(stage=case.stage, command=name)
    return stage


def change_of(case: Case, after: Case, entry: str, event: type[TrackedEvent], **more: Any) -> Change:
    """A change of one step. `details` go to the timeline, `fields` to the event, the rest to the Change."""
    previous = case.stage if after.stage is not case.stage else None
    step = TimelineEntry(entry, after, event, more.pop("details", {}), more.pop("fields", {}), previous)
    return Change(after, [step], **more)


def days_of(case: Case, step: str, context: Context) -> int:
    return context.deadlines.days(step, case.kind, case.ground, case.urgent)

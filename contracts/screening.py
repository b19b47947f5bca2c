"""What is asked of tracking about many cases at once: what earlier cases suggest for a new one, who is skilled in what,
cases assigned or handed over together."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Contract, GroundCode, Moment, Request, UnitCode
from contracts.gateway import Actor
from contracts.vocabulary import Stage


class SuggestScreening(Request):
    """RPC tracking.suggest_screening → Suggestions: what earlier cases say of this one. For who may screen it."""

    actor: Actor
    case_id: UUID


class Suggestion(Answer):
    """`value`: a unit, a ground, or "urgent". `share`: of the similar earlier cases, 0–1; `of`: how many those are;
    `words`: those of the text that it rests on."""

    value: str
    share: float
    of: int
    words: list[str] = []


class SimilarCase(Answer):
    """An open case that may tell the same story. `similarity`: of the normalised texts, 0–1; `same`: unit, ground."""

    case_id: UUID
    number: str
    stage: Stage
    unit: UnitCode | None
    ground: GroundCode
    filed_at: Moment
    excerpt: str
    similarity: float
    same: list[Literal["unit", "ground"]] = []


class Suggestions(Answer):
    unit: Suggestion | None = None
    ground: Suggestion | None = None
    urgent: Suggestion | None = None
    similar: list[SimilarCase] = []


class CaseSeen(Contract):
    case_id: UUID
    expected_version: int


class AssignMany(Request):
    """RPC tracking.assign_many → Assigned: each case by itself, as by the command assign; one that cannot be is told with its
    error and stops no other. `inspector` None: each to whoever is skilled and has the fewest."""

    actor: Actor
    cases: Annotated[list[CaseSeen], Field(min_length=1, max_length=100)]
    inspector: UUID | None = None
    idempotency_key: Annotated[str, Field(min_length=8, max_length=100)]


class HandOver(Request):
    """RPC tracking.hand_over → Assigned: all open cases of an inspector who leaves, to `inspector` or (None) to whoever is
    skilled and has the fewest. Of the cases that the actor may know of."""

    actor: Actor
    leaver: UUID
    inspector: UUID | None = None
    idempotency_key: Annotated[str, Field(min_length=8, max_length=100)]


class AssignedCase(Answer):
    """`handler` when it was done, else `error`: the code of what stood in its way."""

    case_id: UUID
    handler: UUID | None = None
    version: int | None = None
    error: str | None = None


class Assigned(Answer):
    items: list[AssignedCase]


class SetSkills(Request):
    """RPC tracking.set_skills → Skills. By a head: the grounds an inspector is skilled in; none: any ground."""

    actor: Actor
    inspector: UUID
    grounds: Annotated[list[GroundCode], Field(max_length=50)]


class ListSkills(Request):
    """RPC tracking.list_skills → Skills: of all active inspectors, for who may assign."""

    actor: Actor


class InspectorSkills(Answer):
    """`open_cases`: how many the inspector has in hand."""

    inspector: UUID
    inspector_name: str | None = None
    grounds: list[GroundCode]
    open_cases: int


class Skills(Answer):
    items: list[InspectorSkills]


class ShowWorkload(Request):
    """RPC tracking.show_workload → Workload: how much each inspector has in hand, and how late it is. By a head; counted are the
    cases that they may know of."""

    actor: Actor


class InspectorWorkload(Answer):
    """`open_cases` in hand; of these `due_soon`: within three working days, today among them; `late`: their day has passed;
    `awaiting_…`: an answer is waited for. `average_age`: in days since filing. `active`: may be given more."""

    inspector: UUID
    active: bool
    open_cases: int
    due_soon: int
    late: int
    awaiting_citizen: int
    awaiting_unit: int
    average_age: float


class Workload(Answer):
    """Those with most late cases first."""

    items: list[InspectorWorkload]

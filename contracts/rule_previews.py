"""What a change of the administrator's rules would do to the cases there are, before it is saved (DOMAIN: The people)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, PageRequest
from contracts.gateway import Actor
from contracts.intake import SetDeadlines, SetDecisions, SetRetention
from contracts.vocabulary import KeptPart, Kind

MovedStep = Literal["decision", "first_reading"]


class PreviewRules(PageRequest):
    """RPC tracking.preview_rules → RulesPreview. For the administrator; nothing is saved. InvalidField for days or months out of
    range."""

    actor: Actor
    change: Annotated[SetDeadlines | SetDecisions | SetRetention, Field(discriminator="change")]


class MovedDays(Answer):
    """`cases` open cases whose day of this step moves by `working_days`; negative: earlier. `late_at_once`: those of them whose
    day would have passed already."""

    step: MovedStep
    working_days: int
    cases: int
    late_at_once: int


class MovedCase(Answer):
    """A case whose day for a decision moves."""

    case_id: UUID
    number: str
    kind: Kind
    due_on: date | None
    due_on_after: date
    late_at_once: bool


class DueErasure(Answer):
    """`cases`: of how many the part would be erased in the next run; `before`: of how many by the rules of now."""

    part: KeptPart
    cases: int
    before: int


class RulesPreview(Answer):
    """`open_cases`: how many there are; `moved` of them have another day, by so many working days (`by`), and `late_at_once` are
    late the moment it is saved. `approvals_added`, `approvals_dropped`: open cases that would then need a head's approval, or
    need it no more. `closed_at_once`: decided or refused cases that the next run would close, and not by the rules of now.
    `erased`: of a change of retention.

    Cases about the administrator's own unit, or one above it, are not counted. `items`: those whose day for a decision moves, by
    pages; only for who may know of cases anyway."""

    open_cases: int
    moved: int = 0
    late_at_once: int = 0
    by: list[MovedDays] = []
    approvals_added: int = 0
    approvals_dropped: int = 0
    closed_at_once: int = 0
    erased: list[DueErasure] = []
    items: list[MovedCase] = []
    next: str | None = None

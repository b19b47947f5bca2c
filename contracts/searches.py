"""What is asked of tracking about which cases there are: lists and search, for staff."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, GroundCode, Moment, Request, UnitCode
from contracts.gateway import Actor
from contracts.vocabulary import Kind, Outcome, Stage


class ListCases(Request):
    """RPC tracking.list_cases → CasePage: what `actor` may see, and nothing else, by keyset pages, newest filed first.

    `text`: words, compared in normalised Persian, in number and text. `unit` takes the unit and all below it.
    """

    actor: Actor
    stage: list[Stage] = []
    kind: Kind | None = None
    unit: UnitCode | None = None
    ground: GroundCode | None = None
    handler: UUID | None = None
    outcome: Outcome | None = None
    urgent: bool | None = None
    filed_since: Moment | None = None
    filed_until: Moment | None = None
    text: Annotated[str, Field(max_length=200)] | None = None
    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 25


class CaseLine(Answer):
    """`excerpt`: the first 140 characters of the text."""

    case_id: UUID
    number: str
    kind: Kind
    stage: Stage
    unit: UnitCode | None
    unit_name_fa: str | None
    ground: GroundCode
    urgent: bool
    anonymous: bool
    filed_at: Moment
    expected_on: date | None
    handler: UUID | None
    outcome: Outcome | None
    excerpt: str
    version: int


class CasePage(Answer):
    items: list[CaseLine]
    next: str | None = None

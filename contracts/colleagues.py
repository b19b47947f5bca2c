"""Members of staff as their colleagues find them: to mention them, to ask them, to give them a case."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, PageRequest, UnitCode
from contracts.gateway import Actor
from contracts.vocabulary import Role


class ListColleagues(PageRequest):
    """RPC tracking.list_colleagues → Colleagues: active accounts by name. For staff, but for liaisons and analysts, who are told
    of nobody in the office. `q`: words that begin parts of the name. `case_id`: those who may see that case, or, of the role
    inspector, whom it can be given to. UnknownCase for one that the asker does not know."""

    actor: Actor
    q: Annotated[str, Field(max_length=100)] | None = None
    role: Role | None = None
    case_id: UUID | None = None


class Colleague(Answer):
    """`unit_name_…`: of their unit. No mobile, no user name."""

    id: UUID
    name: str
    roles: list[Role]
    unit: UnitCode | None
    unit_name_fa: str | None = None
    unit_name_en: str | None = None


class Colleagues(Answer):
    items: list[Colleague]
    next: str | None = None

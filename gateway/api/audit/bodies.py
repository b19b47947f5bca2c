"""Filters of the audit."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.audit import CommandName
from gateway.api.dependencies import Cursor, PageSize
from gateway.api.digits import TypedDay, WholeCaseNumber
from gateway.api.fields import Body


class AuditQuery(Body):
    """`person`: the id of who did it; `name`: a part of their name or user name, in any spelling. `number`: of a case, whole.
    `command`: what was done, such as get_case (somebody read a case), assign, open_identity, sign_in, read_audit. Days are
    Tehran's, Jalali or Gregorian, both ends included. `after`: `next` of the page before; `limit`: of a page, not of a file."""

    person: UUID | None = None
    name: Annotated[str, Field(min_length=2, max_length=100)] | None = None
    number: WholeCaseNumber | None = None
    case_id: UUID | None = None
    command: Annotated[list[CommandName], Field(max_length=20)] = []
    since: TypedDay | None = None
    until: TypedDay | None = None
    after: Cursor = None
    limit: PageSize = 50

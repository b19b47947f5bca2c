"""Which cases a member of staff may know of. Every query of staff carries `Scope.condition()` (DOMAIN: The people)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, all_, and_, bindparam, or_, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from contracts.errors import NotAllowed
from contracts.vocabulary import Role
from services.tracking.models import cases

SEE_ALL = frozenset({Role.SCREENER, Role.HEAD})
OPENS_IDENTITIES = frozenset({Role.HEAD, Role.CUSTODIAN})


@dataclass(frozen=True)
class Scope:
    """`avoided`: the units a case may not be about: the person's own and all above it. `handler`: only what is
    assigned to this inspector. `masked`: without the texts of it and who of the staff handles it."""

    avoided: frozenset[str]
    handler: UUID | None
    masked: bool = False

    def condition(self) -> ColumnElement[bool]:
        """What a row of `cases` must fulfil to be known to this person at all."""
        conflict_free = (
            or_(cases.c.unit.is_(None), cases.c.unit.not_in(sorted(self.avoided))) if self.avoided else true()
        )
        return conflict_free if self.handler is None else and_(cases.c.handler == self.handler, conflict_free)

    def given(self) -> dict[str, Any]:
        """The parameters of `CONDITION` for this person."""
        return {"avoided": sorted(self.avoided), "handler": self.handler}


_HANDLER = bindparam("handler", type_=PG_UUID, required=False)
CONDITION: ColumnElement[bool] = and_(
    or_(cases.c.unit.is_(None), cases.c.unit != all_(bindparam("avoided", type_=ARRAY(String), required=False))),
    or_(_HANDLER.is_(None), cases.c.handler == _HANDLER),
)
"""The same as `condition`, for queries that are compiled once."""


def scope_of(staff_id: UUID, roles: frozenset[Role], avoided: frozenset[str], masks: bool = False) -> Scope:
    """NotAllowed for roles that see no cases. `masks`: who asks leaves out what a masked scope must not show, and so an
    analyst may have it."""
    if roles & SEE_ALL:
        return Scope(avoided, None)
    if Role.INSPECTOR in roles:
        return Scope(avoided, staff_id)
    if masks and Role.ANALYST in roles:
        return Scope(avoided, None, masked=True)
    raise NotAllowed

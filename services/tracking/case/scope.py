"""Which cases a member of staff may know of. Every query of staff carries `Scope.condition()` (DOMAIN: The people)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    String,
    all_,
    and_,
    any_,
    bindparam,
    cast,
    literal,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from contracts.errors import NotAllowed
from contracts.vocabulary import Role
from services.tracking.case.lifecycle import Case
from services.tracking.models import cases
from services.tracking.row_conditions import HAS_COLLEAGUES

SEE_ALL = frozenset({Role.SCREENER, Role.HEAD})


@dataclass(frozen=True)
class Scope:
    """`avoided`: the units a case may not be about: the person's own and all above it. `handler`: only what this inspector
    handles, works on beside another or is asked for advice on, what is about a unit for which they are a substitute
    (`stands_in`), or what those see whose deputy they are (`deputy_of`). `only`: what is about one of these units alone.

    `masked`: without the texts of it and who of the staff handles it."""

    avoided: frozenset[str]
    handler: UUID | None
    masked: bool = False
    stands_in: frozenset[str] = frozenset()
    deputy_of: frozenset[UUID] = frozenset()
    only: frozenset[str] | None = None

    @property
    def handlers(self) -> list[UUID]:
        """Who sees what they see: they themselves, and whoever has them as deputy."""
        return [] if self.handler is None else sorted({self.handler, *self.deputy_of})

    def condition(self) -> ColumnElement[bool]:
        """What a row of `cases` must fulfil to be known to this person at all."""
        avoided = sorted(self.avoided)
        if self.only is not None:
            return and_(cases.c.unit.in_(sorted(self.only)), scope_condition(avoided))
        if self.handler is None:
            return scope_condition(avoided)
        if self.stands_in or self.deputy_of:
            return others_condition(self.handlers, sorted(self.stands_in), self.as_colleagues, avoided)
        return inspector_condition(self.handler, self.as_colleague, avoided)

    @property
    def as_colleague(self) -> str:
        """JSON that the colleagues of a case contain where this person is one."""
        return _as_colleague(self.handler)

    @property
    def as_colleagues(self) -> list[str]:
        """The same of each of `handlers`."""
        return [_as_colleague(handler) for handler in self.handlers]

    def knows(self, case: Case) -> bool:
        """`condition`, of a case that was read already."""
        if case.unit in self.avoided or (self.only is not None and case.unit not in self.only):
            return False
        own = self.handler is None or case.handler in self.handlers or case.unit in self.stands_in
        return own or not {*case.co_handlers, *case.consulted}.isdisjoint(self.handlers)

    def given(self) -> dict[str, Any]:
        """The parameters of `CONDITION` for this person."""
        assert self.only is None, "`CONDITION` narrows to no units"
        return {
            "avoided": sorted(self.avoided),
            "handler": self.handler,
            "handlers": self.handlers,
            "stands_in": sorted(self.stands_in),
            "colleagues": self.as_colleagues,
        }


def _as_colleague(handler: UUID | None) -> str:
    return json.dumps([{"staff": str(handler)}])


def scope_condition(avoided: Sequence[Any]) -> ColumnElement[bool]:
    """What is not about these units, be they values or parameters: no conflict of interest."""
    return or_(cases.c.unit.is_(None), cases.c.unit.not_in(avoided)) if avoided else true()


def inspector_condition(handler: Any, colleague: Any, avoided: Sequence[Any]) -> ColumnElement[bool]:
    """`Scope.condition` of an inspector. `colleague`: as `Scope.as_colleague`."""
    return and_(or_(cases.c.handler == handler, _is_colleague(colleague)), scope_condition(avoided))


def handled_condition(handler: Any, _: Any, avoided: Sequence[Any]) -> ColumnElement[bool]:
    """The part of `inspector_condition` that they handle: it is answered by an index of its own, in its order."""
    return and_(cases.c.handler == handler, scope_condition(avoided))


def beside_condition(handler: Any, colleague: Any, avoided: Sequence[Any]) -> ColumnElement[bool]:
    """The rest of `inspector_condition`: what another handles."""
    return and_(_is_colleague(colleague), cases.c.handler.is_distinct_from(handler), scope_condition(avoided))


def others_condition(handlers: Any, units: Any, colleagues: Any, avoided: Sequence[Any]) -> ColumnElement[bool]:
    """The same of somebody who has the cases of these handlers, alone or beside others (`Scope.as_colleagues`), and those
    about these units; lists, or parameters that hold one."""
    own = or_(
        cases.c.handler == any_(cast(handlers, ARRAY(PG_UUID))),
        cases.c.unit == any_(cast(units, ARRAY(String))),
        and_(HAS_COLLEAGUES, contains_any_colleague(cases.c.colleagues, colleagues)),
    )
    return and_(own, scope_condition(avoided))


def _is_colleague(colleague: Any) -> ColumnElement[bool]:
    # It is JSON already: as a JSONB value it would become a string of JSON.
    given = literal(colleague, String) if isinstance(colleague, str) else colleague
    return and_(HAS_COLLEAGUES, cases.c.colleagues.contains(cast(given, JSONB)))


def contains_any_colleague(column: Any, colleagues: Any) -> ColumnElement[bool]:
    """`colleagues`: as `Scope.as_colleagues`."""
    given = literal(colleagues, ARRAY(String)) if isinstance(colleagues, list) else colleagues
    contained: ColumnElement[bool] = column.op("@>")(any_(cast(given, ARRAY(JSONB))))
    return contained


_HANDLER = bindparam("handler", type_=PG_UUID, required=False)
_COLLEAGUES = bindparam("colleagues", type_=ARRAY(String), required=False)
CONDITION: ColumnElement[bool] = and_(
    or_(cases.c.unit.is_(None), cases.c.unit != all_(bindparam("avoided", type_=ARRAY(String), required=False))),
    or_(
        _HANDLER.is_(None),
        cases.c.handler == any_(bindparam("handlers", type_=ARRAY(PG_UUID), required=False)),
        cases.c.unit == any_(bindparam("stands_in", type_=ARRAY(String), required=False)),
        and_(HAS_COLLEAGUES, contains_any_colleague(cases.c.colleagues, _COLLEAGUES)),
    ),
)
"""The same as `condition`, for queries that are compiled once."""


def scope_of(
    staff_id: UUID,
    roles: AbstractSet[str],
    avoided: frozenset[str],
    masks: bool = False,
    about_inspection: frozenset[str] = frozenset(),
    deputy_of: frozenset[UUID] = frozenset(),
) -> Scope:
    """NotAllowed for roles that see no cases. `masks`: who asks leaves out what a masked scope must not show, and so an
    analyst may have it. `about_inspection`: the units whose cases go to substitutes; `deputy_of`: for whom
    they stand in."""
    if roles & SEE_ALL:
        return Scope(avoided, None)
    if Role.SUBSTITUTE in roles:
        return Scope(avoided, staff_id, stands_in=about_inspection - avoided, deputy_of=deputy_of)
    if Role.INSPECTOR in roles:
        return Scope(avoided, staff_id, deputy_of=deputy_of)
    if masks and Role.ANALYST in roles:
        return Scope(avoided, None, masked=True)
    raise NotAllowed

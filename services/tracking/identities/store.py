"""Queries of requests to open an identity, a line of comment each. Which cases they may be about is in each of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, insert, or_, select, tuple_, update

from services.tracking.case.scope import Scope
from services.tracking.models import cases, identity_requests
from services.tracking.reference.names import name_of

CONSENTED, WAITING = "consented", "waiting"


def kind_of(connection: Connection, case_id: UUID, scope: Scope) -> str | None:
    """The kind of a case that may be known of."""
    return connection.execute(select(cases.c.kind).where(cases.c.case_id == case_id, scope.condition())).scalar()


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """A new one."""
    connection.execute(insert(identity_requests).values(**row))


def request_of(connection: Connection, request_id: UUID, scope: Scope, lock: bool = False) -> Row[Any] | None:
    """One about a case that may be known of."""
    chosen = _with_case(scope).where(identity_requests.c.request_id == request_id)
    return connection.execute(chosen.with_for_update(of=identity_requests) if lock else chosen).first()


def page(
    connection: Connection,
    scope: Scope,
    mine: ColumnElement[bool],
    waiting_only: bool,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Row[Any]]:
    """Those about cases that may be known of, the newest first; `mine`: which of them the caller may see."""
    chosen = _with_case(scope).where(mine)
    if waiting_only:
        chosen = chosen.where(identity_requests.c.state == WAITING)
    place = (identity_requests.c.asked_at, identity_requests.c.request_id)
    if after is not None:
        chosen = chosen.where(tuple_(*place) < after)
    return list(connection.execute(chosen.order_by(*(column.desc() for column in place)).limit(limit)))


def requested_by(staff_id: UUID) -> ColumnElement[bool]:
    """Those of this member of staff."""
    return identity_requests.c.asked_by == staff_id


def consent(
    connection: Connection, case_id: UUID, staff_id: UUID, at: datetime, as_head: bool = False
) -> Row[Any] | None:
    """The consent by which this member of staff may open who filed this case now: to what they asked for or, `as_head`, to what
    an inspector did; never one that they gave themselves."""
    of_inspectors = and_(identity_requests.c.for_head, identity_requests.c.decided_by != staff_id)
    whose = requested_by(staff_id)
    chosen = select(identity_requests).where(
        identity_requests.c.case_id == case_id,
        and_(whose, ~identity_requests.c.for_head) if not as_head else or_(whose, of_inspectors),
        identity_requests.c.state == CONSENTED,
        identity_requests.c.open_until > at,
    )
    return connection.execute(chosen.order_by(identity_requests.c.open_until.desc()).limit(1)).first()


def decide(connection: Connection, request_id: UUID, values: Mapping[str, Any]) -> None:
    """A locked one is decided."""
    chosen = update(identity_requests).where(identity_requests.c.request_id == request_id)
    connection.execute(chosen.values(**values))


def _with_case(scope: Scope) -> Select[Any]:
    with_cases = identity_requests.join(cases, cases.c.case_id == identity_requests.c.case_id)
    names = [name_of(identity_requests.c[by]).label(f"{by}_name") for by in ("asked_by", "decided_by")]
    about = [cases.c[name] for name in ("kind", "number", "stage", "unit", "unit_name_fa", "unit_name_en")]
    return select(identity_requests, *about, *names).select_from(with_cases).where(scope.condition())

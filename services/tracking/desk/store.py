"""Queries of the counter: what an operator filed, and codes that replaced others. Each list carries its scope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, case, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.tracking.case.scope import Scope
from services.tracking.models import cases, replaced_codes

_FILED_BY = cases.c.consent["recorded_by"].astext
_LINE = (
    *("case_id", "number", "kind", "unit", "unit_name_fa", "unit_name_en", "ground", "stage", "channel"),
    *("filed_at", "anonymous", "consent", "citizen_id"),
)


def filed_by(
    connection: Connection,
    operator: UUID,
    scope: Scope,
    terms: Sequence[ColumnElement[bool]],
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Row[Any]]:
    """What this operator filed, newest first."""
    own = cases.c.consent.is_not(None), str(operator) == _FILED_BY
    chosen = select(*(cases.c[name] for name in _LINE)).where(*own, scope.condition(), *terms)
    if after is not None:
        chosen = chosen.where(tuple_(cases.c.filed_at, cases.c.case_id) < after)
    chosen = chosen.order_by(cases.c.filed_at.desc(), cases.c.case_id.desc())
    return list(connection.execute(chosen.limit(limit)))


def case_at_desk(connection: Connection, this: ColumnElement[bool], scope: Scope) -> Row[Any] | None:
    """One case with the operator who filed it, None where its citizen did."""
    chosen = select(cases.c.case_id, cases.c.filed_at, _FILED_BY.label("filed_by"))
    return connection.execute(chosen.where(this, scope.condition())).first()


# --- codes that replaced others ---


def code_attempt(connection: Connection, case_id: UUID) -> int:
    """How many codes a case had before the one it has."""
    chosen = select(replaced_codes.c.attempt).where(replaced_codes.c.case_id == case_id)
    return int(connection.execute(chosen).scalar() or 0)


def replace_code(connection: Connection, case_id: UUID, code_hash: str, attempt: int, citizen_id: UUID | None) -> None:
    """The case answers to its new code. `citizen_id`: from whose account it counts as filed; nobody's once it is erased."""
    new = upsert(replaced_codes).values(case_id=case_id, attempt=attempt)
    connection.execute(new.on_conflict_do_update(index_elements=["case_id"], set_={"attempt": attempt}))
    named = literal(citizen_id, cases.c.citizen_id.type)
    values = {"code_hash": code_hash, "citizen_id": case((cases.c.identity_erased_at.is_(None), named))}
    connection.execute(update(cases).where(cases.c.case_id == case_id).values(values))


def set_citizen(connection: Connection, case_id: UUID, citizen_id: UUID) -> bool:
    """From whose account the case counts as filed; False where nobody may be named in it any more."""
    this = update(cases).where(cases.c.case_id == case_id, cases.c.identity_erased_at.is_(None))
    return connection.execute(this.values(citizen_id=citizen_id)).rowcount == 1

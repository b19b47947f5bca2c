"""Queries of the register of referrals, a line of comment each. Which cases they may be about is in each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, exists, func, insert, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from services.tracking.case.json_queries import json_object
from services.tracking.case.scope import Scope
from services.tracking.models import cases, grounds, referral_answers, referrals
from services.tracking.reference.names import name_of

_ANSWERED = exists().where(referral_answers.c.referral_id == referrals.c.referral_id)


def ground_names(connection: Connection, code: str) -> Mapping[str, str | None]:
    """What the administrator calls a ground now."""
    row = connection.execute(select(grounds.c.name_fa, grounds.c.name_en).where(grounds.c.code == code)).first()
    return {"ground_name_fa": row.name_fa, "ground_name_en": row.name_en} if row is not None else {}


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """A new referral."""
    connection.execute(insert(referrals).values(**row))


def add_package(connection: Connection, referral_id: UUID, package: Mapping[str, Any]) -> None:
    """One more package of it was made."""
    added = referrals.c.packages.concat(literal([dict(package)], JSONB))
    connection.execute(update(referrals).where(referrals.c.referral_id == referral_id).values(packages=added))


def add_answer(connection: Connection, row: Mapping[str, Any]) -> None:
    """What the body answered."""
    connection.execute(insert(referral_answers).values(**row))


def referral_of(connection: Connection, referral_id: UUID, scope: Scope) -> Row[Any] | None:
    """One of a case that may be known of."""
    return connection.execute(_with_case(scope).where(referrals.c.referral_id == referral_id)).first()


def page(
    connection: Connection,
    scope: Scope,
    case_id: UUID | None,
    body: str | None,
    answered: bool | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Those of cases that may be known of, the newest first; of one case, one body, answered or not."""
    conditions: list[ColumnElement[bool]] = []
    if case_id is not None:
        conditions.append(referrals.c.case_id == case_id)
    if body is not None:
        conditions.append(referrals.c.body == body)
    if answered is not None:
        conditions.append(_ANSWERED if answered else ~_ANSWERED)
    place = (referrals.c.made_at, referrals.c.referral_id)
    if after is not None:
        conditions.append(tuple_(*place) < after)
    chosen = _with_case(scope).where(*conditions).order_by(*(column.desc() for column in place)).limit(limit)
    return connection.execute(chosen).all()


def _with_case(scope: Scope) -> Select[Any]:
    with_cases = referrals.join(cases, cases.c.case_id == referrals.c.case_id)
    names = [name_of(referrals.c[by]).label(f"{by}_name") for by in ("made_by", "consented_by")]
    return (
        select(referrals, cases.c.number.label("case_number"), _ANSWERS, *names)
        .select_from(with_cases)
        .where(scope.condition())
    )


_ANSWERS = (
    select(
        func.json_agg(
            aggregate_order_by(
                json_object(
                    **{column.name: column for column in referral_answers.c if column.name != "referral_id"},
                    recorded_by_name=name_of(referral_answers.c.recorded_by),
                ),
                referral_answers.c.recorded_at,
                referral_answers.c.answer_id,
            )
        )
    )
    .where(referral_answers.c.referral_id == referrals.c.referral_id)
    .scalar_subquery()
    .label("answers")
)

"""Queries of bulk commands, a line of comment each. Whoever carries cases out holds them by a lease; each step renews it, or
finds it lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    Row,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    update,
)

from backbone.storage import cursors
from services.tracking.bulk.tables import UNDONE, UNFINISHED
from services.tracking.case.scope import Scope
from services.tracking.models import bulk_cases, bulks, cases

_ADD_CASES = text(
    "INSERT INTO bulk_cases (bulk_id, place, case_id, expected_version)"
    " SELECT CAST(:bulk_id AS uuid), given.place, given.case_id, given.expected_version"
    " FROM json_to_recordset(CAST(:rows AS json)) AS given(place integer, case_id uuid, expected_version integer)"
)
_OPEN = exists(select(1).where(bulks.c.bulk_id == bulk_cases.c.bulk_id, UNFINISHED))
_FREE = or_(bulk_cases.c.leased_until.is_(None), bulk_cases.c.leased_until < func.now())
TELL_AFTER = timedelta(seconds=1)
"""Of one bulk its owner's stream is told at most so often, and of its end."""


# --- for the owner ---


def add(connection: Connection, row: Mapping[str, Any], its_cases: Iterable[tuple[UUID, int | None]]) -> None:
    """Adds a bulk and its cases, in their order."""
    connection.execute(insert(bulks).values(**row, state="waiting"))
    rows = [
        {"place": place, "case_id": str(case_id), "expected_version": version}
        for place, (case_id, version) in enumerate(its_cases, 1)
    ]
    connection.execute(_ADD_CASES, {"bulk_id": row["bulk_id"], "rows": json.dumps(rows)})


def open_of(connection: Connection, owner: UUID) -> int:
    """How many this person has under way."""
    return int(connection.execute(select(func.count()).where(bulks.c.owner == owner, UNFINISHED)).scalar_one())


def bulk_of(connection: Connection, bulk_id: UUID, owner: UUID) -> Row[Any] | None:
    """A bulk of a person."""
    return connection.execute(select(bulks).where(bulks.c.bulk_id == bulk_id, bulks.c.owner == owner)).first()


def all_of(connection: Connection, owner: UUID, after: str | None, limit: int) -> list[Row[Any]]:
    """A person's own, the newest first."""
    chosen = select(bulks).where(bulks.c.owner == owner)
    if after is not None:
        chosen = chosen.where(tuple_(bulks.c.asked_at, bulks.c.bulk_id) < cursors.decode(after))
    return list(connection.execute(chosen.order_by(bulks.c.asked_at.desc(), bulks.c.bulk_id.desc()).limit(limit)))


def counts(connection: Connection, bulk_ids: Sequence[UUID]) -> list[Row[Any]]:
    """Of each bulk how many cases had which result, and were refused for what: bulk_id, result, code, how_many."""
    code = bulk_cases.c.refusal.op("->>")(literal_column("'code'"))  # no parameter: it is grouped by
    grouped = select(bulk_cases.c.bulk_id, bulk_cases.c.result, code.label("code"), func.count().label("how_many"))
    chosen = grouped.where(bulk_cases.c.bulk_id.in_(bulk_ids), bulk_cases.c.result.is_not(None))
    return list(connection.execute(chosen.group_by(bulk_cases.c.bulk_id, bulk_cases.c.result, code)))


def report(
    connection: Connection, bulk_id: UUID, scope: Scope, result: str | None, after: int | None, limit: int
) -> list[Row[Any]]:
    """Cases of a bulk in their order, `known_id` and `number` of those alone that the scope knows."""
    known = bulk_cases.outerjoin(cases, (cases.c.case_id == bulk_cases.c.case_id) & scope.condition())
    columns = [bulk_cases.c[name] for name in ("place", "result", "version", "refusal", "at")]
    chosen = select(*columns, cases.c.case_id.label("known_id"), cases.c.number).select_from(known)
    chosen = chosen.where(bulk_cases.c.bulk_id == bulk_id, bulk_cases.c.place > (after or 0))
    if result is not None:
        chosen = chosen.where(UNDONE if result == "waiting" else bulk_cases.c.result == result)
    return list(connection.execute(chosen.order_by(bulk_cases.c.place).limit(limit)))


def cancel(connection: Connection, bulk_id: UUID, owner: UUID, keep: timedelta) -> bool:
    """A person's own is over, and the cases whose turn has not come are left out; False when it was over already."""
    own = update(bulks).where(bulks.c.bulk_id == bulk_id, bulks.c.owner == owner, UNFINISHED)
    if connection.execute(own.values(state="cancelled", **_over(keep))).rowcount == 0:
        return False
    left = update(bulk_cases).where(bulk_cases.c.bulk_id == bulk_id, UNDONE)
    connection.execute(left.values(result="cancelled", at=func.now()))
    return True


# --- for the worker ---


def take(connection: Connection, worker: UUID, lease: timedelta, size: int) -> tuple[Row[Any], list[Row[Any]]] | None:
    """The bulk that has waited longest, and its next cases that nobody is at, from now on this worker's; None when there are no
    such. So a large bulk holds no small one up."""
    waiting = bulks.alias("waiting")
    free = exists(select(1).where(bulk_cases.c.bulk_id == waiting.c.bulk_id, UNDONE, _FREE))
    order = (func.coalesce(waiting.c.worked_at, waiting.c.asked_at), waiting.c.bulk_id)
    first = select(waiting.c.bulk_id).where(UNFINISHED, free).order_by(*order).limit(1).scalar_subquery()
    turn = {"state": "running", "started_at": func.coalesce(bulks.c.started_at, func.now()), "worked_at": func.now()}
    bulk = connection.execute(update(bulks).where(bulks.c.bulk_id == first, UNFINISHED).values(turn).returning(bulks))
    row = bulk.first()
    if row is None:
        return None
    places = (
        select(bulk_cases.c.place)
        .where(bulk_cases.c.bulk_id == row.bulk_id, UNDONE, _FREE)
        .order_by(bulk_cases.c.place)
        .limit(size)
        .with_for_update(skip_locked=True)
        .cte("places")
    )
    taken = update(bulk_cases).where(bulk_cases.c.bulk_id == row.bulk_id, bulk_cases.c.place.in_(select(places)))
    values = {"worker": worker, "leased_until": func.now() + lease}
    lines = connection.execute(taken.values(values).returning(bulk_cases)).all()
    return row, sorted(lines, key=lambda line: int(line.place))


def hold(connection: Connection, bulk_id: UUID, place: int, worker: UUID, lease: timedelta) -> int | None:
    """Renews the lease of a case that is tried now; for which time it is. None when the bulk was cancelled, or another worker has
    taken the case up."""
    leased = update(bulk_cases).where(
        bulk_cases.c.bulk_id == bulk_id, bulk_cases.c.place == place, bulk_cases.c.worker == worker, UNDONE, _OPEN
    )
    held = leased.values(leased_until=func.now() + lease, tries=bulk_cases.c.tries + 1).returning(bulk_cases.c.tries)
    return connection.execute(held).scalar()


def note(connection: Connection, bulk_id: UUID, place: int, worker: UUID, **values: Any) -> None:
    """What came of a case; also of one that was carried out while the bulk was cancelled."""
    leased = update(bulk_cases).where(
        bulk_cases.c.bulk_id == bulk_id,
        bulk_cases.c.place == place,
        bulk_cases.c.worker == worker,
        or_(UNDONE, bulk_cases.c.result == "cancelled"),
    )
    connection.execute(leased.values(**values, at=func.now(), worker=None, leased_until=None))


def release(connection: Connection, bulk_id: UUID, worker: UUID) -> None:
    """Gives the leases of a worker up: any free one continues."""
    leased = update(bulk_cases).where(bulk_cases.c.bulk_id == bulk_id, bulk_cases.c.worker == worker, UNDONE)
    connection.execute(leased.values(worker=None, leased_until=None))


def finish(connection: Connection, keep: timedelta) -> list[Row[Any]]:
    """Those of which no case waits any more are over, with their texts erased; which."""
    left = exists(select(1).where(bulk_cases.c.bulk_id == bulks.c.bulk_id, UNDONE).correlate(bulks))
    over = update(bulks).where(UNFINISHED, ~left).values(state="done", told_at=func.now(), **_over(keep))
    return list(connection.execute(over.returning(bulks)))


def to_tell(connection: Connection, bulk_id: UUID) -> Row[Any] | None:
    """The bulk, when its owner has been told nothing of it for a moment; then they are now."""
    quiet = or_(bulks.c.told_at.is_(None), bulks.c.told_at < func.now() - TELL_AFTER)
    told = update(bulks).where(bulks.c.bulk_id == bulk_id, UNFINISHED, quiet).values(told_at=func.now())
    return connection.execute(told.returning(bulks)).first()


def version_of(connection: Connection, case_id: UUID) -> int | None:
    """The version that a case has now, for a command that is judged by it."""
    return connection.execute(select(cases.c.version).where(cases.c.case_id == case_id)).scalar()


def purge(connection: Connection) -> int:
    """Those whose time is over are gone; how many."""
    return connection.execute(delete(bulks).where(bulks.c.expires_at < func.now())).rowcount


def _over(keep: timedelta) -> dict[str, Any]:
    return {"finished_at": func.now(), "expires_at": func.now() + keep, "steps": None}

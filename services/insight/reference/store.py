"""Queries of what figures are counted by: the tree of units and the grounds, one line of comment each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.storage import bulk
from contracts.units import UnitTree
from services.insight.models import grounds, units


def unit_tree(connection: Connection) -> UnitTree:
    """Every unit that was ever in the catalogue, with its newest parent."""
    return UnitTree({row.code: row.parent for row in connection.execute(select(units.c.code, units.c.parent))})


def keep_newest_units(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Units with their parents as of a version of the catalogue; a parent of a later version stays."""
    if not rows:
        return
    new = upsert(units).values(list(rows))
    connection.execute(
        new.on_conflict_do_update(
            index_elements=[units.c.code],
            set_={"parent": new.excluded.parent, "version": new.excluded.version},
            where=new.excluded.version > units.c.version,
        )
    )


def ground_codes(connection: Connection) -> list[str]:
    """Every ground that was ever in the catalogue."""
    return list(connection.execute(select(grounds.c.code).order_by(grounds.c.code)).scalars())


def keep_grounds(connection: Connection, codes: Sequence[str]) -> None:
    """Grounds of a catalogue."""
    if codes:
        bulk.insert(connection, grounds, [{"code": code} for code in sorted(codes)], "ON CONFLICT DO NOTHING")

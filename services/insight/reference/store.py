"""Queries of what figures are counted by: the tree of units and the grounds, one line of comment each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.intake import Catalogue
from contracts.units import UnitTree
from services.insight.models import grounds, units


def unit_tree(connection: Connection) -> UnitTree:
    """Every unit that was ever in the catalogue, with its newest parent."""
    return UnitTree({row.code: row.parent for row in connection.execute(select(units.c.code, units.c.parent))})


def keeping_newest_units(catalogues: Iterable[Catalogue]) -> list[Write]:
    """Units with their parents as of these versions of the catalogue; a parent of a later version stays."""
    rows: dict[str, dict[str, Any]] = {}
    for catalogue in sorted(catalogues, key=lambda catalogue: catalogue.version):
        version = catalogue.version
        rows |= {unit.code: {"code": unit.code, "parent": unit.parent, "version": version} for unit in catalogue.units}
    newer = (
        "ON CONFLICT (code) DO UPDATE SET parent = excluded.parent, version = excluded.version"
        " WHERE excluded.version > units.version"
    )
    return writes.insert(units, [rows[code] for code in sorted(rows)], newer)


def ground_codes(connection: Connection) -> list[str]:
    """Every ground that was ever in the catalogue."""
    return list(connection.execute(select(grounds.c.code).order_by(grounds.c.code)).scalars())


def keeping_grounds(catalogues: Iterable[Catalogue]) -> list[Write]:
    """Grounds of these catalogues."""
    codes = {ground.code for catalogue in catalogues for ground in catalogue.grounds}
    return writes.insert(grounds, [{"code": code} for code in sorted(codes)], "ON CONFLICT DO NOTHING")

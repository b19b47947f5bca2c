"""The city's units, calendar and rules, as this service's copy of the catalogue has them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row

from contracts.units import UnitTree
from services.tracking.case.lifecycle import SHIPPED_CAUSES, SHIPPED_REASONS, Listed, UnitFacts
from services.tracking.reference import store
from services.tracking.reference.workdays import Deadlines, Rule, Workdays

READ_AGAIN_AFTER = 1.0
"""Seconds for which a version is taken for the newest: a command asks three times."""


@dataclass(frozen=True)
class CityCatalogue:
    """The catalogue of one version, for the rules."""

    version: int
    workdays: Workdays
    tree: UnitTree
    units: dict[str, Row[Any]]
    deadlines: Deadlines
    four_eyes: frozenset[str] = frozenset()
    retention: tuple[dict[str, Any], ...] = ()
    refusal_reasons: Mapping[str, Listed] = field(default_factory=lambda: SHIPPED_REASONS)
    root_causes: Mapping[str, Listed] = field(default_factory=lambda: SHIPPED_CAUSES)

    def unit(self, code: str | None) -> UnitFacts | None:
        """What the rules need to know of a unit; None for an unknown one."""
        row = self.units.get(code) if code is not None else None
        if row is None:
            return None
        return UnitFacts(row.code, row.name_fa, row.name_en, row.active, row.parent is None)


class CatalogueCopy:
    """Keeps the catalogue in memory and reads it again when its version has grown; one object for the process.

    `deadlines`, `weekend`: of the settings; they hold where the catalogue has none."""

    def __init__(self, deadlines: Deadlines, weekend: frozenset[int]) -> None:
        self._deadlines, self._weekend = deadlines, weekend
        self._catalogue: CityCatalogue | None = None
        self._read_again_at = 0.0

    def current(self, connection: Connection) -> CityCatalogue:
        """The catalogue; its version is looked up once a second."""
        if self._catalogue is not None and time.monotonic() < self._read_again_at:
            return self._catalogue
        version = store.catalogue_version(connection)
        self._read_again_at = time.monotonic() + READ_AGAIN_AFTER
        if self._catalogue is None or self._catalogue.version != version:
            self._catalogue = self._read(connection, version)
        return self._catalogue

    def expire(self) -> None:
        """The version is looked up again at the next use."""
        self._read_again_at = 0.0

    def _read(self, connection: Connection, version: int) -> CityCatalogue:
        units = {row.code: row for row in store.all_units(connection)}
        holidays, rules = store.calendar(connection)
        weekend = frozenset(rules.get("weekend", self._weekend))
        if len(weekend) >= 7:  # no working day would ever come
            weekend = self._weekend
        deadlines = replace(
            self._deadlines,
            rules=tuple(
                Rule(row["step"], row["days"], row.get("kind"), row.get("ground"), row.get("urgent"))
                for row in rules.get("deadlines", ())
            ),
            auto_close=rules.get("auto_close_days", self._deadlines.auto_close),
        )
        return CityCatalogue(
            version,
            Workdays(weekend, frozenset(date.fromisoformat(day) for day in holidays)),
            UnitTree({code: row.parent for code, row in units.items()}),
            units,
            deadlines,
            frozenset(rules.get("four_eyes", ())),
            tuple(rules.get("retention", ())),
            _listed(rules.get("refusal_reasons"), SHIPPED_REASONS),
            _listed(rules.get("root_causes"), SHIPPED_CAUSES),
        )


def _listed(rows: Sequence[Mapping[str, Any]] | None, otherwise: Mapping[str, Listed]) -> Mapping[str, Listed]:
    """A list of the catalogue by code. It is never empty: an entry is closed, not removed; an empty list means none was sent."""
    if not rows:
        return otherwise
    return {row["code"]: Listed(row["name_fa"], row["name_en"], row["active"]) for row in rows}

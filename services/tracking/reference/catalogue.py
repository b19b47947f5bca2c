"""The city's units, calendar and rules, as this service's copy of the catalogue has them."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row

from contracts.intake import EarlierDecisionRules, OutsideBody
from contracts.units import UnitTree
from contracts.vocabulary import Language, Role
from services.tracking.case.lifecycle import (
    SHIPPED_CAUSES,
    SHIPPED_REASONS,
    Listed,
    ListedArticle,
    StaffFacts,
    Unfit,
    UnitFacts,
)
from services.tracking.reference import store
from services.tracking.reference.store import Member
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
    articles: Mapping[str, ListedArticle] = field(default_factory=dict)
    earlier_four_eyes: tuple[tuple[datetime, frozenset[str]], ...] = ()
    earlier_retention: tuple[dict[str, Any], ...] = ()
    open_rules: int = 0
    about_inspection: frozenset[str] = frozenset()
    """The units whose cases go to substitutes."""
    outside_bodies: Mapping[str, OutsideBody] = field(default_factory=dict)
    transfers_without_head: int = 2
    ground_names: Mapping[str, Mapping[Language, str]] = field(default_factory=dict)

    def is_inspector(self, roles: Collection[str], unit: str | None) -> bool:
        """Whether these roles handle cases about this unit."""
        return Role.INSPECTOR in roles or self.stands_in(roles, unit)

    def stands_in(self, roles: Collection[str], unit: str | None) -> bool:
        """Whether these roles make a substitute for cases about this unit."""
        return Role.SUBSTITUTE in roles and unit in self.about_inspection

    def unfit(self, member: Member, unit: str | None) -> Unfit | None:
        """Why this member of staff may not handle a case about this unit; None when they may."""
        if not member.active:
            return "left"
        if not self.is_inspector(member.roles, unit):
            return "role"
        return "conflict" if self.tree.has_conflict_of_interest(member.unit, unit) else None

    def handler_facts(self, member: Member, unit: str | None) -> StaffFacts:
        """The same member of staff as whoever is to be made handler of a case about this unit."""
        conflicted = self.tree.has_conflict_of_interest(member.unit, unit)
        return StaffFacts(member.staff_id, member.active, self.is_inspector(member.roles, unit), conflicted)

    def ground_name(self, code: str, language: Language) -> str:
        """What the administrator calls a ground now; its code for one that is there no more."""
        return self.ground_names.get(code, {}).get(language, code)

    def unit(self, code: str | None) -> UnitFacts | None:
        """What the rules need to know of a unit; None for an unknown one."""
        row = self.units.get(code) if code is not None else None
        if row is None:
            return None
        return UnitFacts(row.code, row.name_fa, row.name_en, row.active, row.parent is None)


class CatalogueCopy:
    """Keeps the catalogue in memory and reads it again when its version has grown; one object for the process.

    `deadlines`, `weekend`: of the settings; they hold where the catalogue has none. `offices`: the units of the inspection
    itself."""

    def __init__(self, deadlines: Deadlines, weekend: frozenset[int], offices: Sequence[str] = ()) -> None:
        self._deadlines, self._weekend, self._offices = deadlines, weekend, offices
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

    @property
    def last_read(self) -> CityCatalogue | None:
        """The catalogue as it was when it was read last; None before. Whoever uses it asks `is_newest` of a version that was
        read meanwhile."""
        return self._catalogue

    def is_newest(self, version: int) -> bool:
        """Whether our copy is of this version, which was looked up just now; else it is read again at the next use."""
        newest = self._catalogue is not None and self._catalogue.version == version
        self._read_again_at = time.monotonic() + READ_AGAIN_AFTER if newest else 0.0
        return newest

    def expire(self) -> None:
        """The version is looked up again at the next use."""
        self._read_again_at = 0.0

    def _read(self, connection: Connection, version: int) -> CityCatalogue:
        units = {row.code: row for row in store.all_units(connection)}
        holidays, rules, open_rules = store.calendar(connection)
        weekend = frozenset(rules.get("weekend", self._weekend))
        if len(weekend) >= 7:  # no working day would ever come
            weekend = self._weekend
        earlier = [EarlierDecisionRules.model_validate(row) for row in rules.get("earlier_decisions", ())]
        deadlines = replace(
            self._deadlines,
            rules=tuple(
                Rule(row["step"], row["days"], row.get("kind"), row.get("ground"), row.get("urgent"))
                for row in rules.get("deadlines", ())
            ),
            auto_close=rules.get("auto_close_days", self._deadlines.auto_close),
            earlier_auto_close=tuple((row.before, row.auto_close_days) for row in earlier),
        )
        tree = UnitTree({code: row.parent for code, row in units.items()})
        return CityCatalogue(
            version,
            Workdays(weekend, frozenset(date.fromisoformat(day) for day in holidays)),
            tree,
            units,
            deadlines,
            frozenset(rules.get("four_eyes", ())),
            tuple(rules.get("retention", ())),
            _listed(rules.get("refusal_reasons"), SHIPPED_REASONS),
            _listed(rules.get("root_causes"), SHIPPED_CAUSES),
            articles={row["code"]: _article(row) for row in rules.get("articles", ())},
            earlier_four_eyes=tuple((row.before, frozenset(row.four_eyes)) for row in earlier),
            earlier_retention=tuple(rules.get("earlier_retention", ())),
            open_rules=open_rules,
            about_inspection=tree.about_inspection(*self._offices),
            outside_bodies={row["code"]: OutsideBody.model_validate(row) for row in rules.get("outside_bodies", ())},
            transfers_without_head=rules.get("transfers_without_head", 2),
            ground_names=store.ground_names(connection),
        )


def _article(row: Mapping[str, Any]) -> ListedArticle:
    until = row.get("valid_until")
    return ListedArticle(
        row["title_fa"],
        row["title_en"],
        row["number"],
        date.fromisoformat(row["valid_from"]),
        None if until is None else date.fromisoformat(until),
    )


def _listed(rows: Sequence[Mapping[str, Any]] | None, otherwise: Mapping[str, Listed]) -> Mapping[str, Listed]:
    """A list of the catalogue by code. It is never empty: an entry is closed, not removed; an empty list means none was sent."""
    if not rows:
        return otherwise
    return {row["code"]: Listed(row["name_fa"], row["name_en"], row["active"]) for row in rows}

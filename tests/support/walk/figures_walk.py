"""Figures of insight."""

from __future__ import annotations

from collections import Counter

from contracts.insight import CountCases, CountDecisions, CountRatings, CountVisits, GetPublishedFigures
from tests.support.walk.oracle import Person
from tests.support.walk.witness import EXACT, ServiceWalk


class FiguresWalk(ServiceWalk):
    """Figures of insight."""

    def _counted(self, person: Person, unit: str | None) -> bool:
        """Whether cases about this unit are in this person's figures. Insight knows the unit of the token alone."""
        own = person.actor.unit if person.actor is not None and person.staff else None
        return unit is None or own is None or unit not in self.oracle.upwards(own)

    def insight_count_cases(self, person: Person) -> None:
        if not (person.actor and person.staff and person.actor.roles & EXACT):
            self._public_figures(person)
            return
        every = [case for case in self.oracle.cases.values() if self._counted(person, case.unit)]
        for name in ("unit", "ground", "kind", "stage"):
            for within in (None, "dep.a"):
                request = CountCases(actor=person.actor, by=[name], unit=within)
                figures, _ = self.ask(person, "insight.count_cases", request)
                those = [case for case in every if within is None or within in self.oracle.upwards(case.unit)]
                granted = Counter(case.row[name] for case in those)
                counted = {cell.key[0]: cell.count for cell in figures.cells}
                self.same(person, f"insight.count_cases {name}", counted, dict(granted))
                self.same(person, f"insight.count_cases {name}: total", figures.total, len(those))

    def _public_figures(self, person: Person) -> None:
        """Of this world nothing was released, so nothing of it is told; and nothing fine can be asked for."""
        for name in ("unit", "ground", "kind", "stage", "month"):
            figures, _ = self.ask(person, "insight.count_cases", CountCases(actor=person.actor, by=[name]))
            self.same(
                person, f"insight.count_cases {name}", (figures.cells, figures.total, figures.until), ([], None, None)
            )
        for by, more in ((["stage", "ground"], {}), (["day"], {}), (["kind"], {"unit": "dep.a"})):
            request = CountCases(actor=person.actor, by=by, **more)
            self.same(
                person, "insight.count_cases", self.ask(person, "insight.count_cases", request)[1], "invalid_field"
            )

    def insight_count_decisions(self, person: Person) -> None:
        request = CountDecisions(actor=person.actor, by=["unit"])
        figures, error = self.ask(person, "insight.count_decisions", request)
        if not (person.actor and person.staff and person.actor.roles & EXACT):
            self.same(person, "insight.count_decisions", error, "not_allowed")
            return
        every = [case for case in self.oracle.cases.values() if self._counted(person, case.unit)]
        decided = Counter(case.unit for case in every if case.row["decided_at"] is not None)
        counted = {cell.key[0]: cell.decided for cell in figures.cells}
        self.same(person, "insight.count_decisions", counted, dict(decided))

    def insight_count_ratings(self, person: Person) -> None:
        figures, error = self.ask(person, "insight.count_ratings", CountRatings(actor=person.actor, by=["unit"]))
        if not (person.actor and person.staff and person.actor.roles & EXACT):
            self.same(person, "insight.count_ratings", error, "not_allowed")
            return
        every = [case for case in self.oracle.cases.values() if self._counted(person, case.unit)]
        rated = Counter(case.unit for case in every if case.row["score"] is not None)
        counted = {cell.key[0]: cell.unasked + cell.by_phone for cell in figures.cells}
        self.same(person, "insight.count_ratings", counted, dict(rated))

    def insight_count_visits(self, person: Person) -> None:
        if not (person.actor and person.staff and person.actor.roles & EXACT):
            figures, _ = self.ask(person, "insight.count_visits", CountVisits(actor=person.actor, by=["month"]))
            self.same(person, "insight.count_visits", (figures.cells, figures.until), ([], None))
            request = CountVisits(actor=person.actor, by=["unit"])
            self.same(
                person, "insight.count_visits", self.ask(person, "insight.count_visits", request)[1], "invalid_field"
            )
            return
        figures, _ = self.ask(person, "insight.count_visits", CountVisits(actor=person.actor, by=["unit"]))
        requested = Counter(
            case.unit
            for row in self.world.rows("tracking", "SELECT case_id FROM visits")
            if self._counted(person, (case := self.oracle.cases[row["case_id"]]).unit)
        )
        self.same(person, "insight.count_visits", {cell.key[0]: cell.asked for cell in figures.cells}, dict(requested))

    def insight_get_published_figures(self, person: Person) -> None:
        figures, _ = self.ask(person, "insight.get_published_figures", GetPublishedFigures())
        self.same(
            person, "insight.get_published_figures", (figures.until, figures.months, figures.durations), (None, [], [])
        )

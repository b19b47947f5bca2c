"""The rows that are measured beside a million cases (DESIGN: What must hold): `./peygir bench million`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlencode

from benchmarks import load
from benchmarks.api_user import StaffSession
from benchmarks.city import filled_system
from benchmarks.city.fill import Filler
from benchmarks.figures import Bar, Row, Yardstick, percentile
from benchmarks.lifecycle import status_of
from benchmarks.measured_system import MeasuredSystem
from benchmarks.rows import Plan, Rows
from contracts.base import now
from contracts.vocabulary import OPEN_STAGES
from deploy.local.processes import System

AT_ONCE = 2
"""Staff that query at the same time."""
REPETITIONS = 150
"""Of each query, with different words, units and days each time."""
_CODES = 3_000
_WORDS = ("آسفالت", "پروانه", "سگ", "جوی", "زباله", "نوروزیان", "پیاده‌رو", "رسید", "عوارض", "کانال", "مینودر", "نامه")
_UNITS = ("d1", "d2", "d3", "dep.civ", "dep.urb", "dep.trf", "org.waste", "org.bus", "dep.srv", "d2.permits")


class Million:
    """Measures a filled system. `before`: rows of the same system when it was empty, by name."""

    def __init__(self, system: System, plan: Plan, cases: int, say: Callable[[str], None]) -> None:
        self.system, self.plan, self.cases, self.say = system, plan, cases, say
        self.measured = MeasuredSystem(system)
        self.rows = Rows(self.measured, None, plan, say)
        self._random = random.Random("asked")

    def before(self) -> list[Row]:
        """What is measured on the empty system, to compare with."""
        rows = [*self.rows.submissions(), *self.rows.lifecycles()]
        return [Row(f"empty: {row.name}", row.unit, row.runs, remarks=row.remarks) for row in rows]

    def after(self, before: list[Row]) -> list[Row]:
        """The rows beside the city."""
        self.measured.count_from_here()
        rows = [*self.queries(), self.status()]
        rows += [_compared(row, before) for row in self.rows.submissions()]
        rows += [_compared(row, before) for row in self.rows.lifecycles()]
        return rows + self.rows.spikes()

    # --- staff ---

    def queries(self) -> list[Row]:
        """The ten most frequent queries of staff, over HTTP: p95 of each."""
        self.measured.settle()
        head = self.measured.users.staff_session("head")
        rows = []
        for name, path in self._queries():
            requests = [_as(head, next(path)) for _ in range(REPETITIONS)]
            load.run(load.each(self.measured.url, AT_ONCE, requests[:10]))
            tally = load.run(load.each(self.measured.url, AT_ONCE, requests[10:]))
            if tally.errors:
                raise RuntimeError(f"{name}: {tally.errors[0]}")
            p95 = percentile(tally.seconds, 0.95) * 1000
            self.say(f"  {name}: p95 {p95:.0f} ms")
            rows.append(Row(f"staff: {name}, p95", "ms", (p95,), Bar(150, at_most=True)))
        return rows

    def _queries(self) -> Iterator[tuple[str, Iterator[str]]]:
        rng = self._random
        with filled_system.tracking(self.system) as connection:
            waiting = [
                str(row[0])
                for row in connection.execute(
                    "SELECT case_id FROM cases WHERE stage = ANY(%s) LIMIT 500", [sorted(OPEN_STAGES)]
                )
            ]
            any_cases = [str(row[0]) for row in connection.execute("SELECT case_id FROM cases LIMIT 500")]
            numbers = [row[0] for row in connection.execute("SELECT number FROM cases LIMIT 500")]
            handlers = [
                str(row[0]) for row in connection.execute("SELECT staff_id FROM staff WHERE roles ? 'inspector'")
            ]

        def listed(**filters: object) -> str:
            return f"/v1/cases?{urlencode({'limit': 25, **filters}, doseq=True)}"

        def month() -> dict[str, str]:
            start = now().date() - timedelta(days=rng.randint(40, 700))
            return {"filed_from": str(start), "filed_until": str(start + timedelta(days=30))}

        def repeat(make: Callable[[], str]) -> Iterator[str]:
            while True:
                yield make()

        stages = [str(stage) for stage in sorted(OPEN_STAGES)]
        yield "the newest cases", repeat(listed)
        yield "the screening queue", repeat(lambda: listed(stage=["registered", "screening"], sort="filed_at"))
        yield "a unit's open cases", repeat(lambda: listed(unit=rng.choice(_UNITS), stage=stages))
        yield "an inspector's cases", repeat(lambda: listed(handler=rng.choice(handlers)))
        yield "a word in the text", repeat(lambda: listed(text=rng.choice(_WORDS)))
        yield (
            "two words in a unit",
            repeat(lambda: listed(text=" ".join(rng.sample(_WORDS, 2)), unit=rng.choice(_UNITS))),
        )
        yield "a month by outcome", repeat(lambda: listed(outcome=rng.choice(("upheld", "settled")), **month()))
        yield "a number", repeat(lambda: listed(text=rng.choice(numbers)))
        yield "one case", repeat(lambda: f"/v1/cases/{rng.choice(any_cases)}")
        yield "what is suggested in screening", repeat(lambda: f"/v1/cases/{rng.choice(waiting)}/suggestions")

    # --- citizens ---

    def status(self) -> Row:
        """Where is my case? Each code of the city once, not cached."""
        filler = Filler(self.system.values)
        filler.begin(filler.load_or_make_plan(self.cases, "qazvin"))
        codes = [filler.keys.case(self._random.randrange(self.cases))[0] for _ in range(_CODES)]
        tally = load.run(load.each(self.measured.url, AT_ONCE, [status_of(code) for code in codes]))
        if tally.errors:
            raise RuntimeError(tally.errors[0])
        p95 = percentile(tally.seconds, 0.95) * 1000
        self.say(f"  status by code: p95 {p95:.1f} ms")
        rate = f"{tally.rate:.0f}/s, {AT_ONCE} at once"
        return Row("status by code, not cached, p95", "ms", (p95,), Bar(20, at_most=True), remarks=(rate,))


def _as(session: StaffSession, path: str) -> bytes:
    return load.request("GET", path, {"Authorization": f"Bearer {session.token}"})


_UNCHANGED = {"submissions accepted": Bar(0.9), "lifecycles": Bar(0.9)}
"""Bars relative to the same row of the empty system."""


def _compared(row: Row, before: list[Row]) -> Row:
    """A row compared with the same row of the empty system."""
    empty = next((earlier for earlier in before if earlier.name == f"empty: {row.name}"), None)
    if empty is None:
        return Row(row.name, row.unit, row.runs, row.bar, remarks=row.remarks)
    same = tuple(empty.median for _ in row.runs)
    yardstick = Yardstick("the same, empty", same, _UNCHANGED.get(row.name))
    return Row(row.name, row.unit, row.runs, row.bar, yardstick, row.remarks)

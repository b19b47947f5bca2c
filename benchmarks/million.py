"""The rows that are measured beside a million cases (DESIGN: What must hold): `./peygir bench million`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlencode

from benchmarks import load
from benchmarks.city import standing
from benchmarks.city.fill import Filler
from benchmarks.figures import Bar, Row, Yardstick, percentile
from benchmarks.rows import Plan, Rows, status_of
from benchmarks.stand import Member, Stand
from contracts.base import now
from contracts.vocabulary import OPEN_STAGES
from deploy.local.processes import System

AT_ONCE = 2
"""Staff that ask at the same moment."""
ASKED = 150
"""Times that each query is asked, with other words, units, days each time."""
_CODES = 3_000
_WORDS = ("آسفالت", "پروانه", "سگ", "جوی", "زباله", "نوروزیان", "پیاده‌رو", "رسید", "عوارض", "کانال", "مینودر", "نامه")
_UNITS = ("d1", "d2", "d3", "dep.civ", "dep.urb", "dep.trf", "org.waste", "org.bus", "dep.srv", "d2.permits")


class Million:
    """Measures a filled system. `before`: rows of the same system when it was empty, by name."""

    def __init__(self, system: System, plan: Plan, cases: int, say: Callable[[str], None]) -> None:
        self.system, self.plan, self.cases, self.say = system, plan, cases, say
        self.stand = Stand(system)
        self.rows = Rows(self.stand, None, plan, say)
        self._dice = random.Random("asked")

    def before(self) -> list[Row]:
        """What is measured on the empty system, to compare with."""
        found = [*self.rows.submissions(), *self.rows.lifecycles()]
        return [Row(f"empty: {row.name}", row.unit, row.runs, remarks=row.remarks) for row in found]

    def after(self, before: list[Row]) -> list[Row]:
        """The rows beside the city."""
        self.stand.begin_here()
        told = [*self.queries(), self.status()]
        told += [_compared(row, before) for row in self.rows.submissions()]
        told += [_compared(row, before) for row in self.rows.lifecycles()]
        return told + self.rows.spikes()

    # --- staff ---

    def queries(self) -> list[Row]:
        """The ten that staff ask most, over HTTP: p95 of each."""
        self.stand.settle()
        head = self.stand.member("head")
        found = []
        for name, path in self._asked():
            requests = [_as(head, next(path)) for _ in range(ASKED)]
            load.run(load.each(self.stand.url, AT_ONCE, requests[:10]))
            tally = load.run(load.each(self.stand.url, AT_ONCE, requests[10:]))
            if tally.errors:
                raise RuntimeError(f"{name}: {tally.errors[0]}")
            p95 = percentile(tally.seconds, 0.95) * 1000
            self.say(f"  {name}: p95 {p95:.0f} ms")
            found.append(Row(f"staff: {name}, p95", "ms", (p95,), Bar(150, at_most=True)))
        return found

    def _asked(self) -> Iterator[tuple[str, Iterator[str]]]:
        dice = self._dice
        with standing.tracking(self.system) as connection:
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

        def listed(**given: object) -> str:
            return f"/v1/cases?{urlencode({'limit': 25, **given}, doseq=True)}"

        def month() -> dict[str, str]:
            start = now().date() - timedelta(days=dice.randint(40, 700))
            return {"filed_from": str(start), "filed_until": str(start + timedelta(days=30))}

        def again(make: Callable[[], str]) -> Iterator[str]:
            while True:
                yield make()

        stages = [str(stage) for stage in sorted(OPEN_STAGES)]
        yield "the newest cases", again(listed)
        yield "the screening queue", again(lambda: listed(stage=["registered", "screening"], sort="filed_at"))
        yield "a unit's open cases", again(lambda: listed(unit=dice.choice(_UNITS), stage=stages))
        yield "an inspector's cases", again(lambda: listed(handler=dice.choice(handlers)))
        yield "a word in the text", again(lambda: listed(text=dice.choice(_WORDS)))
        yield (
            "two words in a unit",
            again(lambda: listed(text=" ".join(dice.sample(_WORDS, 2)), unit=dice.choice(_UNITS))),
        )
        yield "a month by outcome", again(lambda: listed(outcome=dice.choice(("upheld", "settled")), **month()))
        yield "a number", again(lambda: listed(text=dice.choice(numbers)))
        yield "one case", again(lambda: f"/v1/cases/{dice.choice(any_cases)}")
        yield "what is suggested in screening", again(lambda: f"/v1/cases/{dice.choice(waiting)}/suggestions")

    # --- citizens ---

    def status(self) -> Row:
        """Where is my case? Each code of the city once, not cached."""
        filler = Filler(self.system.values)
        filler.begin(filler.settled(self.cases, "qazvin"))
        codes = [filler.keys.case(self._dice.randrange(self.cases))[0] for _ in range(_CODES)]
        tally = load.run(load.each(self.stand.url, AT_ONCE, [status_of(code) for code in codes]))
        if tally.errors:
            raise RuntimeError(tally.errors[0])
        p95 = percentile(tally.seconds, 0.95) * 1000
        self.say(f"  status by code: p95 {p95:.1f} ms")
        rate = f"{tally.rate:.0f}/s, {AT_ONCE} at once"
        return Row("status by code, not cached, p95", "ms", (p95,), Bar(20, at_most=True), remarks=(rate,))


def _as(member: Member, path: str) -> bytes:
    return load.request("GET", path, {"Authorization": f"Bearer {member.token}"})


_UNCHANGED = {"submissions accepted": Bar(0.9), "lifecycles": Bar(0.9)}
"""Of what they were when the system was empty."""


def _compared(row: Row, before: list[Row]) -> Row:
    """A row beside what it was on the empty system."""
    empty = next((one for one in before if one.name == f"empty: {row.name}"), None)
    if empty is None:
        return Row(row.name, row.unit, row.runs, row.bar, remarks=row.remarks)
    same = tuple(empty.median for _ in row.runs)
    yardstick = Yardstick("the same, empty", same, _UNCHANGED.get(row.name))
    return Row(row.name, row.unit, row.runs, row.bar, yardstick, row.remarks)

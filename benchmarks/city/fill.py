"""Fills the databases with a city: `python -m benchmarks.city.fill [--cases N]`, with DATABASE_URL_… and the keys in the
environment. Days are written by several processes; killed and run again it goes on with the days that are missing."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from random import Random
from typing import Any
from uuid import UUID, uuid5

import psycopg
from sqlalchemy import Connection

from backbone.storage.database import Database
from benchmarks.city import bulk_writing, filing_days
from benchmarks.city.bulk_writing import SERVICES
from benchmarks.city.case_histories import play
from benchmarks.city.case_templates import CaseTemplate, Keys, PlannedCase, Secrets
from benchmarks.city.context import NAMESPACE, PLACE_EN, PLACE_FA, CityContext, meeting_after, slot_of
from benchmarks.city.copy_format import lines
from benchmarks.city.rows import TABLES
from contracts.base import now
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.accounts.models import citizens
from services.intake.catalogue import store as intake_store
from services.tracking.case import store as tracking_store
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.reference.workdays import ONE_DAY, day_of
from services.tracking.settings import Settings as TrackingSettings

CASES_PER_TEMPLATE = 40
"""Cases that are made from one simulated history."""
MANY = 50_000
"""From so many cases on indexes are made at the end, which is faster: until then the services must not run."""
_CITIZENS_DAY = date(1, 1, 1)
_MEETINGS = timedelta(weeks=4)
_BEFORE_NOW = timedelta(minutes=15)

Say = Callable[[str], None]


class CannotFill(Exception):
    """The databases hold another city, or cannot take one."""


@dataclass(frozen=True)
class Plan:
    """Fixed when the filling begins, and kept when it is continued. `until`: nothing in the city happens later;
    `first_numbers`: of each Jalali year; the rest are ids of staff."""

    cases: int
    seed: str
    until: str
    first_numbers: dict[str, int]
    screeners: list[str]
    inspectors: list[str]
    heads: list[str]

    @property
    def last(self) -> date:
        return day_of(datetime.fromisoformat(self.until)) - ONE_DAY

    @property
    def citizens(self) -> int:
        return max(1, round(self.cases * filing_days.CITIZENS))


class Filler:
    """One process that writes days. `environment`: DATABASE_URL_… of each service that is there (tracking and intake always), and
    the keys."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.urls = {
            name: url for name in SERVICES if (url := environment.get(f"DATABASE_URL_{name.upper()}")) is not None
        }
        self._connections: dict[str, psycopg.Connection[Any]] = {}

    def connection(self, service: str) -> psycopg.Connection[Any]:
        if service not in self._connections:
            self._connections[service] = bulk_writing.connect(self.urls[service])
            self._connections[service].autocommit = True
        return self._connections[service]

    def load_or_make_plan(self, cases: int, seed: str) -> Plan:
        """The plan in the database, or a new one."""
        for service in self.urls:
            bulk_writing.prepare(self.connection(service))
        row = self.connection("tracking").execute("SELECT plan FROM city").fetchone()
        if row is not None:
            plan = Plan(**row[0])
            if plan.cases != cases:
                raise CannotFill(f"a city of {plan.cases:,} cases is here, complete or not: fill that one")
            return plan
        with Database(self.urls["tracking"], pool_size=2).transaction() as connection:
            plan = self._new_plan(connection, cases, seed)
        self.connection("tracking").execute("INSERT INTO city VALUES (true, %s)", [json.dumps(asdict(plan))])
        return plan

    def _new_plan(self, connection: Connection, cases: int, seed: str) -> Plan:
        settings = self._settings()
        workdays = CatalogueCopy(settings.deadlines, settings.weekend).current(connection).workdays
        rows = self.connection("tracking").execute("SELECT staff_id, roles FROM staff WHERE active ORDER BY staff_id")
        by_role: dict[str, list[str]] = defaultdict(list)
        for staff_id, roles in rows:
            for role in roles:
                by_role[role].append(str(staff_id))
        people = {f"{role}s": by_role[role] for role in (Role.SCREENER, Role.INSPECTOR, Role.HEAD)}
        if not all(people.values()) or len(people["inspectors"]) < 3:
            raise CannotFill("tracking knows too few staff: a screener, a head and three inspectors are needed")
        until = now() - _BEFORE_NOW
        of_year: dict[int, int] = defaultdict(int)
        for day in filing_days.days(cases, day_of(until) - ONE_DAY, workdays):
            of_year[day.year] += day.cases
        numbers = {str(year): tracking_store.take_numbers(connection, year, count) for year, count in of_year.items()}
        return Plan(cases, seed, until.isoformat(), numbers, **people)

    def _settings(self) -> TrackingSettings:
        return TrackingSettings(amqp_url="amqp://nobody", database_url=self.urls["tracking"])

    def begin(self, plan: Plan) -> None:
        """Prepares for writing days of this plan."""
        self._plan, settings = plan, self._settings()
        values = {name.lower(): value for name, value in self._environment.items()}
        nobody = {"amqp_url": "amqp://nobody", "database_url": self.urls["tracking"]}
        self.keys = Keys(Secrets.model_validate(values | nobody), plan.seed)
        with Database(self.urls["tracking"], pool_size=1).read() as connection:
            city = CatalogueCopy(settings.deadlines, settings.weekend).current(connection)
        with Database(self.urls["intake"], pool_size=1).read() as connection:
            catalogue = intake_store.catalogue(connection)
        units = {row[0]: row[1] for row in self.connection("tracking").execute("SELECT staff_id, unit FROM staff")}
        unit_of = {str(staff_id): unit for staff_id, unit in units.items()}
        office = {unit_of[staff_id] for ids in (plan.screeners, plan.inspectors, plan.heads) for staff_id in ids} - {
            None
        }

        def people(role: Role, ids: Sequence[str]) -> tuple[Actor, ...]:
            return tuple(
                Actor(kind=ActorKind.STAFF, id=staff_id, roles=frozenset({role}), unit=unit_of[staff_id])
                for staff_id in ids
            )

        self.city_context = CityContext(
            city,
            catalogue,
            people(Role.SCREENER, plan.screeners),
            people(Role.INSPECTOR, plan.inspectors),
            people(Role.HEAD, plan.heads),
            datetime.fromisoformat(plan.until),
            settings.mayor_unit,
            settings.visit_lead,
            frozenset().union(*(city.tree.above(unit) for unit in office)),
        )
        self._complaints = self.city_context.complaints()

    def days(self) -> list[filing_days.Day]:
        """The days that some database does not have yet."""
        written = [bulk_writing.written(self.connection(service)) for service in self._of_cases()]
        complete = set.intersection(*written)
        return [
            day
            for day in filing_days.days(self._plan.cases, self._plan.last, self.city_context.city.workdays)
            if day.cases and day.on not in complete
        ]

    def _of_cases(self) -> list[str]:
        return [service for service in self.urls if service != "accounts"]

    def write(self, day: filing_days.Day) -> int:
        """Writes one day into each database that does not have it; returns how many cases it has."""
        missing = {
            service for service in self._of_cases() if day.on not in bulk_writing.written(self.connection(service))
        }
        texts: dict[str, dict[Any, list[str]]] = {service: defaultdict(list) for service in missing}
        for case_rows in self._cases(day):
            for (service, table), text in case_rows.items():
                if service in missing:
                    texts[service][TABLES[service, table]].append(text)
        for service in sorted(missing):
            bulk_writing.write_day(self.connection(service), day.on, day.cases, texts[service])
        return day.cases

    def _cases(self, day: filing_days.Day) -> Any:
        rng = Random(f"{self._plan.seed} {day.on}")
        moments, done = filing_days.moments(day.on, rng), 0
        first = self._plan.first_numbers[str(day.year)] + day.numbered
        while done < day.cases:
            histories = play(self.city_context, rng, self._complaints, next(moments))
            if done + len(histories) > day.cases:
                continue
            event = histories[0].event
            similar = [
                complaint.text
                for complaint in self._complaints
                if (complaint.unit, complaint.ground) == (event.unit, event.ground)
            ]
            template = CaseTemplate(histories, similar, self.keys, rng)
            for _ in range(min(CASES_PER_TEMPLATE, day.cases - done) // template.size):
                yield template.fill(
                    [self._planned(day, first, done + index, rng) for index in range(template.size)], rng
                )
                done += template.size

    def _planned(self, day: filing_days.Day, first: int, index: int, rng: Random) -> PlannedCase:
        citizen = int(self._plan.citizens * rng.random() ** 1.4)
        return PlannedCase(day.first + index, f"{day.year}-{first + index:06d}", citizen)

    def write_people(self) -> None:
        """Writes the citizens, and the public meetings of the inspectors."""
        first = self._plan.last - filing_days.DAYS * ONE_DAY
        if "accounts" in self.urls and not bulk_writing.written(self.connection("accounts")):
            created_at = datetime.combine(first, datetime.min.time(), UTC)
            people = (self.keys.citizen(number) for number in range(self._plan.citizens))
            rows = ({"citizen_id": own, "mobile_hash": hashed, "created_at": created_at} for own, _, hashed in people)
            block = {citizens: [lines(citizens, rows)]}
            bulk_writing.write_day(self.connection("accounts"), _CITIZENS_DAY, 0, block)
        connection = self.connection("tracking")
        with connection.transaction(), connection.cursor() as cursor:
            for inspector in self.city_context.inspectors:
                room = uuid5(NAMESPACE, f"room {inspector.id}")
                cursor.execute(
                    "INSERT INTO rooms VALUES (%s, %s, %s, true) ON CONFLICT DO NOTHING", [room, PLACE_FA, PLACE_EN]
                )
                cursor.executemany(
                    "INSERT INTO visit_slots VALUES (%s, %s, %s, %s, %s, %s, false) ON CONFLICT DO NOTHING",
                    self._meetings(inspector, room, first),
                )

    def _meetings(self, inspector: Actor, room: UUID, first: date) -> list[tuple[Any, ...]]:
        day, meetings = meeting_after(first, self.city_context), []
        while day <= self._plan.last + _MEETINGS:
            slot = slot_of(inspector, day)
            meetings.append((slot.slot_id, room, slot.inspector, slot.starts_at, slot.ends_at, slot.capacity))
            day = meeting_after(day + ONE_DAY, self.city_context)
        return meetings

    def tables(self, service: str) -> list[str]:
        return [table for owner, table in TABLES if owner == service]

    def analyse(self, service: str) -> None:
        """Updates statistics for the planner, and the visibility map for index-only scans."""
        self.connection(service).execute("VACUUM (ANALYZE)")


_filler: Filler


def _start(environment: Mapping[str, str], plan: Plan) -> None:
    global _filler  # one in each process of the pool
    _filler = Filler(environment)
    _filler.begin(plan)


def _day(day: filing_days.Day) -> int:
    return _filler.write(day)


def _index(index: tuple[str, str]) -> str:
    service, name = index
    bulk_writing.make_index(_filler.connection(service), name)
    return name


def _analyse(service: str) -> None:
    _filler.analyse(service)


def fill(
    environment: Mapping[str, str], cases: int, say: Say = print, seed: str = "qazvin", processes: int | None = None
) -> float:
    """Fills until the city is complete; how many cases a second were written (0 when it was complete). Raises CannotFill."""
    filler = Filler(environment)
    plan = filler.load_or_make_plan(cases, seed)
    filler.begin(plan)
    missing, began = filler.days(), time.monotonic()
    total = sum(day.cases for day in missing)
    if missing and cases >= MANY:
        for service in filler.urls:
            bulk_writing.drop_indexes(filler.connection(service), filler.tables(service))
    filler.write_people()
    with get_context("spawn").Pool(processes or (os.cpu_count() or 1) + 1, _start, (environment, plan)) as pool:
        done, reported_at = 0, time.monotonic()
        for count in pool.imap_unordered(_day, missing):
            done += count
            if time.monotonic() - reported_at > 10 or done == total:
                reported_at = time.monotonic()
                rate = done / (reported_at - began)
                say(
                    f"  {cases - total + done:,} of {cases:,} cases, {rate:,.0f}/s, {(total - done) / rate:,.0f} s left"
                )
        indexes = [
            (service, name)
            for service in filler.urls
            for name in bulk_writing.missing_indexes(filler.connection(service))
        ]
        if indexes:
            say(f"  making {len(indexes)} indexes")
        for name in pool.imap_unordered(_index, sorted(indexes, key=lambda index: "search" not in index[1])):
            say(f"  {name}, {time.monotonic() - began:,.0f} s")
        if missing or indexes:
            pool.map(_analyse, filler.urls)
    return total / (time.monotonic() - began)


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 with a sentence."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.city.fill", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int)
    options = parser.parse_args(arguments)
    try:
        rate = fill(dict(os.environ), options.cases, processes=options.processes)
    except CannotFill as problem:
        print(f"peygir: {problem}", file=sys.stderr)
        return 1
    print(f"{options.cases:,} cases are there; {rate:,.0f}/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

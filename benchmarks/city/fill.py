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
from benchmarks.city import databases, plan
from benchmarks.city.copying import lines
from benchmarks.city.databases import SERVICES
from benchmarks.city.lives import NAMESPACE, PLACE_EN, PLACE_FA, Town, meeting_after, play, slot_of
from benchmarks.city.rows import TABLES
from benchmarks.city.stamps import Filed, Keys, Mould, Secrets
from contracts.base import now
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.accounts.models import citizens
from services.intake.catalogue import store as intake_store
from services.tracking.case import store as tracking_store
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.reference.workdays import ONE_DAY, day_of
from services.tracking.settings import Settings as TrackingSettings

PER_MOULD = 40
"""Cases that are stamped after one life."""
MANY = 50_000
"""From so many cases on indexes are made at the end, which is quicker: until then the services must not run."""
_CITIZENS_DAY = date(1, 1, 1)
_MEETINGS = timedelta(weeks=4)
_BEFORE_NOW = timedelta(minutes=15)

Say = Callable[[str], None]


class NotAsPlanned(Exception):
    """The databases hold another city, or cannot take one."""


@dataclass(frozen=True)
class Plan:
    """What is settled when the filling begins, and holds however often it is taken up again. `until`: nothing in the city
    happens later; `first_numbers`: of each Jalali year; the rest are ids of staff."""

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
        return max(1, round(self.cases * plan.CITIZENS))


class Filler:
    """One process's connections and what it makes the city of. `environment`: DATABASE_URL_… of each service that is there
    (tracking and intake always), and the keys."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.urls = {
            name: url for name in SERVICES if (url := environment.get(f"DATABASE_URL_{name.upper()}")) is not None
        }
        self._connections: dict[str, psycopg.Connection[Any]] = {}

    def connection(self, service: str) -> psycopg.Connection[Any]:
        if service not in self._connections:
            self._connections[service] = databases.connect(self.urls[service])
            self._connections[service].autocommit = True
        return self._connections[service]

    def settled(self, cases: int, seed: str) -> Plan:
        """The one that is there, or a new one."""
        for service in self.urls:
            databases.prepare(self.connection(service))
        row = self.connection("tracking").execute("SELECT plan FROM city").fetchone()
        if row is not None:
            known = Plan(**row[0])
            if known.cases != cases:
                raise NotAsPlanned(f"a city of {known.cases:,} cases is here, or half of it: ask for that one")
            return known
        with Database(self.urls["tracking"], pool_size=2).transaction() as connection:
            made = self._new(connection, cases, seed)
        self.connection("tracking").execute("INSERT INTO city VALUES (true, %s)", [json.dumps(asdict(made))])
        return made

    def _new(self, connection: Connection, cases: int, seed: str) -> Plan:
        settings = self._settings()
        workdays = CatalogueCopy(settings.deadlines, settings.weekend).current(connection).workdays
        rows = self.connection("tracking").execute("SELECT staff_id, roles FROM staff WHERE active ORDER BY staff_id")
        by_role: dict[str, list[str]] = defaultdict(list)
        for staff_id, roles in rows:
            for role in roles:
                by_role[role].append(str(staff_id))
        people = {f"{role}s": by_role[role] for role in (Role.SCREENER, Role.INSPECTOR, Role.HEAD)}
        if not all(people.values()) or len(people["inspectors"]) < 3:
            raise NotAsPlanned("tracking knows too few staff: a screener, a head and three inspectors are needed")
        until = now() - _BEFORE_NOW
        of_year: dict[int, int] = defaultdict(int)
        for day in plan.days(cases, day_of(until) - ONE_DAY, workdays):
            of_year[day.year] += day.cases
        numbers = {str(year): tracking_store.take_numbers(connection, year, count) for year, count in of_year.items()}
        return Plan(cases, seed, until.isoformat(), numbers, **people)

    def _settings(self) -> TrackingSettings:
        return TrackingSettings(amqp_url="amqp://nobody", database_url=self.urls["tracking"])

    def begin(self, made: Plan) -> None:
        """Gets ready to write days of this plan."""
        self._plan, settings = made, self._settings()
        given = {name.lower(): value for name, value in self._environment.items()}
        nobody = {"amqp_url": "amqp://nobody", "database_url": self.urls["tracking"]}
        self.keys = Keys(Secrets.model_validate(given | nobody), made.seed)
        with Database(self.urls["tracking"], pool_size=1).read() as connection:
            city = CatalogueCopy(settings.deadlines, settings.weekend).current(connection)
        with Database(self.urls["intake"], pool_size=1).read() as connection:
            catalogue = intake_store.catalogue(connection)
        units = {row[0]: row[1] for row in self.connection("tracking").execute("SELECT staff_id, unit FROM staff")}
        known = {str(one): unit for one, unit in units.items()}
        office = {known[one] for ids in (made.screeners, made.inspectors, made.heads) for one in ids} - {None}

        def people(role: Role, ids: Sequence[str]) -> tuple[Actor, ...]:
            return tuple(Actor(kind=ActorKind.STAFF, id=one, roles=frozenset({role}), unit=known[one]) for one in ids)

        self.town = Town(
            city,
            catalogue,
            people(Role.SCREENER, made.screeners),
            people(Role.INSPECTOR, made.inspectors),
            people(Role.HEAD, made.heads),
            datetime.fromisoformat(made.until),
            settings.mayor_unit,
            settings.visit_lead,
            frozenset().union(*(city.tree.above(unit) for unit in office)),
        )
        self._complaints = self.town.complaints()

    def days(self) -> list[plan.Day]:
        """Those that some database does not have yet."""
        written = [databases.written(self.connection(service)) for service in self._of_cases()]
        there = set.intersection(*written)
        return [
            day
            for day in plan.days(self._plan.cases, self._plan.last, self.town.city.workdays)
            if day.cases and day.on not in there
        ]

    def _of_cases(self) -> list[str]:
        return [service for service in self.urls if service != "accounts"]

    def write(self, day: plan.Day) -> int:
        """One day, into each database that does not have it; how many cases."""
        missing = {one for one in self._of_cases() if day.on not in databases.written(self.connection(one))}
        texts: dict[str, dict[Any, list[str]]] = {service: defaultdict(list) for service in missing}
        for stamped in self._stamps(day):
            for (service, table), text in stamped.items():
                if service in missing:
                    texts[service][TABLES[service, table]].append(text)
        for service in sorted(missing):
            databases.write_day(self.connection(service), day.on, day.cases, texts[service])
        return day.cases

    def _stamps(self, day: plan.Day) -> Any:
        rng = Random(f"{self._plan.seed} {day.on}")
        moments, done = plan.moments(day.on, rng), 0
        first = self._plan.first_numbers[str(day.year)] + day.numbered
        while done < day.cases:
            lives = play(self.town, rng, self._complaints, next(moments))
            if done + len(lives) > day.cases:
                continue
            event = lives[0].event
            like = [one.text for one in self._complaints if (one.unit, one.ground) == (event.unit, event.ground)]
            mould = Mould(lives, like, self.keys, rng)
            for _ in range(min(PER_MOULD, day.cases - done) // mould.size):
                yield mould.stamp([self._filed(day, first, done + place, rng) for place in range(mould.size)], rng)
                done += mould.size

    def _filed(self, day: plan.Day, first: int, place: int, rng: Random) -> Filed:
        citizen = int(self._plan.citizens * rng.random() ** 1.4)
        return Filed(day.first + place, f"{day.year}-{first + place:06d}", citizen)

    def write_people(self) -> None:
        """Citizens, and the public meetings at which inspectors hear them."""
        first = self._plan.last - plan.DAYS * ONE_DAY
        if "accounts" in self.urls and not databases.written(self.connection("accounts")):
            made = datetime.combine(first, datetime.min.time(), UTC)
            told = (self.keys.citizen(number) for number in range(self._plan.citizens))
            rows = ({"citizen_id": own, "mobile_hash": hashed, "created_at": made} for own, _, hashed in told)
            block = {citizens: [lines(citizens, rows)]}
            databases.write_day(self.connection("accounts"), _CITIZENS_DAY, 0, block)
        connection = self.connection("tracking")
        with connection.transaction(), connection.cursor() as cursor:
            for inspector in self.town.inspectors:
                room = uuid5(NAMESPACE, f"room {inspector.id}")
                cursor.execute(
                    "INSERT INTO rooms VALUES (%s, %s, %s, true) ON CONFLICT DO NOTHING", [room, PLACE_FA, PLACE_EN]
                )
                cursor.executemany(
                    "INSERT INTO visit_slots VALUES (%s, %s, %s, %s, %s, %s, false) ON CONFLICT DO NOTHING",
                    self._meetings(inspector, room, first),
                )

    def _meetings(self, inspector: Actor, room: UUID, first: date) -> list[tuple[Any, ...]]:
        day, found = meeting_after(first, self.town), []
        while day <= self._plan.last + _MEETINGS:
            one = slot_of(inspector, day)
            found.append((one.slot_id, room, one.inspector, one.starts_at, one.ends_at, one.capacity))
            day = meeting_after(day + ONE_DAY, self.town)
        return found

    def tables(self, service: str) -> list[str]:
        return [table for owner, table in TABLES if owner == service]

    def analyse(self, service: str) -> None:
        """So that the planner knows, and index-only scans need not look into the tables."""
        self.connection(service).execute("VACUUM (ANALYZE)")


_filler: Filler


def _start(environment: Mapping[str, str], made: Plan) -> None:
    global _filler  # one in each process of the pool
    _filler = Filler(environment)
    _filler.begin(made)


def _day(day: plan.Day) -> int:
    return _filler.write(day)


def _index(one: tuple[str, str]) -> str:
    databases.make_index(_filler.connection(one[0]), one[1])
    return one[1]


def _analyse(service: str) -> None:
    _filler.analyse(service)


def fill(
    environment: Mapping[str, str], cases: int, say: Say = print, seed: str = "qazvin", processes: int | None = None
) -> float:
    """Fills until all is there; how many cases a second were written (0 when all was there). NotAsPlanned."""
    filler = Filler(environment)
    made = filler.settled(cases, seed)
    filler.begin(made)
    missing, began = filler.days(), time.monotonic()
    wanted = sum(day.cases for day in missing)
    if missing and cases >= MANY:
        for service in filler.urls:
            databases.drop_indexes(filler.connection(service), filler.tables(service))
    filler.write_people()
    with get_context("spawn").Pool(processes or (os.cpu_count() or 1) + 1, _start, (environment, made)) as pool:
        done, told = 0, time.monotonic()
        for count in pool.imap_unordered(_day, missing):
            done += count
            if time.monotonic() - told > 10 or done == wanted:
                told = time.monotonic()
                rate = done / (told - began)
                say(
                    f"  {cases - wanted + done:,} of {cases:,} cases, {rate:,.0f}/s, {(wanted - done) / rate:,.0f} s left"
                )
        indexes = [(one, name) for one in filler.urls for name in databases.missing_indexes(filler.connection(one))]
        if indexes:
            say(f"  making {len(indexes)} indexes")
        for name in pool.imap_unordered(_index, sorted(indexes, key=lambda one: "search" not in one[1])):
            say(f"  {name}, {time.monotonic() - began:,.0f} s")
        if missing or indexes:
            pool.map(_analyse, filler.urls)
    return wanted / (time.monotonic() - began)


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 with a sentence."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.city.fill", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int)
    options = parser.parse_args(arguments)
    try:
        rate = fill(dict(os.environ), options.cases, processes=options.processes)
    except NotAsPlanned as problem:
        print(f"peygir: {problem}", file=sys.stderr)
        return 1
    print(f"{options.cases:,} cases are there; {rate:,.0f}/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

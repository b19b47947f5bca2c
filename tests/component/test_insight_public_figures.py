"""Public figures over insight's own database: what anybody may ask, and what it may tell (DOMAIN: Analysis)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from backbone.storage.database import Database
from contracts.errors import InvalidField
from contracts.gateway import Actor
from contracts.insight import CountCases, Counts, CountVisits, VisitCounts
from contracts.tracking import CaseCorrected, CaseOpened, TrackedEvent, VisitAsked, VisitHeld
from contracts.vocabulary import ActorKind, Kind, Role, Stage
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.insight.composition import InsightUseCases, compose
from services.insight.publication.rules import CASES_A_YEAR
from services.insight.service import Service
from tests.support.insight import case_opened, catalogue_changed
from tests.support.processes import prepared

MEHR = datetime(2026, 10, 5, 8, 30, tzinfo=UTC)  # noon of 1405-07-13 in Tehran
SATURDAY = datetime(2026, 10, 31, 8, 30, tzinfo=UTC)  # 1405-08-09: Mehr is over
NEXT = SATURDAY + timedelta(days=7)
TREE = {"mq": None, "dep": "mq", "dep.large": "dep", "dep.small": "dep", "mayor": "mq"}
GROUNDS = ("delay", "weak", "waste")
KEY = bytes(range(32))


def opened(at: datetime = MEHR, **changes: Any) -> CaseOpened:
    return case_opened(at, **{"unit": "dep.large", **changes})


def corrected(case: CaseOpened, **more: Any) -> CaseCorrected:
    state = case.state.model_copy(update=more)
    return CaseCorrected(id=uuid4(), occurred_at=case.occurred_at, case_id=case.case_id, sequence=2, state=state)


def visit(at: datetime) -> list[TrackedEvent]:
    about: dict[str, Any] = {"occurred_at": at, "case_id": uuid4(), "visit_id": uuid4(), "state": opened(at).state}
    return [VisitAsked(id=uuid4(), sequence=2, **about), VisitHeld(id=uuid4(), sequence=3, **about)]


@dataclass
class Office:
    """Insight's use cases on its database."""

    database: Database
    use_cases: InsightUseCases = field(default_factory=compose)

    def record(self, *events: Any) -> None:
        with self.database.transaction() as connection:
            self.use_cases.ingest.record(connection, events)

    def release(self, moment: datetime = SATURDAY) -> bool:
        with self.database.transaction() as connection:
            return self.use_cases.publication.release(connection, moment)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.database.transaction() as connection:
            result = connection.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []

    def cases(self, by: list[str], actor: Actor | None = None, **more: Any) -> Counts:
        with self.database.read() as connection:
            return self.use_cases.figures.count_cases(connection, CountCases(actor=actor, by=by, **more))

    def visits(self, by: list[str], actor: Actor | None = None, **more: Any) -> VisitCounts:
        with self.database.read() as connection:
            return self.use_cases.figures.count_visits(connection, CountVisits(actor=actor, by=by, **more))

    def cells(self, by: list[str], **more: Any) -> dict[Any, int | None]:
        answer = self.cases(by, **more)
        return {cell.key[0] if len(by) == 1 else tuple(cell.key): cell.count for cell in answer.cells}


@pytest.fixture(scope="module")
def database(broker: RabbitMQ, postgres: PostgreSQL) -> Iterator[Database]:
    environment = prepared("insight", broker.url, postgres.url, "insight_public")
    made = Database(environment["DATABASE_URL"], pool_size=4)
    yield made
    made.close()


@pytest.fixture
def office(database: Database) -> Office:
    made = Office(database)
    made.sql("TRUNCATE facts, transitions, visits, units, grounds, releases, public_figures")
    made.sql("UPDATE figures_key SET key = :key", key=KEY)
    made.record(catalogue_changed(MEHR, TREE, grounds=GROUNDS))
    return made


def every_question() -> Iterator[tuple[str, dict[str, Any]]]:
    """All that a stranger may put into a question: dimensions, filters, ranges of days."""
    dimensions = ("day", "month", "unit", "ground", "kind", "stage")
    filters: list[dict[str, Any]] = [{}, *({"unit": unit} for unit in (*TREE, "nowhere"))]
    filters += [{"kind": kind} for kind in Kind] + [{"stage": stage} for stage in Stage]
    filters += [{"unit": "dep.small", "kind": Kind.COMPLAINT}, {"kind": Kind.COMPLAINT, "stage": Stage.DECIDED}]
    ranges: list[dict[str, Any]] = [
        {},
        {"since": MEHR.date()},
        {"since": MEHR.date(), "until": MEHR.date()},
        {"since": date(2026, 9, 23), "until": date(2026, 10, 22)},
        {"until": date(2026, 11, 6)},
    ]
    for size in (1, 2, 3):
        for by in combinations(dimensions, size):
            for chosen in filters:
                for days in ranges:
                    yield "cases", {"by": list(by), **chosen, **days}
    for names in (["month"], ["unit"], ["ground"], ["month", "unit"]):
        for days in ranges:
            yield "visits", {"by": names, **days}


def everything(office: Office) -> dict[str, Any]:
    """Every public answer, by its question; a refusal is one, too."""
    answers: dict[str, Any] = {}
    with office.database.read() as connection:
        for what, question in every_question():
            try:
                if what == "cases":
                    answers[f"{what} {question}"] = office.use_cases.figures.count_cases(
                        connection, CountCases(**question)
                    )
                else:
                    answers[f"{what} {question}"] = office.use_cases.figures.count_visits(
                        connection, CountVisits(**question)
                    )
            except InvalidField as error:
                answers[f"{what} {question}"] = error.params["fields"][0]["reason"]
    return answers


def filled(office: Office) -> list[CaseOpened]:
    """A city of some size: its cases."""
    chance = random.Random(5)
    cases = [
        opened(
            MEHR + timedelta(days=chance.randrange(12)),
            kind=chance.choice(list(Kind)),
            ground=chance.choice(GROUNDS),
            stage=chance.choice(list(Stage)),
        )
        for _ in range(600)
    ]
    office.record(*cases, *(event for _ in range(90) for event in visit(MEHR)))
    return cases


class TestRelease:
    def test_nothing_is_published_before_the_first_release(self, office: Office) -> None:
        filled(office)
        answer = office.cases(["kind"])
        assert (answer.cells, answer.total, answer.until) == ([], None, None)
        assert office.visits(["month"]).cells == []

    def test_no_event_changes_a_public_answer_before_the_next_release(self, office: Office) -> None:
        cases = filled(office)
        assert office.release()
        before = everything(office)
        today = SATURDAY + timedelta(hours=1)
        office.record(*(opened(today, unit=unit) for unit in TREE for _ in range(50)))
        office.record(*(opened(unit="dep.small") for _ in range(50)))  # filed in Mehr, and known only now
        office.record(*(corrected(case, unit="dep.small", stage=Stage.CLOSED) for case in cases))
        office.record(*(event for _ in range(50) for event in visit(today)))
        assert not office.release(SATURDAY + timedelta(days=6))
        assert everything(office) == before

    def test_released_figures_are_never_released_differently(self, office: Office) -> None:
        cases = filled(office)
        office.release()
        before = office.sql("SELECT * FROM public_figures ORDER BY measure, dimension, key, since")
        office.record(*(corrected(case, unit="dep.small") for case in cases))
        office.record(*(opened(unit="dep.small") for _ in range(30)))
        for week in range(1, 6):
            assert office.release(SATURDAY + timedelta(days=7 * week))
        after = office.sql("SELECT * FROM public_figures ORDER BY measure, dimension, key, since")
        assert set(before) < set(after)
        assert len({tuple(row)[:4] for row in after}) == len(after)

    def test_public_answers_come_only_from_released_figures(self, office: Office) -> None:
        filled(office)
        office.release()
        before = everything(office)
        office.sql("TRUNCATE facts, visits, transitions")
        assert everything(office) == before

    def test_a_week_is_published_in_total_and_details_when_its_month_is_over(self, office: Office) -> None:
        filled(office)
        first_week_of_aban = datetime(2026, 10, 27, 8, 30, tzinfo=UTC)
        office.record(*(opened(first_week_of_aban) for _ in range(200)))
        office.release()
        months = office.cells(["month"])
        assert months["1405-08"] is not None
        assert abs(months["1405-08"] - 200) < 30
        assert {key[0] for key in office.cells(["month", "unit"])} == {"1405-07"}
        assert office.cases(["month"]).until == date(2026, 10, 30)
        late = datetime(2026, 11, 28, 8, 30, tzinfo=UTC)  # the Saturday after Aban's last day
        office.release(late)
        assert {key[0] for key in office.cells(["month", "unit"])} == {"1405-07", "1405-08"}

    def test_two_simultaneous_processes_make_one_release(self, office: Office) -> None:
        filled(office)
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda _: office.release(), range(2)))
        assert sorted(done) == [False, True]

    def test_the_service_publishes_a_due_release(self, office: Office) -> None:
        filled(office)
        Service.release_public_figures(SimpleNamespace(db=office.database, use_cases=office.use_cases))
        [newest] = office.sql("SELECT max(until) AS until FROM releases")
        assert newest.until.weekday() == 4

    def test_a_row_is_kept_for_values_without_cases_too(self, office: Office) -> None:
        """Else that there is one would tell that there was a case."""
        filled(office)
        office.release()
        rows = office.sql("SELECT dimension, key FROM public_figures WHERE measure = 'cases' AND month = '1405-07'")
        cells = {(row.dimension, row.key) for row in rows}
        assert {key for dimension, key in cells if dimension == "unit"} == {*TREE, ""}
        assert {key for dimension, key in cells if dimension == "ground"} == set(GROUNDS)
        assert {key for dimension, key in cells if dimension == "kind"} == {kind.value for kind in Kind}
        assert {key for dimension, key in cells if dimension == "stage"} == {stage.value for stage in Stage}


class TestSmallCells:
    def test_none_and_few_cases_are_published_alike_with_or_without_own_cases(self, office: Office) -> None:
        """Of a unit with few cases, or none, or those of the attacker alone, no answer about units is another one."""
        answers = []
        for others in range(5):
            for own in (0, 1, 3, 4):
                office.sql("TRUNCATE facts, transitions, visits, releases, public_figures")
                filled(office)
                office.record(*(opened(unit="dep.small") for _ in range(others + own)))
                office.release()
                answers.append(
                    (
                        office.cases(["unit"], unit="dep.small"),
                        office.cases(["month"], unit="dep.small"),
                        office.cases(["month", "unit"], unit="dep.small"),
                        "dep.small" in office.cells(["unit"]),
                    )
                )
        assert answers[0][0].cells == []
        assert answers[0][0].total is None
        assert answers[0][3] is False
        assert all(answer == answers[0] for answer in answers)

    def test_parents_and_children_differ_by_an_unknown_blur(self, office: Office) -> None:
        """A parent less its other children is the small unit's blurred cell, in which none and few are alike: over many
        keys, the difference for a unit without cases and for one with four cannot be told apart one by one."""
        seen: dict[int, set[int]] = {0: set(), 4: set()}
        for key in range(40):
            for few in seen:
                office.sql("TRUNCATE facts, transitions, visits, releases, public_figures")
                office.sql("UPDATE figures_key SET key = :key", key=bytes([key]) * 32)
                office.record(*(opened() for _ in range(150)), *(opened(unit="dep.small") for _ in range(few)))
                office.release()
                whole, part = office.cases(["month"], unit="dep").total, office.cases(["month"], unit="dep.large").total
                assert whole is not None
                assert part is not None
                seen[few].add(whole - part)
        assert len(seen[0] & seen[4]) >= 2

    def test_published_figures_are_multiples_of_five_near_the_exact_ones(self, office: Office) -> None:
        filled(office)
        office.release()
        exact = office.sql("SELECT kind, count(*) AS number FROM facts GROUP BY kind")
        for row in exact:
            count = office.cells(["kind"])[row.kind]
            assert count is not None
            assert count % 5 == 0
            assert abs(count - row.number) < 40
        assert office.cells(["unit"]).keys() == {"dep.large"}
        for cell in office.visits(["month"]).cells:
            assert all(value is None or value % 5 == 0 for value in (cell.asked, cell.held))
            assert cell.no_show is None

    def test_a_unit_of_few_cases_a_year_is_published_within_the_one_above_it(self, office: Office) -> None:
        office.record(*(opened() for _ in range(90)), *(opened(unit="dep.small") for _ in range(40)))
        office.release()
        assert ("1405-07", "dep.small") in office.cells(["month", "unit"])
        # A month of many, and a year that comes to less: only blurs can come so far apart, so they are put there.
        put = "UPDATE public_figures SET value = value + :more WHERE dimension = 'unit' AND key = 'dep.small'"
        office.release(SATURDAY + timedelta(days=28))
        office.sql(f"{put} AND month = '1405-08'", more=CASES_A_YEAR - 1 - 40 - 20)
        assert ("1405-07", "dep.small") not in office.cells(["month", "unit"])
        assert office.cases(["month"], unit="dep.small").cells == []
        assert ("1405-07", "dep.large") in office.cells(["month", "unit"])
        assert office.cases(["month"], unit="dep").cells != []


class TestReaders:
    def test_two_dimensions_days_or_two_filters_are_too_fine(self, office: Office) -> None:
        for question, answer in everything(office).items():
            dimensions = {name for name in ("unit", "ground", "kind", "stage") if f"'{name}'" in question}
            fine = "'day'" in question or len(dimensions) > 1
            if question.startswith("visits"):
                fine = bool(dimensions)
            assert (answer == "too_fine") is fine, question

    @pytest.mark.parametrize(
        "actor",
        [
            Actor(kind=ActorKind.CITIZEN, id="x", roles=frozenset({Role.HEAD})),
            Actor(kind=ActorKind.BEARER, id="x"),
            Actor(kind=ActorKind.STAFF, id="x", roles=frozenset({Role.OPERATOR}), unit="mayor"),
            Actor(kind=ActorKind.STAFF, id="x", roles=frozenset({Role.LIAISON}), unit="dep.small"),
            Actor(kind=ActorKind.STAFF, id="x", roles=frozenset({Role.CUSTODIAN})),
        ],
    )
    def test_everybody_but_entitled_staff_gets_the_public_figures(self, office: Office, actor: Actor) -> None:
        filled(office)
        office.release()
        office.record(*(opened() for _ in range(30)))
        for by in (["kind"], ["month", "unit"]):
            assert office.cases(by, actor=actor) == office.cases(by)
        with pytest.raises(InvalidField):
            office.cases(["stage", "ground"], actor=actor)
        assert office.visits(["month"], actor=actor) == office.visits(["month"])

    def test_staff_count_exactly_by_month_too(self, office: Office) -> None:
        office.record(opened(), opened(), opened(datetime(2026, 10, 30, 8, 30, tzinfo=UTC), unit="mayor"))
        head = Actor(kind=ActorKind.STAFF, id="x", roles=frozenset({Role.HEAD}))
        assert office.cells(["month", "unit"], actor=head) == {("1405-07", "dep.large"): 2, ("1405-08", "mayor"): 1}
        assert office.cases(["month"], actor=head).until is None
        office.sql("TRUNCATE facts")
        assert office.cells(["month"], actor=head) == {}

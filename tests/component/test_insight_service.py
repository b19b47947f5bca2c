"""The insight service as users run it: its own process, a real broker and database."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from backbone.messaging import amqp
from backbone.messaging.topology import DEAD_LETTERS, events_of
from backbone.storage.database import Database
from contracts.accounts import OtpRequested, StaffChanged
from contracts.base import Event
from contracts.errors import InvalidField, Unavailable
from contracts.gateway import Actor
from contracts.insight import CountCases, CountVisits
from contracts.intake import CatalogueChanged
from contracts.notify import MessageChannel, NotificationDelivered, NotificationFailed
from contracts.tracking import (
    CaseAssigned,
    CaseCorrected,
    CaseDecided,
    CaseObjected,
    CaseOpened,
    CaseRated,
    CaseStageChanged,
    TrackedEvent,
    VisitAsked,
    VisitAvoided,
    VisitBooked,
    VisitCancelled,
    VisitEvent,
    VisitHeld,
    VisitMissed,
    VisitMoved,
)
from contracts.vocabulary import ActorKind, Kind, Outcome, Role, Stage
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.insight.ingest.use_cases import IngestUseCases
from tests.support.insight import case_opened, catalogue_changed, snapshot
from tests.support.processes import BusClient, ServiceProcess, eventually, prepared

pytestmark = pytest.mark.timeout(180)

NOON = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)  # noon in Tehran
PARENTS = {
    "mq": None,
    "dep.urb": "mq",
    "dep.urb.permits": "dep.urb",
    "dep.urb.control": "dep.urb",
    "mayor": "mq",
    "mayor.insp": "mayor",
}
HEAD = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}), unit="mayor.insp")


@dataclass
class InsightService:
    environment: dict[str, str]
    process: ServiceProcess

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.environment["DATABASE_URL"].replace("+psycopg", ""), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that was kept."""
        return {
            name: self.sql(f"SELECT * FROM {name} ORDER BY 1")
            for name in ("facts", "transitions", "notifications", "units", "visits", "grounds")
        }

    def empty(self) -> None:
        self.sql("TRUNCATE facts, transitions, notifications, units, visits, grounds, releases, public_figures")


@pytest.fixture(scope="module")
def service(
    broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InsightService]:
    folder = tmp_path_factory.mktemp("insight")
    environment = prepared("insight", broker.url, postgres.url, "insight_service")
    process = ServiceProcess("insight", environment, folder / "log").start()
    yield InsightService(environment, process)
    process.stop()


@pytest.fixture
def insight(service: InsightService, wire: BusClient) -> InsightService:
    service.empty()
    return service


def publish(insight: InsightService, wire: BusClient, *events: Event) -> None:
    """Publishes these and a last one, and waits until all have been taken."""
    for event in events:
        wire.event(event)
    mark = NotificationDelivered(
        id=uuid4(), occurred_at=NOON, message_id=uuid4(), case_id=None, template="mark", channel=MessageChannel.INBOX
    )
    wire.event(mark)
    eventually(lambda: insight.sql(f"SELECT 1 FROM notifications WHERE event_id = '{mark.id}'"))
    wanted = {str(event.id) for event in events if isinstance(event, TrackedEvent)}
    eventually(lambda: wanted <= {str(row[0]) for row in insight.sql("SELECT event_id FROM transitions")})
    insight.sql("DELETE FROM notifications WHERE template = 'mark'")


def catalogue(version: int = 1, **moved: str) -> CatalogueChanged:
    """The tree of these tests; `moved`: units that are below another one, dots written as underscores."""
    parents = {**PARENTS, **{code.replace("_", "."): parent for code, parent in moved.items()}}
    return catalogue_changed(NOON, parents, version)


def opened(filed_at: datetime = NOON, **changes: Any) -> CaseOpened:
    event = case_opened(filed_at, citizen_id=uuid4(), code_hash="a" * 64, **changes)
    return event.model_copy(update={"occurred_at": NOON})


def whole_case(case_id: UUID, filed_at: datetime) -> list[TrackedEvent]:
    """All that happened to one case, in order: opened, corrected, assigned, decided, objected, decided again, rated."""
    steps: list[tuple[type[TrackedEvent], dict[str, Any], dict[str, Any]]] = [
        (CaseOpened, {}, {}),
        (CaseStageChanged, {"stage": Stage.SCREENING, "previous_stage": Stage.REGISTERED}, {}),
        (CaseCorrected, {"stage": Stage.SCREENING, "unit": "dep.urb.control", "urgent": True}, {}),
        (CaseAssigned, {"stage": Stage.INVESTIGATING, "handler": uuid4()}, {}),
        (CaseDecided, {"stage": Stage.DECIDED, "outcome": Outcome.NOT_UPHELD}, {"outcome": Outcome.NOT_UPHELD}),
        (CaseObjected, {"stage": Stage.REVIEW}, {}),
        (CaseDecided, {"stage": Stage.DECIDED, "outcome": Outcome.UPHELD}, {"outcome": Outcome.UPHELD, "final": True}),
        (CaseRated, {"score": 4}, {"score": 4}),
    ]
    state: dict[str, Any] = {"filed_at": filed_at}
    events = []
    for sequence, (cls, change, more) in enumerate(steps, start=1):
        state |= change
        at = filed_at + timedelta(days=sequence)
        events.append(
            cls(id=uuid4(), occurred_at=at, case_id=case_id, sequence=sequence, state=snapshot(**state), **more)
        )
    return events


def ask(wire: BusClient, *by: str, actor: Actor | None = HEAD, **more: Any) -> tuple[dict[Any, int | None], int | None]:
    """Cells by key (the value itself when there is one dimension), and the total."""
    answer = wire.ask("insight", "count_cases", CountCases(actor=actor, by=list(by), **more))
    assert answer["by"] == list(by)
    cells = {cell["key"][0] if len(by) == 1 else tuple(cell["key"]): cell["count"] for cell in answer["cells"]}
    return cells, answer["total"]


class TestFacts:
    def test_the_newest_event_of_a_case_is_what_is_known_of_it(self, insight: InsightService, wire: BusClient) -> None:
        events = whole_case(uuid4(), NOON)
        publish(insight, wire, *events)
        [fact] = insight.sql(
            "SELECT sequence, unit, urgent, stage, outcome, score, day, decided_at, told_at FROM facts"
        )
        assert fact == (
            8,
            "dep.urb.control",
            True,
            "decided",
            "upheld",
            4,
            date(2026, 11, 24),
            NOON + timedelta(days=7),
            NOON + timedelta(days=8),
        )
        rows = insight.sql("SELECT sequence, event, stage FROM transitions ORDER BY sequence")
        assert rows[0] == (1, "case.opened.v1", "registered")
        assert [row[0] for row in rows] == list(range(1, 9))

    def test_disordered_and_doubled_events_make_the_same_tables(self, insight: InsightService, wire: BusClient) -> None:
        events: list[Event] = [event for n in range(40) for event in whole_case(uuid4(), NOON + timedelta(hours=n))]
        events += [catalogue(1), catalogue(3, mayor_insp="mq"), catalogue(2, mayor_insp="dep.urb")]
        for n in range(20):
            cls: Any = NotificationFailed if n % 3 == 0 else NotificationDelivered
            more = {"reason": "no_mobile"} if n % 3 == 0 else {}
            events.append(
                cls(
                    id=uuid4(),
                    occurred_at=NOON,
                    message_id=uuid4(),
                    case_id=uuid4(),
                    template="decided",
                    channel=MessageChannel.SMS,
                    **more,
                )
            )
        publish(insight, wire, *events)

        def all_kept() -> bool:
            # Two batches are at work at once: the last message may be in before some of those ahead of it.
            tables = insight.tables()
            assert [len(tables[name]) for name in ("facts", "transitions", "notifications")] == [40, 320, 20]
            return ("mayor.insp", "mq", 3) in tables["units"]

        eventually(all_kept)
        in_order = insight.tables()
        for seed in (1, 2):
            insight.empty()
            again = [*events, *events]
            random.Random(seed).shuffle(again)
            publish(insight, wire, *again)
            eventually(lambda: insight.tables() == in_order)

    def test_any_split_into_batches_makes_the_same_tables(self, insight: InsightService) -> None:
        events = [event for n in range(5) for event in whole_case(uuid4(), NOON + timedelta(hours=n))]
        database = Database(insight.environment["DATABASE_URL"], pool_size=1)

        def record(parts: list[list[TrackedEvent]]) -> dict[str, list[tuple[Any, ...]]]:
            insight.empty()
            for part in parts:
                with database.transaction() as connection:
                    IngestUseCases().record(connection, part)
            return insight.tables()

        whole = record([events])
        for seed in range(8):
            chance = random.Random(seed)
            mixed = [*events, *chance.sample(events, 10)]
            chance.shuffle(mixed)
            parts, at = [], 0
            while at < len(mixed):
                size = chance.randint(1, 12)
                parts.append(mixed[at : at + size])
                at += size
            assert record(parts) == whole
        database.close()

    def test_no_citizen_and_no_code_is_kept(self, insight: InsightService, wire: BusClient) -> None:
        event = opened()
        publish(insight, wire, event)
        kept = str(insight.tables())
        assert str(event.state.citizen_id) not in kept
        assert "a" * 64 not in kept

    def test_other_events_are_taken_and_leave_nothing(self, insight: InsightService, wire: BusClient) -> None:
        staff = StaffChanged(
            id=uuid4(),
            occurred_at=NOON,
            staff_id=uuid4(),
            version=1,
            display_name="x",
            roles=[],
            unit=None,
            active=True,
        )
        publish(insight, wire, staff, OtpRequested(id=uuid4(), occurred_at=NOON, sealed_code="x", expires_at=NOON))
        assert all(rows == [] for rows in insight.tables().values())
        assert wire.depth(DEAD_LETTERS) == 0

    def test_an_unknown_event_goes_to_the_dead_letters_and_holds_up_nothing(
        self, insight: InsightService, wire: BusClient
    ) -> None:
        wire.publish(events_of("tracking"), "case.dreamt.v1", b"{}")
        publish(insight, wire, opened())
        eventually(lambda: wire.depth(DEAD_LETTERS) == 1)
        taken = wire.take(DEAD_LETTERS)
        assert taken is not None
        assert taken[0].headers[amqp.QUEUE] == "insight.events"
        assert len(insight.sql("SELECT * FROM facts")) == 1


class TestCounts:
    def test_by_each_dimension_and_by_several(self, insight: InsightService, wire: BusClient) -> None:
        publish(
            insight,
            wire,
            catalogue(),
            opened(),
            opened(),
            opened(kind=Kind.CRITICISM, ground="weak", stage=Stage.SCREENING),
            opened(kind=Kind.INFORMATION, ground="waste", unit=None, filed_at=NOON - timedelta(days=1)),
        )
        assert ask(wire, "kind") == ({"complaint": 2, "criticism": 1, "information": 1}, 4)
        assert ask(wire, "unit") == ({"dep.urb.permits": 3, None: 1}, 4)
        assert ask(wire, "day") == ({"2026-11-23": 1, "2026-11-24": 3}, 4)
        assert ask(wire, "stage", "ground") == (
            {("registered", "delay"): 2, ("registered", "waste"): 1, ("screening", "weak"): 1},
            4,
        )
        cells, total = ask(wire, "kind", "day", "unit")
        assert total == 4
        assert cells[("information", "2026-11-23", None)] == 1

    def test_filters(self, insight: InsightService, wire: BusClient) -> None:
        publish(
            insight,
            wire,
            catalogue(),
            *(opened(filed_at=NOON + timedelta(days=n)) for n in range(-2, 3)),
            opened(kind=Kind.CRITICISM, stage=Stage.CLOSED),
        )
        assert ask(wire, "kind", kind=Kind.CRITICISM) == ({"criticism": 1}, 1)
        assert ask(wire, "kind", stage=Stage.REGISTERED) == ({"complaint": 5}, 5)
        cells, _ = ask(wire, "day", since=date(2026, 11, 23), until=date(2026, 11, 25))
        assert cells == {"2026-11-23": 1, "2026-11-24": 2, "2026-11-25": 1}
        assert ask(wire, "kind", since=date(2026, 12, 1)) == ({}, 0)

    def test_a_day_begins_at_midnight_in_tehran(self, insight: InsightService, wire: BusClient) -> None:
        midnight = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
        publish(insight, wire, catalogue(), opened(filed_at=midnight - timedelta(seconds=1)), opened(filed_at=midnight))
        assert ask(wire, "day")[0] == {"2026-11-23": 1, "2026-11-24": 1}
        assert ask(wire, "day", since=date(2026, 11, 24))[0] == {"2026-11-24": 1}

    def test_a_unit_stands_for_all_below_it_and_follows_a_move(self, insight: InsightService, wire: BusClient) -> None:
        publish(
            insight,
            wire,
            catalogue(),
            *(opened(unit=unit) for unit in ("dep.urb", "dep.urb.permits", "dep.urb.control", "mayor.insp", None)),
        )
        head = HEAD.model_copy(update={"unit": None})
        assert ask(wire, "unit", unit="dep.urb", actor=head)[0] == {
            "dep.urb": 1,
            "dep.urb.permits": 1,
            "dep.urb.control": 1,
        }
        assert ask(wire, "kind", unit="mq", actor=head)[1] == 4
        assert ask(wire, "kind", unit="dep.urb.permits", actor=head)[1] == 1
        publish(insight, wire, catalogue(2, dep_urb_control="mayor"))
        assert ask(wire, "unit", unit="dep.urb", actor=head)[0] == {"dep.urb": 1, "dep.urb.permits": 1}

    @pytest.mark.parametrize("role", [Role.HEAD, Role.SCREENER, Role.ANALYST, Role.ADMINISTRATOR, Role.INSPECTOR])
    def test_staff_never_count_cases_of_their_unit_or_one_above_it(
        self, insight: InsightService, wire: BusClient, role: Role
    ) -> None:
        units = ("mq", "dep.urb", "dep.urb.permits", "dep.urb.control", "mayor", None)
        publish(insight, wire, catalogue(), *(opened(unit=unit) for unit in units))
        actor = Actor(kind=ActorKind.STAFF, id="x", roles=frozenset({role}), unit="dep.urb.permits")
        assert ask(wire, "unit", actor=actor) == ({"dep.urb.control": 1, "mayor": 1, None: 1}, 3)
        assert ask(wire, "kind", actor=actor, unit="dep.urb.permits") == ({}, 0)
        above = actor.model_copy(update={"unit": "dep.urb"})
        assert ask(wire, "unit", actor=above, unit="dep.urb")[0] == {"dep.urb.permits": 1, "dep.urb.control": 1}

    def test_staff_of_a_unit_not_known_yet_get_nothing(self, insight: InsightService, wire: BusClient) -> None:
        publish(insight, wire, opened())
        with pytest.raises(Unavailable):
            ask(wire, "kind")

    def test_a_dimension_given_twice_is_refused(self, insight: InsightService, wire: BusClient) -> None:
        with pytest.raises(InvalidField):
            ask(wire, "kind", "kind", actor=None)


def visit(*steps: tuple[type[VisitEvent], datetime], unit: str = "dep.urb.permits", **more: Any) -> list[VisitEvent]:
    """One visit of a case of its own, step by step."""
    visit_id, case_id, state = uuid4(), uuid4(), snapshot(NOON, unit=unit, stage=Stage.INVESTIGATING)
    events = []
    for sequence, (cls, at) in enumerate(steps, start=2):
        event: Any = cls
        extra = more if cls is VisitCancelled else {}
        fields = {"id": uuid4(), "occurred_at": at, "case_id": case_id, "sequence": sequence, "state": state}
        events.append(event(**fields, visit_id=visit_id, **extra))
    return events


ABAN, AZAR, DEY = (datetime(2026, month, day, 8, 30, tzinfo=UTC) for month, day in ((11, 1), (12, 1), (12, 25)))


def visits_of(wire: BusClient, *by: str, actor: Actor | None = HEAD, **more: Any) -> tuple[dict[Any, Any], list[Any]]:
    """Figures by key (asked, held, avoided, cancelled, no_show), and their totals."""
    figures = ("asked", "held", "avoided", "cancelled", "no_show")
    answer = wire.ask("insight", "count_visits", CountVisits(actor=actor, by=list(by), **more))
    cells = {tuple(cell["key"]): [cell[name] for name in figures] for cell in answer["cells"]}
    return cells, [answer["totals"][name] for name in figures]


class TestVisits:
    def test_each_counts_when_it_was_asked_for_and_when_it_ended(
        self, insight: InsightService, wire: BusClient
    ) -> None:
        publish(
            insight,
            wire,
            catalogue(),
            *visit((VisitAsked, ABAN), (VisitBooked, ABAN), (VisitHeld, AZAR)),
            *visit((VisitAsked, AZAR), (VisitBooked, AZAR), (VisitMissed, AZAR)),
            *visit((VisitAsked, AZAR), (VisitAvoided, DEY), unit="mayor.insp"),
            *visit((VisitAsked, AZAR), (VisitCancelled, DEY), by="citizen"),
            *visit((VisitAsked, AZAR), (VisitBooked, AZAR), (VisitCancelled, DEY), by="ended"),
            *visit((VisitAsked, AZAR), (VisitBooked, AZAR), (VisitCancelled, DEY), by="office"),
        )
        cells, totals = visits_of(wire, "month")
        assert cells == {
            ("1405-08",): [1, 0, 0, 0, 0],
            ("1405-09",): [4, 1, 0, 0, 1],
            ("1405-10",): [0, 0, 0, 2, 0],
        }
        assert totals == [5, 1, 0, 2, 1]  # the head's own unit is no part of it
        everybody = HEAD.model_copy(update={"unit": "dep.urb"})
        assert visits_of(wire, "unit", "ground", actor=everybody)[0] == {
            ("dep.urb.permits", "delay"): [5, 1, 0, 2, 1],
            ("mayor.insp", "delay"): [1, 0, 1, 0, 0],
        }
        days: dict[str, Any] = {"since": date(2026, 12, 20), "until": date(2026, 12, 31)}
        assert visits_of(wire, "ground", **days)[0] == {("delay",): [0, 0, 0, 2, 0]}
        assert visits_of(wire, "month", kind=Kind.INFORMATION) == ({}, [0, 0, 0, 0, 0])
        assert visits_of(wire, "unit", unit="dep.urb")[0] == {("dep.urb.permits",): [5, 1, 0, 2, 1]}

    def test_doubled_and_disordered_events_make_the_same_figures(
        self, insight: InsightService, wire: BusClient
    ) -> None:
        ends = (VisitHeld, VisitMissed, VisitAvoided)
        events: list[Event] = [catalogue()]
        for n in range(30):
            events += visit((VisitAsked, ABAN), (VisitBooked, ABAN), (VisitMoved, AZAR), (ends[n % 3], DEY))
        publish(insight, wire, *events)
        eventually(lambda: visits_of(wire, "month")[1] == [30, 10, 10, 0, 10])
        in_order = insight.tables()["visits"]
        for seed in (1, 2):
            insight.empty()
            again = [*events, *events]
            random.Random(seed).shuffle(again)
            publish(insight, wire, *again)
            eventually(lambda: insight.tables()["visits"] == in_order)

    def test_a_visit_of_which_only_the_end_was_heard_yet_is_not_asked_for_twice(
        self, insight: InsightService, wire: BusClient
    ) -> None:
        asked, held = visit((VisitAsked, ABAN), (VisitHeld, AZAR))
        publish(insight, wire, catalogue(), held)
        assert visits_of(wire, "month")[0] == {("1405-09",): [0, 1, 0, 0, 0]}
        publish(insight, wire, asked, held)
        assert visits_of(wire, "month")[0] == {("1405-08",): [1, 0, 0, 0, 0], ("1405-09",): [0, 1, 0, 0, 0]}

    def test_a_dimension_twice_is_refused(self, insight: InsightService, wire: BusClient) -> None:
        with pytest.raises(InvalidField):
            visits_of(wire, "month", "month")

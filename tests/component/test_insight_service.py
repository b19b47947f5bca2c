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
from contracts import tracking
from contracts.accounts import OtpRequested, StaffChanged
from contracts.base import Event
from contracts.errors import InvalidField, Unavailable
from contracts.gateway import Actor
from contracts.insight import CountCases, CountVisits
from contracts.intake import CatalogueChanged
from contracts.notify import MessageChannel, NotificationDelivered, NotificationFailed
from contracts.vocabulary import ActorKind, Kind, Outcome, Role, Stage
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.insight.ingest.use_cases import IngestUseCases
from tests.support.insight import case_opened, catalogue_changed, snapshot
from tests.support.processes import BrokerClient, ServiceProcess, eventually, prepared

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
def insight(service: InsightService, broker_client: BrokerClient) -> InsightService:
    service.empty()
    return service


def publish(insight: InsightService, broker_client: BrokerClient, *events: Event) -> None:
    """Publishes these and a last one, and waits until all have been taken."""
    for event in events:
        broker_client.publish_event(event)
    mark = NotificationDelivered(
        id=uuid4(), occurred_at=NOON, message_id=uuid4(), case_id=None, template="mark", channel=MessageChannel.INBOX
    )
    broker_client.publish_event(mark)
    eventually(lambda: insight.sql(f"SELECT 1 FROM notifications WHERE event_id = '{mark.id}'"))
    wanted = {str(event.id) for event in events if isinstance(event, tracking.TrackedEvent)}
    eventually(lambda: wanted <= {str(row[0]) for row in insight.sql("SELECT event_id FROM transitions")})
    insight.sql("DELETE FROM notifications WHERE template = 'mark'")


def catalogue(version: int = 1, **moved: str) -> CatalogueChanged:
    """The tree of these tests; `moved`: units that are below another one, dots written as underscores."""
    parents = {**PARENTS, **{code.replace("_", "."): parent for code, parent in moved.items()}}
    return catalogue_changed(NOON, parents, version)


def opened(filed_at: datetime = NOON, **changes: Any) -> tracking.CaseOpened:
    event = case_opened(filed_at, citizen_id=uuid4(), code_hash="a" * 64, **changes)
    return event.model_copy(update={"occurred_at": NOON})


def whole_case(case_id: UUID, filed_at: datetime) -> list[tracking.TrackedEvent]:
    """All that happened to one case, in order: opened, corrected, assigned, decided, objected, decided again, rated."""
    steps: list[tuple[type[tracking.TrackedEvent], dict[str, Any], dict[str, Any]]] = [
        (tracking.CaseOpened, {}, {}),
        (tracking.CaseStageChanged, {"stage": Stage.SCREENING, "previous_stage": Stage.REGISTERED}, {}),
        (tracking.CaseCorrected, {"stage": Stage.SCREENING, "unit": "dep.urb.control", "urgent": True}, {}),
        (tracking.CaseAssigned, {"stage": Stage.INVESTIGATING, "handler": uuid4()}, {}),
        (
            tracking.CaseDecided,
            {"stage": Stage.DECIDED, "outcome": Outcome.NOT_UPHELD},
            {"outcome": Outcome.NOT_UPHELD},
        ),
        (tracking.CaseObjected, {"stage": Stage.REVIEW}, {}),
        (
            tracking.CaseDecided,
            {"stage": Stage.DECIDED, "outcome": Outcome.UPHELD},
            {"outcome": Outcome.UPHELD, "final": True},
        ),
        (tracking.CaseRated, {"score": 4}, {"score": 4}),
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


def ask(
    broker_client: BrokerClient, *by: str, actor: Actor | None = HEAD, **more: Any
) -> tuple[dict[Any, int | None], int | None]:
    """Cells by key (the value itself when there is one dimension), and the total."""
    answer = broker_client.call("insight", "count_cases", CountCases(actor=actor, by=list(by), **more))
    assert answer["by"] == list(by)
    cells = {cell["key"][0] if len(by) == 1 else tuple(cell["key"]): cell["count"] for cell in answer["cells"]}
    return cells, answer["total"]


class TestFacts:
    def test_the_newest_event_of_a_case_determines_its_facts(
        self, insight: InsightService, broker_client: BrokerClient
    ) -> None:
        events = whole_case(uuid4(), NOON)
        publish(insight, broker_client, *events)
        [fact] = insight.sql(
            "SELECT sequence, unit, urgent, stage, outcome, score, day, decided_at, reported_at FROM facts"
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

    def test_a_reopened_case_is_neither_closed_nor_decided(
        self, insight: InsightService, broker_client: BrokerClient
    ) -> None:
        case_id = uuid4()
        events = whole_case(case_id, NOON)
        back = tracking.CaseReopened(
            id=uuid4(),
            occurred_at=NOON + timedelta(days=9),
            case_id=case_id,
            sequence=9,
            state=snapshot(filed_at=NOON, stage=Stage.SCREENING),
            mistake="decided",
        )
        publish(insight, broker_client, back, *events)  # in any order
        facts = insight.sql("SELECT stage, outcome, score, decided_at FROM facts")
        assert facts == [("screening", None, None, None)]

    def test_unordered_and_repeated_events_give_the_same_tables(
        self, insight: InsightService, broker_client: BrokerClient
    ) -> None:
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
        publish(insight, broker_client, *events)

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
            publish(insight, broker_client, *again)
            eventually(lambda: insight.tables() == in_order)

    def test_any_split_into_batches_gives_the_same_tables(self, insight: InsightService) -> None:
        events = [event for n in range(5) for event in whole_case(uuid4(), NOON + timedelta(hours=n))]
        database = Database(insight.environment["DATABASE_URL"], pool_size=1)

        def record(parts: list[list[tracking.TrackedEvent]]) -> dict[str, list[tuple[Any, ...]]]:
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

    def test_no_citizen_and_no_code_is_kept(self, insight: InsightService, broker_client: BrokerClient) -> None:
        event = opened()
        publish(insight, broker_client, event)
        kept = str(insight.tables())
        assert str(event.state.citizen_id) not in kept
        assert "a" * 64 not in kept

    def test_other_events_are_consumed_and_leave_no_rows(
        self, insight: InsightService, broker_client: BrokerClient
    ) -> None:
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
        publish(
            insight, broker_client, staff, OtpRequested(id=uuid4(), occurred_at=NOON, sealed_code="x", expires_at=NOON)
        )
        assert all(rows == [] for rows in insight.tables().values())
        assert broker_client.queue_depth(DEAD_LETTERS) == 0

    def test_an_unknown_event_is_dead_lettered_and_blocks_nothing(
        self, insight: InsightService, broker_client: BrokerClient
    ) -> None:
        broker_client.publish(events_of("tracking"), "case.dreamt.v1", b"{}")
        publish(insight, broker_client, opened())
        eventually(lambda: broker_client.queue_depth(DEAD_LETTERS) == 1)
        taken = broker_client.take(DEAD_LETTERS)
        assert taken is not None
        assert taken[0].headers[amqp.QUEUE] == "insight.events"
        assert len(insight.sql("SELECT * FROM facts")) == 1


class TestCounts:
    def test_by_each_dimension_and_by_several(self, insight: InsightService, broker_client: BrokerClient) -> None:
        publish(
            insight,
            broker_client,
            catalogue(),
            opened(),
            opened(),
            opened(kind=Kind.CRITICISM, ground="weak", stage=Stage.SCREENING),
            opened(kind=Kind.INFORMATION, ground="waste", unit=None, filed_at=NOON - timedelta(days=1)),
        )
        assert ask(broker_client, "kind") == ({"complaint": 2, "criticism": 1, "information": 1}, 4)
        assert ask(broker_client, "unit") == ({"dep.urb.permits": 3, None: 1}, 4)
        assert ask(broker_client, "day") == ({"2026-11-23": 1, "2026-11-24": 3}, 4)
        assert ask(broker_client, "stage", "ground") == (
            {("registered", "delay"): 2, ("registered", "waste"): 1, ("screening", "weak"): 1},
            4,
        )
        cells, total = ask(broker_client, "kind", "day", "unit")
        assert total == 4
        assert cells[("information", "2026-11-23", None)] == 1

    def test_filters(self, insight: InsightService, broker_client: BrokerClient) -> None:
        publish(
            insight,
            broker_client,
            catalogue(),
            *(opened(filed_at=NOON + timedelta(days=n)) for n in range(-2, 3)),
            opened(kind=Kind.CRITICISM, stage=Stage.CLOSED),
        )
        assert ask(broker_client, "kind", kind=Kind.CRITICISM) == ({"criticism": 1}, 1)
        assert ask(broker_client, "kind", stage=Stage.REGISTERED) == ({"complaint": 5}, 5)
        cells, _ = ask(broker_client, "day", since=date(2026, 11, 23), until=date(2026, 11, 25))
        assert cells == {"2026-11-23": 1, "2026-11-24": 2, "2026-11-25": 1}
        assert ask(broker_client, "kind", since=date(2026, 12, 1)) == ({}, 0)

    def test_a_day_begins_at_midnight_in_tehran(self, insight: InsightService, broker_client: BrokerClient) -> None:
        midnight = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
        publish(
            insight,
            broker_client,
            catalogue(),
            opened(filed_at=midnight - timedelta(seconds=1)),
            opened(filed_at=midnight),
        )
        assert ask(broker_client, "day")[0] == {"2026-11-23": 1, "2026-11-24": 1}
        assert ask(broker_client, "day", since=date(2026, 11, 24))[0] == {"2026-11-24": 1}

    def test_a_unit_includes_all_units_below_it_and_follows_a_move(
        self, insight: InsightService, broker_client: BrokerClient
    ) -> None:
        publish(
            insight,
            broker_client,
            catalogue(),
            *(opened(unit=unit) for unit in ("dep.urb", "dep.urb.permits", "dep.urb.control", "mayor.insp", None)),
        )
        head = HEAD.model_copy(update={"unit": None})
        assert ask(broker_client, "unit", unit="dep.urb", actor=head)[0] == {
            "dep.urb": 1,
            "dep.urb.permits": 1,
            "dep.urb.control": 1,
        }
        assert ask(broker_client, "kind", unit="mq", actor=head)[1] == 4
        assert ask(broker_client, "kind", unit="dep.urb.permits", actor=head)[1] == 1
        publish(insight, broker_client, catalogue(2, dep_urb_control="mayor"))
        assert ask(broker_client, "unit", unit="dep.urb", actor=head)[0] == {"dep.urb": 1, "dep.urb.permits": 1}

    @pytest.mark.parametrize("role", [Role.HEAD, Role.SCREENER, Role.ANALYST, Role.ADMINISTRATOR, Role.INSPECTOR])
    def test_staff_never_count_cases_of_their_unit_or_one_above_it(
        self, insight: InsightService, broker_client: BrokerClient, role: Role
    ) -> None:
        units = ("mq", "dep.urb", "dep.urb.permits", "dep.urb.control", "mayor", None)
        publish(insight, broker_client, catalogue(), *(opened(unit=unit) for unit in units))
        actor = Actor(kind=ActorKind.STAFF, id="x", roles=frozenset({role}), unit="dep.urb.permits")
        assert ask(broker_client, "unit", actor=actor) == ({"dep.urb.control": 1, "mayor": 1, None: 1}, 3)
        assert ask(broker_client, "kind", actor=actor, unit="dep.urb.permits") == ({}, 0)
        above = actor.model_copy(update={"unit": "dep.urb"})
        assert ask(broker_client, "unit", actor=above, unit="dep.urb")[0] == {
            "dep.urb.permits": 1,
            "dep.urb.control": 1,
        }

    def test_staff_of_an_unknown_unit_get_nothing(self, insight: InsightService, broker_client: BrokerClient) -> None:
        publish(insight, broker_client, opened())
        with pytest.raises(Unavailable):
            ask(broker_client, "kind")

    def test_a_repeated_dimension_is_refused(self, insight: InsightService, broker_client: BrokerClient) -> None:
        with pytest.raises(InvalidField):
            ask(broker_client, "kind", "kind", actor=None)


def visit(
    *steps: tuple[type[tracking.VisitEvent], datetime], unit: str = "dep.urb.permits", **more: Any
) -> list[tracking.VisitEvent]:
    """One visit of a case of its own, step by step."""
    visit_id, case_id, state = uuid4(), uuid4(), snapshot(NOON, unit=unit, stage=Stage.INVESTIGATING)
    events = []
    for sequence, (cls, at) in enumerate(steps, start=2):
        event: Any = cls
        extra = more if cls is tracking.VisitCancelled else {}
        fields = {"id": uuid4(), "occurred_at": at, "case_id": case_id, "sequence": sequence, "state": state}
        events.append(event(**fields, visit_id=visit_id, **extra))
    return events


ABAN, AZAR, DEY = (datetime(2026, month, day, 8, 30, tzinfo=UTC) for month, day in ((11, 1), (12, 1), (12, 25)))


def visits_of(
    broker_client: BrokerClient, *by: str, actor: Actor | None = HEAD, **more: Any
) -> tuple[dict[Any, Any], list[Any]]:
    """Figures by key (asked, held, avoided, cancelled, no_show), and their totals."""
    figures = ("asked", "held", "avoided", "cancelled", "no_show")
    answer = broker_client.call("insight", "count_visits", CountVisits(actor=actor, by=list(by), **more))
    cells = {tuple(cell["key"]): [cell[name] for name in figures] for cell in answer["cells"]}
    return cells, [answer["totals"][name] for name in figures]


class TestVisits:
    def test_each_visit_counts_when_requested_and_when_ended(
        self, insight: InsightService, broker_client: BrokerClient
    ) -> None:
        publish(
            insight,
            broker_client,
            catalogue(),
            *visit((tracking.VisitAsked, ABAN), (tracking.VisitBooked, ABAN), (tracking.VisitHeld, AZAR)),
            *visit((tracking.VisitAsked, AZAR), (tracking.VisitBooked, AZAR), (tracking.VisitMissed, AZAR)),
            *visit((tracking.VisitAsked, AZAR), (tracking.VisitAvoided, DEY), unit="mayor.insp"),
            *visit((tracking.VisitAsked, AZAR), (tracking.VisitCancelled, DEY), by="citizen"),
            *visit(
                (tracking.VisitAsked, AZAR), (tracking.VisitBooked, AZAR), (tracking.VisitCancelled, DEY), by="ended"
            ),
            *visit(
                (tracking.VisitAsked, AZAR), (tracking.VisitBooked, AZAR), (tracking.VisitCancelled, DEY), by="office"
            ),
        )
        cells, totals = visits_of(broker_client, "month")
        assert cells == {
            ("1405-08",): [1, 0, 0, 0, 0],
            ("1405-09",): [4, 1, 0, 0, 1],
            ("1405-10",): [0, 0, 0, 2, 0],
        }
        assert totals == [5, 1, 0, 2, 1]  # the head's own unit is no part of it
        everybody = HEAD.model_copy(update={"unit": "dep.urb"})
        assert visits_of(broker_client, "unit", "ground", actor=everybody)[0] == {
            ("dep.urb.permits", "delay"): [5, 1, 0, 2, 1],
            ("mayor.insp", "delay"): [1, 0, 1, 0, 0],
        }
        days: dict[str, Any] = {"since": date(2026, 12, 20), "until": date(2026, 12, 31)}
        assert visits_of(broker_client, "ground", **days)[0] == {("delay",): [0, 0, 0, 2, 0]}
        assert visits_of(broker_client, "month", kind=Kind.INFORMATION) == ({}, [0, 0, 0, 0, 0])
        assert visits_of(broker_client, "unit", unit="dep.urb")[0] == {("dep.urb.permits",): [5, 1, 0, 2, 1]}

    def test_repeated_and_unordered_events_give_the_same_figures(
        self, insight: InsightService, broker_client: BrokerClient
    ) -> None:
        ends = (tracking.VisitHeld, tracking.VisitMissed, tracking.VisitAvoided)
        events: list[Event] = [catalogue()]
        for n in range(30):
            events += visit(
                (tracking.VisitAsked, ABAN),
                (tracking.VisitBooked, ABAN),
                (tracking.VisitMoved, AZAR),
                (ends[n % 3], DEY),
            )
        publish(insight, broker_client, *events)
        eventually(lambda: visits_of(broker_client, "month")[1] == [30, 10, 10, 0, 10])
        in_order = insight.tables()["visits"]
        for seed in (1, 2):
            insight.empty()
            again = [*events, *events]
            random.Random(seed).shuffle(again)
            publish(insight, broker_client, *again)
            eventually(lambda: insight.tables()["visits"] == in_order)

    def test_a_visit_whose_end_arrives_first_is_not_counted_twice_as_requested(
        self, insight: InsightService, broker_client: BrokerClient
    ) -> None:
        request, held = visit((tracking.VisitAsked, ABAN), (tracking.VisitHeld, AZAR))
        publish(insight, broker_client, catalogue(), held)
        assert visits_of(broker_client, "month")[0] == {("1405-09",): [0, 1, 0, 0, 0]}
        publish(insight, broker_client, request, held)
        assert visits_of(broker_client, "month")[0] == {("1405-08",): [1, 0, 0, 0, 0], ("1405-09",): [0, 1, 0, 0, 0]}

    def test_a_repeated_dimension_is_refused(self, insight: InsightService, broker_client: BrokerClient) -> None:
        with pytest.raises(InvalidField):
            visits_of(broker_client, "month", "month")

"""Who is told what of the changes, and that nobody can make the gateway wait."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.accounts import Absence, ChangedStaff, StaffChanged
from contracts.base import now
from contracts.bulk import BulkProgressed, BulkState
from contracts.leaves import LeaveChanged
from contracts.notify import MessageChannel, NotificationDelivered
from contracts.tracking import CaseCodeReplaced, CaseStageChanged, UnitAsked, VisitAsked
from contracts.vocabulary import Role, Stage
from gateway.api.stream import endpoints as stream_endpoints
from gateway.api.stream.endpoints import _frames
from gateway.live.event_stream import EventStream, Subscriber
from tests.support.events import account_changed, case_snapshot
from tests.support.gateway import CATALOGUE, Gateway

ME = uuid4()
CODE_HASH = "a" * 64


@pytest.fixture(scope="module")
def module_gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    made = Gateway(tmp_path_factory.mktemp("state"), stream_queue=3, limit_streams=2)
    made.container.catalogue_cache.put(CATALOGUE)
    return made


@pytest.fixture
def gateway(module_gateway: Gateway) -> Gateway:
    module_gateway.container.event_stream.end_all()
    module_gateway.rabbit.reset()
    return module_gateway


def changed(case_id: UUID | None = None, sequence: int = 4, **changes: Any) -> CaseStageChanged:
    state = case_snapshot(**{"stage": Stage.SCREENING, **changes})
    return CaseStageChanged(id=uuid4(), occurred_at=now(), case_id=case_id or uuid4(), sequence=sequence, state=state)


def staff(gateway: Gateway, *roles: str, unit: str | None = None) -> Subscriber:
    caller = gateway.container.tokens.check(gateway.keys.staff(*roles, unit=unit, sub=str(ME)))
    return opened(gateway, caller)


def opened(gateway: Gateway, caller: Any = None, hashes: frozenset[str] = frozenset()) -> Subscriber:
    subscriber = gateway.container.event_stream.subscribe(str(uuid4()), caller, hashes)
    assert subscriber is not None
    return subscriber


def account(staff_id: UUID, version: int) -> StaffChanged:
    return account_changed(staff_id=staff_id, version=version, roles=[Role.HEAD])


def received_events(subscriber: Subscriber) -> list[dict[str, Any]]:
    events = []
    while not subscriber.queue.empty():
        frame = subscriber.queue.get_nowait()
        assert frame is not None
        events.append(json.loads(frame.decode().split("data: ")[1]))
    return events


def hear(gateway: Gateway, event: Any) -> None:
    gateway.rabbit.deliver_event(event.name, event.model_dump_json())


@pytest.mark.parametrize(
    ("roles", "unit", "state", "receives"),
    [
        (["screener"], None, {}, True),
        (["head"], "parks", {}, True),
        (["screener"], "roads", {}, False),
        (["head"], "roads.north", {}, False),
        (["screener"], "roads", {"unit": "roads.north"}, True),
        (["head"], "roads", {"unit": "city"}, False),
        (["screener"], "nowhere", {}, False),
        (["screener"], "roads", {"unit": None}, True),
        (["inspector"], None, {}, False),
        (["inspector"], None, {"handler": ME}, True),
        (["inspector"], "roads.north", {"handler": ME}, False),
        (["inspector"], None, {"handler": uuid4()}, False),
        (["inspector"], None, {"handler": uuid4(), "co_handlers": [ME]}, True),
        (["inspector"], None, {"handler": uuid4(), "consulted": [ME]}, True),
        (["inspector"], "roads.north", {"handler": uuid4(), "consulted": [ME]}, False),
        (["liaison"], "roads", {}, False),
        (["operator", "analyst", "administrator", "custodian"], None, {}, False),
    ],
)
def test_staff_receive_events_they_may_see(
    gateway: Gateway, roles: list[str], unit: str | None, state: dict[str, Any], receives: bool
) -> None:
    subscriber = staff(gateway, *roles, unit=unit)
    event = changed(**state)
    hear(gateway, event)

    expected = {"event": "case.changed", "case_id": str(event.case_id), "version": 4, "stage": "screening"}
    assert received_events(subscriber) == ([expected] if receives else [])


def test_an_event_of_a_visit_is_a_change_of_its_case(gateway: Gateway) -> None:
    subscriber = opened(gateway, None, frozenset({CODE_HASH}))
    signed_in = changed(code_hash=CODE_HASH)
    hear(gateway, VisitAsked(**signed_in.model_dump(), visit_id=uuid4()))

    assert [(event["event"], event["case_id"]) for event in received_events(subscriber)] == [
        ("case.changed", str(signed_in.case_id))
    ]


def test_without_a_unit_tree_staff_of_units_receive_nothing(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    subscriber = staff(gateway, "screener", unit="parks")
    hear(gateway, changed())

    assert received_events(subscriber) == []


def test_a_citizen_receives_events_of_their_own_cases_only(gateway: Gateway) -> None:
    subscriber = opened(gateway, gateway.container.tokens.check(gateway.keys.citizen(sub=str(ME))))
    hear(gateway, changed(citizen_id=uuid4()))
    hear(gateway, changed())
    hear(gateway, changed(citizen_id=ME))

    assert len(received_events(subscriber)) == 1


def test_a_bearer_receives_events_of_their_case_only(gateway: Gateway) -> None:
    subscriber = opened(gateway, None, frozenset({CODE_HASH}))
    mine = uuid4()
    hear(gateway, changed(code_hash="b" * 64))
    hear(gateway, changed())
    hear(gateway, changed(mine, code_hash=CODE_HASH))
    hear(gateway, changed(mine, 5))

    assert [event["version"] for event in received_events(subscriber)] == [4, 5]


def test_a_bearer_receives_messages_about_their_case(gateway: Gateway) -> None:
    subscriber = opened(gateway, None, frozenset({CODE_HASH}))
    mine = uuid4()
    subscriber.case_ids.add(str(mine))
    about = ((mine, "inbox", True), (mine, "inbox", False), (mine, "sms", True), (uuid4(), "inbox", True))
    for case_id, channel, to_citizen in about:  # a message to somebody of the office about the case is not theirs
        delivered = NotificationDelivered(
            id=uuid4(),
            occurred_at=now(),
            message_id=uuid4(),
            case_id=case_id,
            template="x",
            channel=MessageChannel(channel),
            to_citizen=to_citizen,
        )
        hear(gateway, delivered)

    assert received_events(subscriber) == [{"event": "message.arrived", "case_id": str(mine)}]


def absence(*roles: Role, **changes: Any) -> Absence:
    """A colleague's leave in which I stand in."""
    values: dict[str, Any] = {
        "staff_id": uuid4(),
        "version": 1,
        "roles": roles,
        "unit": None,
        "deputy": ME,
        "starts_at": now() - timedelta(minutes=1),
        "ends_at": now() + timedelta(days=1),
    }
    return Absence(**values | changes)


def listed(gateway: Gateway, *absences: Absence) -> None:
    """A leave has changed, and the gateway has asked accounts about all of them."""

    async def ask() -> None:
        answered = asyncio.Event()
        gateway.container.account_changes.add_listener(lambda _: None, lambda _: answered.set())
        gateway.rabbit.answers["accounts.list_changed_staff"] = lambda _: ChangedStaff(
            items=[], absences=list(absences)
        )
        [leave] = absences[:1] or [absence()]
        dates = leave.model_dump(include={"staff_id", "deputy", "starts_at", "ends_at"})
        hear(gateway, LeaveChanged(id=uuid4(), occurred_at=now(), leave_id=uuid4(), version=1, **dates))
        await asyncio.wait_for(answered.wait(), 10)

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("period", "receives"),
    [
        ({}, True),
        ({"deputy": uuid4()}, False),
        ({"starts_at": now() + timedelta(hours=1)}, False),
        ({"ends_at": now() - timedelta(seconds=1)}, False),
    ],
)
def test_a_deputy_receives_what_an_absent_inspector_does(
    gateway: Gateway, period: dict[str, Any], receives: bool
) -> None:
    away = absence(Role.INSPECTOR, **period)
    listed(gateway, away)
    deputy, conflicted = staff(gateway, "inspector"), staff(gateway, "inspector", unit="roads.north")
    hear(gateway, changed(handler=away.staff_id))
    hear(gateway, changed(handler=uuid4(), co_handlers=[away.staff_id]))
    hear(gateway, changed(handler=uuid4()))
    assert len(received_events(deputy)) == (2 if receives else 0)
    assert received_events(conflicted) == [], "a conflict of interest is the deputy's own"


def test_a_deputy_receives_nothing_more_when_the_leave_has_ended_early(gateway: Gateway) -> None:
    away = absence(Role.INSPECTOR)
    listed(gateway, away)
    listed(gateway)
    deputy = staff(gateway, "inspector")
    hear(gateway, changed(handler=away.staff_id))
    assert received_events(deputy) == []


def test_a_deputy_receives_the_questions_of_an_absent_liaison(gateway: Gateway) -> None:
    away = absence(Role.LIAISON, unit="roads")
    listed(gateway, away)
    deputy = staff(gateway, "liaison", unit="parks")
    question = UnitAsked(
        id=uuid4(),
        occurred_at=now(),
        case_id=uuid4(),
        sequence=3,
        state=case_snapshot(unit="parks"),
        question_id=uuid4(),
        unit_asked="roads",
        due_on=date(2026, 12, 1),
    )
    hear(gateway, question)
    assert received_events(deputy) == [{"event": "unit_question.changed", "question_id": str(question.question_id)}]
    # Until the one who is away leaves that unit
    hear(gateway, account_changed(staff_id=away.staff_id, version=2, roles=[Role.LIAISON], unit="city.archive"))
    hear(gateway, question)
    assert received_events(deputy) == []


def test_internal_events_are_sent_to_staff_only(gateway: Gateway) -> None:
    mine, citizen_id = uuid4(), uuid4()
    bearer = opened(gateway, None, frozenset({CODE_HASH}))
    citizen = opened(gateway, gateway.container.tokens.check(gateway.keys.citizen(sub=str(citizen_id))))
    head = staff(gateway, "head")
    state = {"code_hash": CODE_HASH, "citizen_id": citizen_id}
    note = changed(mine, 5, **state).model_copy(update={"noticed": False})
    hear(gateway, note)
    assert (received_events(bearer), received_events(citizen)) == ([], [])
    assert [event["version"] for event in received_events(head)] == [5]

    hear(gateway, changed(mine, 6, **state).model_copy(update={"public_version": 4}))
    assert [
        event["version"] for event in (*received_events(bearer), *received_events(citizen), *received_events(head))
    ] == [4, 4, 6]


@pytest.mark.parametrize(
    ("unit", "receives"), [("roads", True), ("city", True), ("roads.north", False), ("parks", False)]
)
def test_a_liaison_receives_questions_to_their_unit_and_never_the_case(
    gateway: Gateway, unit: str, receives: bool
) -> None:
    subscriber = staff(gateway, "liaison", unit=unit)
    question = uuid4()
    event = UnitAsked(
        id=uuid4(),
        occurred_at=now(),
        case_id=uuid4(),
        sequence=3,
        state=case_snapshot(unit="parks"),
        question_id=question,
        unit_asked="roads",
        due_on=date(2026, 12, 1),
    )
    hear(gateway, event)

    assert received_events(subscriber) == (
        [{"event": "unit_question.changed", "question_id": str(question)}] if receives else []
    )


def test_a_reader_that_does_not_read_is_dropped(gateway: Gateway) -> None:
    slow, quick = staff(gateway, "head"), staff(gateway, "screener")
    for _ in range(5):
        hear(gateway, changed())
        received_events(quick)

    assert slow.dropped
    assert slow.queue.get_nowait() is None
    assert not quick.dropped


def test_a_changed_account_has_to_reopen_its_stream(gateway: Gateway) -> None:
    mine, others = (gateway.container.tokens.check(gateway.keys.staff("head", ver=1)) for _ in range(2))
    subscriber, other = opened(gateway, mine), opened(gateway, others)
    hear(gateway, account(mine.id, version=2))

    assert (subscriber.dropped, other.dropped) == (True, False)


def test_the_number_of_streams_per_address_is_limited(gateway: Gateway) -> None:
    event_stream = gateway.container.event_stream
    subscribers = [event_stream.subscribe("address", None, frozenset({CODE_HASH})) for _ in range(3)]
    assert [subscriber is not None for subscriber in subscribers] == [True, True, False]

    assert subscribers[0] is not None
    event_stream.unsubscribe(subscribers[0])
    event_stream.unsubscribe(subscribers[0])
    assert event_stream.subscribe("address", None, frozenset({CODE_HASH})) is not None
    assert event_stream.subscribe("address", None, frozenset({CODE_HASH})) is None


def test_a_stream_sends_heartbeats_and_ends_with_its_session(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = gateway.container.tokens.check(gateway.keys.staff("head"))
    event_stream: EventStream = gateway.container.event_stream
    subscriber = opened(gateway, caller)
    clock = [caller.expires_at - 60]
    monkeypatch.setattr(stream_endpoints, "time", SimpleNamespace(time=lambda: clock[0]))

    async def read() -> list[bytes]:
        frames = []
        async for frame in _frames(event_stream, subscriber, 0.01):
            frames.append(frame)
            if frames.count(b": alive\n\n") == 2:
                clock[0] = caller.expires_at
        return frames

    frames = asyncio.run(read())
    assert frames[0].startswith(b": open")
    assert frames[1:] == [b": alive\n\n"] * 2, "it ends when its session has ended"
    assert subscriber not in event_stream._subscribers


def test_without_a_code_or_session_there_is_no_stream(gateway: Gateway) -> None:
    assert gateway.send("GET", "/v1/stream").status_code == 401
    assert gateway.send("GET", "/v1/stream", headers={"Tracking-Code": "1" * 16}).status_code == 404


def test_who_holds_a_code_that_was_replaced_receives_no_more(gateway: Gateway) -> None:
    case_id, new = uuid4(), "b" * 64
    holder, other = opened(gateway, hashes=frozenset({CODE_HASH})), opened(gateway, hashes=frozenset({"c" * 64}))
    hear(gateway, changed(case_id, code_hash=CODE_HASH))
    assert len(received_events(holder)) == 1
    state = case_snapshot(code_hash=new)
    replaced = CaseCodeReplaced(id=uuid4(), occurred_at=now(), case_id=case_id, sequence=5, state=state, noticed=False)
    hear(gateway, replaced)
    assert (holder.dropped, other.dropped) == (True, False)
    again = opened(gateway, hashes=frozenset({CODE_HASH}))
    with_new_code = opened(gateway, hashes=frozenset({new}))
    hear(gateway, changed(case_id, sequence=6, code_hash=new))
    assert (received_events(again), len(received_events(with_new_code))) == ([], 1)


def test_a_bulk_command_is_told_to_its_owner_alone(gateway: Gateway) -> None:
    owner, other = (
        staff(gateway, "screener"),
        opened(gateway, gateway.container.tokens.check(gateway.keys.staff("head"))),
    )
    citizen = opened(gateway, gateway.container.tokens.check(gateway.keys.citizen(sub=str(ME))))
    event = BulkProgressed(
        id=uuid4(),
        occurred_at=now(),
        bulk_id=uuid4(),
        owner=ME,
        state=BulkState.RUNNING,
        total=9,
        done=4,
        succeeded=3,
        refused=1,
    )
    gateway.rabbit.deliver_event(event.name, event.model_dump_json())
    [told] = received_events(owner)
    counts = {"state": "running", "total": 9, "done": 4, "succeeded": 3, "refused": 1}
    assert told == {"event": "bulk.progressed", "bulk_id": str(event.bulk_id), **counts}
    assert received_events(other) == received_events(citizen) == []

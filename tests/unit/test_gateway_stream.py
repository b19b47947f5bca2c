"""Who is told what of the changes, and that nobody can make the gateway wait."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.accounts import StaffChanged
from contracts.base import now
from contracts.notify import MessageChannel, NotificationDelivered
from contracts.tracking import CaseSnapshot, CaseStageChanged, UnitAsked, VisitAsked
from contracts.vocabulary import Channel, Kind, Role, Stage
from gateway.api.stream.endpoints import _frames
from gateway.live.event_stream import EventStream, Subscriber
from tests.support.gateway import CATALOGUE, Gateway

ME = uuid4()
CODE_HASH = "a" * 64


@pytest.fixture(scope="module")
def only_one(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    made = Gateway(tmp_path_factory.mktemp("state"), stream_queue=3, limit_streams=2)
    made.container.catalogue_cache.put(CATALOGUE)
    return made


@pytest.fixture
def gateway(only_one: Gateway) -> Gateway:
    only_one.container.event_stream.end_all()
    return only_one


def snapshot(**more: Any) -> CaseSnapshot:
    given = {
        "number": "1405-000001",
        "kind": Kind.COMPLAINT,
        "unit": "roads",
        "ground": "delay",
        "stage": Stage.SCREENING,
        "channel": Channel.WEB,
        "filed_at": now(),
    }
    return CaseSnapshot.model_validate(given | more)


def changed(case_id: UUID | None = None, sequence: int = 4, **state: Any) -> CaseStageChanged:
    return CaseStageChanged(
        id=uuid4(), occurred_at=now(), case_id=case_id or uuid4(), sequence=sequence, state=snapshot(**state)
    )


def staff(gateway: Gateway, *roles: str, unit: str | None = None) -> Subscriber:
    caller = gateway.container.tokens.check(gateway.keys.staff(*roles, unit=unit, sub=str(ME)))
    return opened(gateway, caller)


def opened(gateway: Gateway, caller: Any = None, hashes: frozenset[str] = frozenset()) -> Subscriber:
    subscriber = gateway.container.event_stream.subscribe(str(uuid4()), caller, hashes)
    assert subscriber is not None
    return subscriber


def account(staff_id: UUID, version: int) -> StaffChanged:
    return StaffChanged(
        id=uuid4(),
        occurred_at=now(),
        staff_id=staff_id,
        version=version,
        display_name="سرپرست",
        roles=[Role.HEAD],
        unit=None,
        active=True,
    )


def told(subscriber: Subscriber) -> list[dict[str, Any]]:
    found = []
    while not subscriber.queue.empty():
        frame = subscriber.queue.get_nowait()
        assert frame is not None
        found.append(json.loads(frame.decode().split("data: ")[1]))
    return found


def hear(gateway: Gateway, event: Any) -> None:
    gateway.rabbit.hear(event.name, event.model_dump_json())


@pytest.mark.parametrize(
    ("roles", "unit", "state", "is_told"),
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
        (["liaison"], "roads", {}, False),
        (["operator", "analyst", "administrator", "custodian"], None, {}, False),
    ],
)
def test_staff_are_told_what_they_may_see(
    gateway: Gateway, roles: list[str], unit: str | None, state: dict[str, Any], is_told: bool
) -> None:
    subscriber = staff(gateway, *roles, unit=unit)
    event = changed(**state)
    hear(gateway, event)

    expected = {"event": "case.changed", "case_id": str(event.case_id), "version": 4, "stage": "screening"}
    assert told(subscriber) == ([expected] if is_told else [])


def test_what_becomes_of_a_visit_is_a_change_of_its_case(gateway: Gateway) -> None:
    subscriber = opened(gateway, None, frozenset({CODE_HASH}))
    signed_in = changed(code_hash=CODE_HASH)
    hear(gateway, VisitAsked(**signed_in.model_dump(), visit_id=uuid4()))

    assert [(one["event"], one["case_id"]) for one in told(subscriber)] == [("case.changed", str(signed_in.case_id))]


def test_without_a_tree_nobody_with_a_unit_is_told(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    subscriber = staff(gateway, "screener", unit="parks")
    hear(gateway, changed())

    assert told(subscriber) == []


def test_a_citizen_is_told_of_their_own_cases_alone(gateway: Gateway) -> None:
    subscriber = opened(gateway, gateway.container.tokens.check(gateway.keys.citizen(sub=str(ME))))
    hear(gateway, changed(citizen_id=uuid4()))
    hear(gateway, changed())
    hear(gateway, changed(citizen_id=ME))

    assert len(told(subscriber)) == 1


def test_a_bearer_is_told_of_their_case_alone(gateway: Gateway) -> None:
    subscriber = opened(gateway, None, frozenset({CODE_HASH}))
    mine = uuid4()
    hear(gateway, changed(code_hash="b" * 64))
    hear(gateway, changed())
    hear(gateway, changed(mine, code_hash=CODE_HASH))
    hear(gateway, changed(mine, 5))

    assert [one["version"] for one in told(subscriber)] == [4, 5]


def test_a_bearer_is_told_of_messages_about_their_case(gateway: Gateway) -> None:
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

    assert told(subscriber) == [{"event": "message.arrived", "case_id": str(mine)}]


def test_what_the_office_keeps_to_itself_is_told_to_the_office_alone(gateway: Gateway) -> None:
    mine, citizen_id = uuid4(), uuid4()
    bearer = opened(gateway, None, frozenset({CODE_HASH}))
    citizen = opened(gateway, gateway.container.tokens.check(gateway.keys.citizen(sub=str(citizen_id))))
    head = staff(gateway, "head")
    state = {"code_hash": CODE_HASH, "citizen_id": citizen_id}
    note = changed(mine, 5, **state).model_copy(update={"noticed": False})
    hear(gateway, note)
    assert (told(bearer), told(citizen)) == ([], [])
    assert [one["version"] for one in told(head)] == [5]

    hear(gateway, changed(mine, 6, **state).model_copy(update={"public_version": 4}))
    assert [one["version"] for one in (*told(bearer), *told(citizen), *told(head))] == [4, 4, 6]


@pytest.mark.parametrize(
    ("unit", "is_told"), [("roads", True), ("city", True), ("roads.north", False), ("parks", False)]
)
def test_a_liaison_is_told_of_questions_to_their_unit_and_never_of_the_case(
    gateway: Gateway, unit: str, is_told: bool
) -> None:
    subscriber = staff(gateway, "liaison", unit=unit)
    question = uuid4()
    event = UnitAsked(
        id=uuid4(),
        occurred_at=now(),
        case_id=uuid4(),
        sequence=3,
        state=snapshot(unit="parks"),
        question_id=question,
        unit_asked="roads",
        due_on=date(2026, 12, 1),
    )
    hear(gateway, event)

    assert told(subscriber) == ([{"event": "unit_question.changed", "question_id": str(question)}] if is_told else [])


def test_a_reader_that_does_not_read_is_dropped(gateway: Gateway) -> None:
    slow, quick = staff(gateway, "head"), staff(gateway, "screener")
    for _ in range(5):
        hear(gateway, changed())
        told(quick)

    assert slow.dropped
    assert slow.queue.get_nowait() is None
    assert not quick.dropped


def test_whose_account_was_changed_has_to_open_the_stream_again(gateway: Gateway) -> None:
    mine, others = (gateway.container.tokens.check(gateway.keys.staff("head", ver=1)) for _ in range(2))
    subscriber, other = opened(gateway, mine), opened(gateway, others)
    hear(gateway, account(mine.id, version=2))

    assert (subscriber.dropped, other.dropped) == (True, False)


def test_one_address_has_so_many_streams(gateway: Gateway) -> None:
    event_stream = gateway.container.event_stream
    subscribers = [event_stream.subscribe("address", None, frozenset({CODE_HASH})) for _ in range(3)]
    assert [subscriber is not None for subscriber in subscribers] == [True, True, False]

    assert subscribers[0] is not None
    event_stream.unsubscribe(subscribers[0])
    event_stream.unsubscribe(subscribers[0])
    assert event_stream.subscribe("address", None, frozenset({CODE_HASH})) is not None
    assert event_stream.subscribe("address", None, frozenset({CODE_HASH})) is None


def test_a_stream_beats_and_ends_with_its_session(gateway: Gateway) -> None:
    import time

    caller = gateway.container.tokens.check(gateway.keys.staff("head", exp=time.time() + 1.0))
    event_stream: EventStream = gateway.container.event_stream
    subscriber = opened(gateway, caller)

    async def read() -> list[bytes]:
        return [frame async for frame in _frames(event_stream, subscriber, 0.2)]

    frames = asyncio.run(read())
    assert frames[0].startswith(b": open")
    assert frames.count(b": alive\n\n") >= 2
    assert subscriber not in event_stream._subscribers


def test_without_a_code_or_session_there_is_no_stream(gateway: Gateway) -> None:
    assert gateway.send("GET", "/v1/stream").status_code == 401
    assert gateway.send("GET", "/v1/stream", headers={"Tracking-Code": "1" * 16}).status_code == 404

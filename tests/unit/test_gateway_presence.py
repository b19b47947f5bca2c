"""Who looks at a case or edits it: told to the staff who may know of it, over by itself, alike in every gateway."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.accounts import ChangedStaff
from contracts.base import now
from contracts.errors import UnknownCase
from contracts.tracking import CaseAudience, CaseStageChanged, CitizenAnswered, EvidenceAdded, MessageSent, UnitAnswered
from contracts.vocabulary import ActorKind
from gateway.live.event_stream import Subscriber
from gateway.live.presence import SECONDS
from tests.support.events import case_snapshot
from tests.support.gateway import CATALOGUE, UNLIMITED, Gateway, bearer, refusing

CASE, SARA, OMID = uuid4(), uuid4(), uuid4()
CODE_HASH = "b" * 64


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def module_gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    made = Gateway(tmp_path_factory.mktemp("state"), **UNLIMITED)
    made.container.catalogue_cache.put(CATALOGUE)
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gateway(module_gateway: Gateway, clock: Clock) -> Gateway:
    module_gateway.container.event_stream.end_all()
    module_gateway.rabbit.reset()
    module_gateway.container.presence._clock = clock
    module_gateway.container.presence._cases.clear()
    module_gateway.rabbit.answers["tracking.get_case_audience"] = lambda _: CaseAudience(unit="roads", handler=SARA)
    return module_gateway


def staff(gateway: Gateway, staff_id: UUID, role: str = "inspector", **claims: Any) -> dict[str, str]:
    return bearer(gateway.keys.staff(role, sub=str(staff_id), name="سارا" if staff_id == SARA else "امید", **claims))


def note(gateway: Gateway, who: dict[str, str], state: str = "looking", tab: str = "1") -> list[tuple[str, str]]:
    answer = gateway.send("PUT", f"/v1/cases/{CASE}/presence", json={"state": state}, params={"tab": tab}, headers=who)
    assert answer.status_code == 200, answer.text
    return [(person["name"], person["state"]) for person in answer.json()["items"]]


def listener(gateway: Gateway, role: str, staff_id: UUID | None = None, unit: str | None = None) -> Subscriber:
    caller = gateway.container.tokens.check(gateway.keys.staff(role, unit=unit, sub=str(staff_id or uuid4())))
    return subscribed(gateway, caller)


def subscribed(gateway: Gateway, caller: Any, hashes: frozenset[str] = frozenset()) -> Subscriber:
    subscriber = gateway.container.event_stream.subscribe(str(uuid4()), caller, hashes)
    assert subscriber is not None
    return subscriber


def received(subscriber: Subscriber) -> list[dict[str, Any]]:
    events = []
    while not subscriber.queue.empty():
        frame = subscriber.queue.get_nowait()
        assert frame is not None
        events.append(json.loads(frame.decode().split("data: ")[1]))
    return events


def told(subscriber: Subscriber) -> list[list[tuple[str, str]]]:
    """Who was there, at each change."""
    return [
        [(person["name"], person["state"]) for person in event["present"]]
        for event in received(subscriber)
        if event["event"] == "presence.changed"
    ]


def test_staff_see_who_is_there_with_their_names(gateway: Gateway) -> None:
    head = listener(gateway, "head")
    assert note(gateway, staff(gateway, SARA)) == [("سارا", "looking")]
    assert note(gateway, staff(gateway, OMID, "screener"), "editing") == [("امید", "editing"), ("سارا", "looking")]
    shown = gateway.send("GET", f"/v1/cases/{CASE}/presence", headers=staff(gateway, OMID, "screener")).json()
    assert [person["staff_id"] for person in shown["items"]] == [str(OMID), str(SARA)]
    assert (shown["renew_in"], shown["expires_in"]) == (20, 45)
    assert told(head) == [[("سارا", "looking")], [("امید", "editing"), ("سارا", "looking")]]


def test_a_renewal_tells_nobody_anything(gateway: Gateway, clock: Clock) -> None:
    head = listener(gateway, "head")
    for _ in range(5):
        note(gateway, staff(gateway, SARA))
        clock.now += 20
    gateway.container.presence.expire()
    assert told(head) == [[("سارا", "looking")]]


def test_without_a_clients_word_it_is_over(gateway: Gateway, clock: Clock) -> None:
    head = listener(gateway, "head")
    note(gateway, staff(gateway, SARA))
    clock.now += SECONDS - 1
    gateway.container.presence.expire()
    assert told(head) == [[("سارا", "looking")]]
    clock.now += 1
    gateway.container.presence.expire()
    assert told(head) == [[]]
    assert not gateway.container.presence._cases


def test_leaving_is_told_at_once(gateway: Gateway) -> None:
    head = listener(gateway, "head")
    note(gateway, staff(gateway, SARA))
    answer = gateway.send("DELETE", f"/v1/cases/{CASE}/presence", headers=staff(gateway, SARA))
    assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert told(head) == [[("سارا", "looking")], []]


def test_of_several_tabs_editing_goes_first_and_each_ends_alone(gateway: Gateway) -> None:
    sara = staff(gateway, SARA)
    note(gateway, sara, "editing", "a")
    assert note(gateway, sara, "looking", "b") == [("سارا", "editing")]
    gateway.send("DELETE", f"/v1/cases/{CASE}/presence", params={"tab": "a"}, headers=sara)
    shown = gateway.send("GET", f"/v1/cases/{CASE}/presence", headers=sara).json()["items"]
    assert [person["state"] for person in shown] == ["looking"]


def test_only_staff_who_may_know_of_the_case_are_told(gateway: Gateway) -> None:
    may = [listener(gateway, "head"), listener(gateway, "screener"), listener(gateway, "inspector", SARA)]
    citizen_id = uuid4()
    citizen = subscribed(gateway, gateway.container.tokens.check(gateway.keys.citizen(sub=str(citizen_id))))
    holder = subscribed(gateway, None, frozenset({CODE_HASH}))
    # Both follow the case already.
    opened = CaseStageChanged(
        id=uuid4(),
        occurred_at=now(),
        case_id=CASE,
        sequence=2,
        state=case_snapshot(unit="roads", handler=SARA, citizen_id=citizen_id, code_hash=CODE_HASH),
    )
    gateway.rabbit.deliver_event(opened.name, opened.model_dump_json())
    assert len(received(citizen)) == len(received(holder)) == 1
    may_not = [
        listener(gateway, "inspector"),
        listener(gateway, "head", unit="roads.north"),
        listener(gateway, "liaison", unit="roads"),
        listener(gateway, "analyst"),
        listener(gateway, "auditor"),
        citizen,
        holder,
    ]
    note(gateway, staff(gateway, SARA))
    assert [told(subscriber) for subscriber in may] == [[[("سارا", "looking")]]] * 3
    assert [received(subscriber) for subscriber in may_not] == [[]] * 7


def test_who_may_not_know_of_the_case_is_told_there_is_none(gateway: Gateway) -> None:
    head = listener(gateway, "head")
    gateway.rabbit.answers["tracking.get_case_audience"] = refusing(UnknownCase())
    for method, body in (("PUT", {"state": "looking"}), ("GET", None), ("DELETE", None)):
        answer = gateway.send(method, f"/v1/cases/{CASE}/presence", json=body, headers=staff(gateway, OMID))
        assert answer.status_code == 404
    assert told(head) == []
    citizen = bearer(gateway.keys.citizen())
    assert gateway.send("GET", f"/v1/cases/{CASE}/presence", headers=citizen).status_code == 403
    assert gateway.send("GET", f"/v1/cases/{CASE}/presence").status_code == 401


def test_whoever_the_case_went_to_is_told_from_then_on(gateway: Gateway, clock: Clock) -> None:
    before, after = listener(gateway, "inspector", SARA), listener(gateway, "inspector", OMID)
    note(gateway, staff(gateway, SARA))
    moved = CaseStageChanged(
        id=uuid4(), occurred_at=now(), case_id=CASE, sequence=3, state=case_snapshot(unit="roads", handler=OMID)
    )
    gateway.rabbit.deliver_event(moved.name, moved.model_dump_json())
    received(before)
    clock.now += SECONDS
    gateway.container.presence.expire()
    assert (told(before), told(after)) == ([], [[]])


def test_another_gateway_hears_it_and_what_cannot_be_read_harms_nobody(gateway: Gateway, tmp_path: Path) -> None:
    said: list[bytes] = []
    gateway.rabbit.broadcast = said.append  # type: ignore[assignment]
    other = Gateway(tmp_path / "other", **UNLIMITED)
    other.container.catalogue_cache.put(CATALOGUE)
    head = listener(other, "head")
    note(gateway, staff(gateway, SARA), "editing")
    for body in (b"", b"{}", b"[1]", *said, *said):
        other.container.presence.handle_broadcast(body)
    assert told(head) == [[("سارا", "editing")]]
    assert asyncio.run(_read(other)) == [("سارا", "editing")]


async def _read(gateway: Gateway) -> list[tuple[str | None, str]]:
    return [(person.name, person.state) for person in gateway.container.presence._answer(CASE).items]


def event_of(kind: type[Any], by: ActorKind | None, by_staff: UUID | None = None, **more: Any) -> Any:
    state = case_snapshot(unit="roads", handler=SARA, code_hash=CODE_HASH)
    return kind(
        id=uuid4(),
        occurred_at=now(),
        case_id=CASE,
        sequence=9,
        public_version=4,
        state=state,
        by_kind=by,
        by_staff=by_staff,
        **more,
    )


QUESTION = {"question_id": uuid4()}


@pytest.mark.parametrize(
    ("event", "to_staff", "to_citizen", "wrote"),
    [
        (event_of(CaseStageChanged, None), None, None, None),
        (
            event_of(CaseStageChanged, ActorKind.STAFF, OMID),
            {"kind": "staff", "id": str(OMID), "name": "امید"},
            {"kind": "office"},
            None,
        ),
        (event_of(CaseStageChanged, ActorKind.SYSTEM), {"kind": "system"}, {"kind": "office"}, None),
        (event_of(CitizenAnswered, ActorKind.CITIZEN, **QUESTION), {"kind": "citizen"}, {"kind": "citizen"}, "citizen"),
        (event_of(CitizenAnswered, ActorKind.BEARER, **QUESTION), {"kind": "citizen"}, {"kind": "citizen"}, "citizen"),
        (
            event_of(MessageSent, ActorKind.BEARER, message_id=uuid4()),
            {"kind": "citizen"},
            {"kind": "citizen"},
            "citizen",
        ),
        (
            event_of(EvidenceAdded, ActorKind.BEARER, uploads=["u" * 32], by_citizen=True),
            {"kind": "citizen"},
            {"kind": "citizen"},
            "citizen",
        ),
        (
            event_of(UnitAnswered, ActorKind.STAFF, uuid4(), unit_asked="roads", **QUESTION),
            {"kind": "unit"},
            {"kind": "office"},
            "unit",
        ),
    ],
)
def test_a_change_says_who_made_it_and_never_who_complained(
    gateway: Gateway, event: Any, to_staff: Any, to_citizen: Any, wrote: str | None
) -> None:
    gateway.container.account_changes._list_listeners[-1](ChangedStaff(items=[], names={OMID: "امید"}))
    head, holder = listener(gateway, "head"), subscribed(gateway, None, frozenset({CODE_HASH}))
    gateway.rabbit.deliver_event(event.name, event.model_dump_json())
    [changed, *arrived] = received(head)
    assert (changed["event"], changed.get("by")) == ("case.changed", to_staff)
    assert [(frame["event"], frame["from"]) for frame in arrived] == ([("message.arrived", wrote)] if wrote else [])
    [seen] = received(holder)
    assert (seen["event"], seen.get("by")) == ("case.changed", to_citizen)

"""The citizen notices nothing of what the office keeps to itself: not a byte of the view, not an event of the stream, no gap."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts import registry
from contracts.base import now
from contracts.tracking import (
    AddCheck,
    AddEvidence,
    AddNote,
    AnswerQuestion,
    AnswerUnitQuestion,
    AskCitizen,
    AskUnit,
    Assign,
    Correct,
    LinkCase,
    Propose,
    RaiseObjection,
    Remind,
    ReturnProposal,
    StartScreening,
    TickCheck,
    TrackedEvent,
)
from contracts.vocabulary import ActorKind, Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from gateway.auth.tokens import Caller
from tests.support.gateway import CATALOGUE, Gateway
from tests.support.processes import BusClient, ServiceProcess, eventually, prepared
from tests.support.tracking import Office, actor, decision, staff

JSON = dict[str, Any]


@pytest.fixture(scope="module")
def service(
    broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    environment = prepared("tracking", broker.url, postgres.url, "tracking_public")
    log: Path = tmp_path_factory.mktemp("tracking") / "tracking.log"
    process = ServiceProcess("tracking", environment, log).start()
    yield process
    process.stop()


@pytest.fixture
def office(service: ServiceProcess, wire: BusClient) -> Office:
    wire.listen("tracking.events")
    return Office(wire, service.environment["DATABASE_URL"]).gather()


class Citizen:
    """Who holds the code, with a stream open at a gateway which hears all that tracking publishes."""

    def __init__(self, office: Office, filed: Any, gateway: Gateway) -> None:
        self.office, self.code, self.case_id = office, filed.code_hash, filed.case_id
        self._hub = gateway.container.event_stream
        mine = Caller(ActorKind.CITIZEN, filed.citizen_id or uuid4(), frozenset(), None, None, None, None, 2**40)
        self._readers = [
            self._hub.subscribe("holder", None, frozenset({self.code})),
            self._hub.subscribe("citizen", mine, frozenset()),
        ]
        self._head = self._hub.subscribe(
            "head",
            Caller(ActorKind.STAFF, uuid4(), frozenset({Role.HEAD}), None, None, None, None, 2**40),
            frozenset(),
        )
        self._heard = 0

    def view(self) -> bytes:
        return json.dumps(self.office.view(self.code), sort_keys=True).encode()

    def told(self) -> tuple[list[JSON], int]:
        """What the streams said since, and how many events there were, as a head's stream shows them."""
        version = self.office.one("SELECT version FROM cases WHERE case_id = %s", self.case_id)

        def heard() -> list[JSON]:
            names = [name for name, cls in registry.events().items() if issubclass(cls, TrackedEvent)]
            events = [one for name in names for one in self.office.wire.heard(name)]
            events = [one for one in events if one["case_id"] == str(self.case_id)]
            events.sort(key=lambda one: one["sequence"])
            assert events
            assert events[-1]["sequence"] >= version
            return events

        events = eventually(heard)
        for event in events[self._heard :]:
            self._hub.handle_event(event["_name"], json.dumps(event).encode())
        self._heard = len(events)
        frames = [[_data(frame) for frame in _drained(reader)] for reader in (*self._readers, self._head)]
        assert frames[0] == frames[1], "the holder of the code and its citizen are told alike"
        return frames[0], len(frames[2])


def _drained(reader: Any) -> list[bytes]:
    found = []
    while not reader.queue.empty():
        found.append(reader.queue.get_nowait())
    return found


def _data(frame: bytes) -> JSON:
    data: JSON = json.loads(frame.decode().split("data: ")[1])
    return data


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    made = Gateway(tmp_path)
    made.container.catalogue_cache.put(CATALOGUE)
    return made


def test_no_command_of_the_office_for_itself_is_noticed(office: Office, gateway: Gateway) -> None:
    other = office.investigated()
    filed = office.investigated(citizen_id=uuid4())
    citizen, case_id = Citizen(office, filed, gateway), filed.case_id
    citizen.told()
    inspector, head, second = office.inspector, office.head, office.other_inspector
    item: JSON = {}

    def tick() -> TickCheck:
        checklist = office.get(case_id)["checklist"]
        item["id"] = checklist[0]["item_id"]
        return TickCheck(item_id=item["id"], done=True)

    unnoticed: list[tuple[str, Any, Any]] = [
        ("note", inspector, lambda: AddNote(text="با مسئول دفتر تماس گرفته شد.")),
        ("note with a mention", inspector, lambda: AddNote(text="ببینید.", mentions=[UUID(head.id)])),
        ("evidence of the office", inspector, lambda: AddEvidence(uploads=[uuid4().hex])),
        ("reminder", inspector, lambda: Remind(on=now().date().replace(year=now().year + 1), text="پیگیری")),
        ("check", inspector, lambda: AddCheck(text="بازدید")),
        ("check ticked", inspector, tick),
        ("link", inspector, lambda: LinkCase(to=other.case_id)),
        ("another inspector", head, lambda: Assign(inspector=UUID(second.id))),
        ("and back", head, lambda: Assign(inspector=UUID(inspector.id))),
        (
            "proposal",
            inspector,
            lambda: Propose(outcome="upheld", reasons="تأخیر بوده است.", root_causes=["process"]),
        ),
        ("returned", head, lambda: ReturnProposal(reason="کامل نیست.")),
    ]
    for name, who, command in unnoticed:
        before = citizen.view()
        office.do(who, case_id, command())
        told, of_head = citizen.told()
        assert of_head >= 1, name  # the office is told
        assert told == [], name
        assert citizen.view() == before, name

    # And what follows is counted as if nothing had been in between.
    last = office.view(filed.code_hash)["version"]
    office.do(inspector, case_id, AskCitizen(text="چه روزی؟"))
    told, _ = citizen.told()
    assert [one["version"] for one in told] == [last + 1]
    view = office.view(filed.code_hash)
    assert view["version"] == last + 1
    assert [line["sequence"] for line in view["timeline"]] == list(range(1, len(view["timeline"]) + 1))


def test_what_the_citizen_is_shown_is_told_with_the_version_that_is_read_then(office: Office, gateway: Gateway) -> None:
    filed = office.open(citizen_id=uuid4())
    citizen, case_id, code = Citizen(office, filed, gateway), filed.case_id, filed.code_hash
    inspector = office.inspector

    def answer_of_unit() -> None:
        [question] = [one for one in office.get(case_id)["questions"] if one["unit"] and one["answer"] is None]
        reply = AnswerUnitQuestion(
            actor=office.liaison, question_id=question["question_id"], text="در دست است.", idempotency_key=uuid4().hex
        )
        office.ask("answer_unit_question", reply)

    steps: list[Any] = [
        lambda: office.do(office.screener, case_id, StartScreening()),
        lambda: office.do(office.screener, case_id, Correct(ground="conduct", urgent=True)),
        lambda: office.do(office.screener, case_id, Assign(inspector=UUID(inspector.id))),
        lambda: office.do(inspector, case_id, AskCitizen(text="چه روزی؟")),
        lambda: office.do_as_citizen(code, AnswerQuestion(text="دیروز")),
        lambda: office.do(inspector, case_id, AskUnit(text="چرا؟")),
        answer_of_unit,
        lambda: office.do(inspector, case_id, decision()),
        lambda: office.do_as_citizen(code, RaiseObjection(text="به مدرکم توجه نشده است.")),
    ]
    citizen.told()
    for number, step in enumerate(steps):
        before = office.view(code)
        step()
        told, _ = citizen.told()
        after = office.view(code)
        assert after != before, number
        assert told, number
        assert told[-1]["version"] == after["version"] > before["version"], number
        assert told[-1]["stage"] == after["stage"], number
        assert [line["sequence"] for line in after["timeline"]] == list(range(1, len(after["timeline"]) + 1))


def test_another_inspector_for_an_objection_is_the_offices_own_affair(office: Office, gateway: Gateway) -> None:
    filed = office.decided(citizen_id=uuid4())
    citizen = Citizen(office, filed, gateway)
    office.do_as_citizen(filed.code_hash, RaiseObjection(text="به مدرکم توجه نشده است."))
    citizen.told()
    third = actor(Role.INSPECTOR)
    office.wire.event(staff(third))
    eventually(lambda: office.one("SELECT count(*) FROM staff WHERE staff_id = %s", third.id))
    office.do(office.head, filed.case_id, Assign(inspector=UUID(office.other_inspector.id)))
    told, _ = citizen.told()
    assert len(told) == 1  # the review has begun
    before = citizen.view()
    office.do(office.head, filed.case_id, Assign(inspector=UUID(third.id)))
    told, of_head = citizen.told()
    assert (told, of_head) == ([], 1)
    assert citizen.view() == before

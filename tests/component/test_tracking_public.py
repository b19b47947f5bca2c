"""The citizen notices nothing of what the office keeps to itself: not a byte of the view, not an event of the stream, no gap."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from backbone.persian import jalali
from contracts import registry, tracking
from contracts.base import now
from contracts.vocabulary import ActorKind, Role
from gateway.auth.tokens import Caller
from tests.support.gateway import CATALOGUE, Gateway
from tests.support.processes import eventually
from tests.support.tracking import Office, actor, decision, staff

JSON = dict[str, Any]


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
        self._handled = 0

    def view(self) -> bytes:
        return json.dumps(self.office.view(self.code), sort_keys=True).encode()

    def new_frames(self) -> tuple[list[JSON], int]:
        """What the streams said since, and how many events there were, as a head's stream shows them."""
        version = self.office.value("SELECT version FROM cases WHERE case_id = %s", self.case_id)

        def new_events() -> list[JSON]:
            names = [name for name, cls in registry.events().items() if issubclass(cls, tracking.TrackedEvent)]
            events = [event for name in names for event in self.office.broker_client.recorded_events(name)]
            events = [event for event in events if event["case_id"] == str(self.case_id)]
            events.sort(key=lambda item: item["sequence"])
            assert events
            assert events[-1]["sequence"] >= version
            return events

        events = eventually(new_events)
        for event in events[self._handled :]:
            self._hub.handle_event(event["_name"], json.dumps(event).encode())
        self._handled = len(events)
        frames = [[_data(frame) for frame in _drained(reader)] for reader in (*self._readers, self._head)]
        assert frames[0] == frames[1], "the holder of the code and its citizen are told alike"
        return frames[0], len(frames[2])


def _drained(reader: Any) -> list[bytes]:
    frames = []
    while not reader.queue.empty():
        frames.append(reader.queue.get_nowait())
    return frames


def _data(frame: bytes) -> JSON:
    data: JSON = json.loads(frame.decode().split("data: ")[1])
    return data


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    made = Gateway(tmp_path)
    made.container.catalogue_cache.put(CATALOGUE)
    return made


def test_internal_commands_are_not_visible_to_the_citizen(office: Office, gateway: Gateway) -> None:
    other = office.investigated()
    filed = office.investigated(citizen_id=uuid4())
    citizen, case_id = Citizen(office, filed, gateway), filed.case_id
    citizen.new_frames()
    inspector, head, second = office.inspector, office.head, office.other_inspector
    item: JSON = {}

    def tick() -> tracking.TickCheck:
        checklist = office.get(case_id)["checklist"]
        item["id"] = checklist[0]["item_id"]
        return tracking.TickCheck(item_id=item["id"], done=True)

    unnoticed: list[tuple[str, Any, Any]] = [
        ("note", inspector, lambda: tracking.AddNote(text="با مسئول دفتر تماس گرفته شد.")),
        ("note with a mention", inspector, lambda: tracking.AddNote(text="ببینید.", mentions=[UUID(head.id)])),
        ("evidence of the office", inspector, lambda: tracking.AddEvidence(uploads=[uuid4().hex])),
        (
            "reminder",
            inspector,
            lambda: tracking.Remind(on=jalali.today(now()).replace(year=now().year + 1), text="پیگیری"),
        ),
        ("check", inspector, lambda: tracking.AddCheck(text="بازدید")),
        ("check ticked", inspector, tick),
        ("link", inspector, lambda: tracking.LinkCase(to=other.case_id)),
        ("second inspector", inspector, lambda: tracking.AddCoHandler(inspector=UUID(second.id))),
        ("one again", inspector, lambda: tracking.RemoveCoHandler(inspector=UUID(second.id))),
        ("advice", inspector, lambda: tracking.ConsultColleague(colleague=UUID(second.id), text="چه کنیم؟")),
        ("another inspector", head, lambda: tracking.Assign(inspector=UUID(second.id))),
        ("and back", head, lambda: tracking.Assign(inspector=UUID(inspector.id))),
        (
            "proposal",
            inspector,
            lambda: tracking.Propose(outcome="upheld", reasons="تأخیر بوده است.", root_causes=["process"]),
        ),
        ("returned", head, lambda: tracking.ReturnProposal(reason="کامل نیست.")),
    ]
    for name, who, command in unnoticed:
        before = citizen.view()
        office.do(who, case_id, command())
        frames, of_head = citizen.new_frames()
        assert of_head >= 1, name  # the office is told
        assert frames == [], name
        assert citizen.view() == before, name

    # And what follows is counted as if nothing had been in between.
    last = office.view(filed.code_hash)["version"]
    office.do(inspector, case_id, tracking.AskCitizen(text="چه روزی؟"))
    frames, _ = citizen.new_frames()
    assert [event["version"] for event in frames] == [last + 1]
    view = office.view(filed.code_hash)
    assert view["version"] == last + 1
    assert [line["sequence"] for line in view["timeline"]] == list(range(1, len(view["timeline"]) + 1))


def test_stream_events_have_the_version_that_the_citizen_reads_next(office: Office, gateway: Gateway) -> None:
    filed = office.open(citizen_id=uuid4())
    citizen, case_id, code = Citizen(office, filed, gateway), filed.case_id, filed.code_hash
    inspector = office.inspector

    def answer_of_unit() -> None:
        [question] = [
            question for question in office.get(case_id)["questions"] if question["unit"] and question["answer"] is None
        ]
        reply = tracking.AnswerUnitQuestion(
            actor=office.liaison, question_id=question["question_id"], text="در دست است.", idempotency_key=uuid4().hex
        )
        office.ask("answer_unit_question", reply)

    steps: list[Any] = [
        lambda: office.do(office.screener, case_id, tracking.StartScreening()),
        lambda: office.do(office.screener, case_id, tracking.Correct(ground="conduct", urgent=True)),
        lambda: office.do(office.screener, case_id, tracking.Assign(inspector=UUID(inspector.id))),
        lambda: office.do(inspector, case_id, tracking.AskCitizen(text="چه روزی؟")),
        lambda: office.do_as_citizen(code, tracking.AnswerQuestion(text="دیروز")),
        lambda: office.do(inspector, case_id, tracking.AskUnit(text="چرا؟")),
        answer_of_unit,
        lambda: office.do(inspector, case_id, decision()),
        lambda: office.do_as_citizen(code, tracking.RaiseObjection(text="به مدرکم توجه نشده است.")),
    ]
    citizen.new_frames()
    for number, step in enumerate(steps):
        before = office.view(code)
        step()
        frames, _ = citizen.new_frames()
        after = office.view(code)
        assert after != before, number
        assert frames, number
        assert frames[-1]["version"] == after["version"] > before["version"], number
        assert frames[-1]["stage"] == after["stage"], number
        assert [line["sequence"] for line in after["timeline"]] == list(range(1, len(after["timeline"]) + 1))


def test_reassigning_an_objection_is_not_visible_to_the_citizen(office: Office, gateway: Gateway) -> None:
    filed = office.decided(citizen_id=uuid4())
    citizen = Citizen(office, filed, gateway)
    office.do_as_citizen(filed.code_hash, tracking.RaiseObjection(text="به مدرکم توجه نشده است."))
    citizen.new_frames()
    third = actor(Role.INSPECTOR)
    office.broker_client.publish_event(staff(third))
    eventually(lambda: office.value("SELECT count(*) FROM staff WHERE staff_id = %s", third.id))
    office.do(office.head, filed.case_id, tracking.Assign(inspector=UUID(office.other_inspector.id)))
    frames, _ = citizen.new_frames()
    assert len(frames) == 1  # the review has begun
    before = citizen.view()
    office.do(office.head, filed.case_id, tracking.Assign(inspector=UUID(third.id)))
    frames, of_head = citizen.new_frames()
    assert (frames, of_head) == ([], 1)
    assert citizen.view() == before

"""Mentions, reminders, checklists and links over the broker, with the service as a process."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backbone.persian import jalali
from contracts.base import now
from contracts.errors import InvalidField, NobodyAnswersForUnit, NotAllowed
from contracts.tracking import AddCheck, AddNote, AskUnit, Assign, LinkCase, ListUnansweredUnits, Remind, TickCheck
from contracts.vocabulary import Role
from tests.support.processes import eventually
from tests.support.tracking import UNIT, Office, actor, staff

TOMORROW = jalali.today(now()) + timedelta(days=2)


def test_a_note_mentions_only_staff_who_may_see_the_case(office: Office) -> None:
    filed = office.investigated()
    inside = actor(Role.HEAD, UNIT)
    office.broker_client.publish_event(staff(inside))
    eventually(lambda: office.rows("SELECT 1 FROM staff WHERE staff_id = %s", inside.id))
    note = AddNote(text="راز یادداشت", mentions=[UUID(office.head.id)])
    office.do(office.inspector, filed.case_id, note)

    def mentions() -> list[Any]:
        notes = office.broker_client.recorded_events("case.note_added.v1")
        return [note for note in notes if note["case_id"] == str(filed.case_id) and note["mentions"]]

    [event] = eventually(mentions)
    assert event["mentions"] == [office.head.id]
    assert "راز" not in json.dumps(event, ensure_ascii=False)
    for who in (inside.id, office.other_inspector.id, office.liaison.id):
        with pytest.raises(InvalidField):
            office.do(office.inspector, filed.case_id, AddNote(text="x", mentions=[UUID(who)]))


def test_a_reminder_is_sent_once_and_never_to_a_former_handler(office: Office) -> None:
    kept, taken = office.investigated(), office.investigated()
    for filed in (kept, taken):
        case = office.do(office.inspector, filed.case_id, Remind(on=TOMORROW, text="راز یادآوری"))
        assert [reminder["text"] for reminder in case["reminders"]] == ["راز یادآوری"]
    office.do(office.head, taken.case_id, Assign(inspector=UUID(office.other_inspector.id)))
    office.run("UPDATE reminders SET on_day = current_date - 1")
    eventually(lambda: office.value("SELECT count(*) FROM reminders WHERE NOT reminded") == 0)

    def events() -> list[Any]:
        sent = office.broker_client.recorded_events("case.reminded.v1")
        return sent if len(sent) > 1 else []

    sent = eventually(events)
    assert sorted((event["case_id"], event["staff"]) for event in sent) == sorted(
        [(str(kept.case_id), office.inspector.id), (str(taken.case_id), office.other_inspector.id)]
    )
    assert "راز" not in json.dumps(sent, ensure_ascii=False)
    assert office.get(kept.case_id)["reminders"][0]["said"]


def test_a_checklist_is_kept_with_the_case_and_hidden_from_the_citizen(office: Office) -> None:
    filed = office.investigated()
    case = office.do(office.inspector, filed.case_id, AddCheck(text="راز فهرست"))
    item = UUID(case["checklist"][0]["item_id"])
    case = office.do(office.head, filed.case_id, TickCheck(item_id=item, done=True))
    assert case["checklist"][0]["done_by"] == office.head.id
    assert "راز" not in json.dumps(office.view(filed.code_hash), ensure_ascii=False)


def test_cases_are_linked_both_ways_and_shown_only_to_permitted_staff(office: Office) -> None:
    first, other = office.investigated(), office.investigated(unit="dep.civ")
    numbers = {case_id: office.get(case_id)["number"] for case_id in (first.case_id, other.case_id)}
    case = office.do(office.head, first.case_id, LinkCase(to=other.case_id))
    assert [linked["number"] for linked in case["linked"]] == [numbers[other.case_id]]
    assert [linked["number"] for linked in office.get(other.case_id)["linked"]] == [numbers[first.case_id]]
    inside = actor(Role.HEAD, "dep.civ")
    assert office.get(first.case_id, inside)["linked"] == []
    assert office.do(inside, first.case_id, AddNote(text="x"))["linked"] == []
    with pytest.raises(InvalidField):
        office.do(inside, first.case_id, LinkCase(to=other.case_id, linked=False))
    office.do(office.head, other.case_id, LinkCase(to=first.case_id, linked=False))
    assert office.get(first.case_id)["linked"] == []


def test_a_question_to_a_unit_without_a_liaison_is_refused_and_the_case_says_so(office: Office) -> None:
    filed = office.investigated(unit="dep.civ")
    assert office.get(filed.case_id)["unit_has_liaison"] is False
    with pytest.raises(NobodyAnswersForUnit) as raised:
        office.do(office.inspector, filed.case_id, AskUnit(text="چرا؟"))
    assert raised.value.params["unit"] == "dep.civ"
    assert office.get(filed.case_id)["stage"] == "investigating"
    # A unit below one that has a liaison is answered for by that one.
    view = office.do(office.inspector, filed.case_id, AskUnit(text="چرا؟", unit="dep.urb.permits.desk"))
    assert view["stage"] == "awaiting_unit"
    assert office.get(office.open().case_id)["unit_has_liaison"] is True
    unanswered = office.ask("list_unanswered_units", ListUnansweredUnits(actor=office.inspector))["items"]
    codes = {unit["code"] for unit in unanswered}
    assert "dep.civ" in codes
    assert not codes & {"dep.urb.permits", "dep.urb.permits.desk", "gone", "mq"}
    with pytest.raises(NotAllowed):
        office.ask("list_unanswered_units", ListUnansweredUnits(actor=office.liaison))

"""What whoever handles a case reads and hears of those that were merged into it."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

import pytest

from contracts.errors import UnknownCase
from contracts.intake import SubmissionRegistered
from contracts.tracking import Assign, AuthorizeMedia, GetCase, Merge, Reopen, StartScreening, Withdraw
from tests.support.processes import eventually
from tests.support.tracking import Office, decision


def merge(office: Office, submitted: SubmissionRegistered, into: SubmissionRegistered) -> None:
    office.do(office.screener, submitted.case_id, StartScreening())
    office.do(office.screener, submitted.case_id, Merge(into=into.case_id))


def events_of(office: Office, name: str, case_id: UUID) -> list[dict[str, Any]]:
    return [event for event in office.broker_client.recorded_events(name) if event["case_id"] == str(case_id)]


def test_whoever_handles_a_case_reads_those_that_were_merged_into_it(office: Office) -> None:
    photo = uuid.uuid4().hex
    last, middle = office.investigated(), office.open(text="میانی", uploads=[photo])
    first = office.open(text="نخستین", visit_wanted=True, people=["کارمند"])
    merge(office, first, middle)
    merge(office, middle, last)
    shown = office.get(last.case_id, office.inspector)["merged_cases"]
    assert {line["case_id"]: (line["text"], line["visit_wanted"], line["people"]) for line in shown} == {
        str(middle.case_id): ("میانی", False, []),
        str(first.case_id): ("نخستین", True, ["کارمند"]),
    }
    by_id = {line["case_id"]: line for line in shown}
    assert [media["media_id"] for media in by_id[str(middle.case_id)]["attachments"]] == [photo]
    # The wish goes on with it: it is neither avoided nor cancelled.
    assert [visit["state"] for visit in by_id[str(first.case_id)]["visits"]] == ["asked"]
    assert events_of(office, "visit.avoided.v1", first.case_id) == []
    grant = office.ask(
        "authorize_media", AuthorizeMedia(actor=office.inspector, case_id=middle.case_id, media_id=photo)
    )
    assert grant["case_id"] == str(middle.case_id)
    # A command's answer shows them as reading does, and the case itself stays another's.
    with pytest.raises(UnknownCase):
        office.ask("get_case", GetCase(actor=office.inspector, case_id=middle.case_id))
    assert len(office.do(office.inspector, last.case_id, decision())["merged_cases"]) == 2


def test_whoever_handles_the_case_hears_of_a_merge_and_of_its_undoing(office: Office) -> None:
    target, merged = office.investigated(), office.open(visit_wanted=True)
    merge(office, merged, target)
    [joined] = events_of(office, "case.duplicate_joined.v1", target.case_id)
    assert (joined["merged"], joined["state"]["handler"]) == (str(merged.case_id), office.inspector.id)
    office.do(office.head, merged.case_id, Reopen(reason="همانند نبود"))
    [parted] = events_of(office, "case.duplicate_parted.v1", target.case_id)
    assert (parted["merged"], parted["state"]["handler"]) == (str(merged.case_id), office.inspector.id)
    assert office.get(target.case_id, office.inspector)["merged_cases"] == []
    assert [visit["state"] for visit in office.get(merged.case_id)["visits"]] == ["asked"]


def test_others_and_whoever_has_a_conflict_of_interest_read_nothing_of_a_merged_case(office: Office) -> None:
    photo = uuid.uuid4().hex
    about_others = office.open(unit="dep.civ")
    own = office.open(text="درباره واحد خود او", uploads=[photo])  # about the insider's unit
    merge(office, own, about_others)
    office.do(office.screener, about_others.case_id, StartScreening())
    office.do(office.screener, about_others.case_id, Assign(inspector=UUID(office.insider.id)))
    assert office.get(about_others.case_id, office.insider)["merged_cases"] == []
    for person in (office.insider, office.other_inspector):
        with pytest.raises(UnknownCase):
            office.ask("authorize_media", AuthorizeMedia(actor=person, case_id=own.case_id, media_id=photo))
    assert [line["text"] for line in office.get(about_others.case_id)["merged_cases"]] == ["درباره واحد خود او"]


def test_everybody_who_worked_on_a_case_hears_of_its_withdrawal(office: Office) -> None:
    filed = office.investigated()
    office.do(office.head, filed.case_id, Assign(inspector=UUID(office.other_inspector.id)))
    office.do_as_citizen(filed.code_hash, Withdraw())

    def told() -> bool:
        events = events_of(office, "case.withdrawn.v1", filed.case_id)
        assert events
        assert sorted(events[-1]["workers"]) == sorted([office.inspector.id, office.other_inspector.id])
        return True

    eventually(told)

"""What the office takes back: the case, its letter, its merge, what is erased of it, and what others are told."""

from __future__ import annotations

from uuid import UUID

import pytest

from contracts.errors import NoLetter, NotAllowed, StaleVersion, TextsErased, UnknownCase, WrongStage
from contracts.gateway import Actor
from contracts.letters import CheckLetter, ReadLetter
from contracts.tracking import (
    AskUnit,
    Assign,
    Correct,
    Merge,
    Refuse,
    Reopen,
    ReturnToScreening,
    StartScreening,
    Withdraw,
)
from contracts.vocabulary import ActorKind
from tests.support.processes import eventually
from tests.support.tracking import Office, decision

REOPEN = Reopen(reason="اشتباه ما بود")


def letter(office: Office, code: str) -> dict[str, object]:
    bearer = Actor(kind=ActorKind.BEARER, id=code)
    answer: dict[str, object] = office.ask("read_letter", ReadLetter(actor=bearer, code_hashes=[code]))
    return answer


def in_force(office: Office, letter: dict[str, object]) -> bool:
    return bool(office.ask("check_letter", CheckLetter(number=str(letter["number"])))["in_force"])


def test_a_refusal_is_taken_back_and_its_letter_void(office: Office) -> None:
    filed = office.open()
    office.do(office.screener, filed.case_id, StartScreening())
    office.do(office.screener, filed.case_id, Refuse(reason="no_reasons", explanation="چرا"))
    void = letter(office, filed.code_hash)
    assert in_force(office, void)
    with pytest.raises(NotAllowed):
        office.do(office.screener, filed.case_id, REOPEN)
    with pytest.raises(StaleVersion):
        office.do(office.head, filed.case_id, REOPEN, version=1)
    view = office.do(office.head, filed.case_id, REOPEN, key="taken-back-once")
    assert office.do(office.head, filed.case_id, REOPEN, key="taken-back-once")["version"] == view["version"]
    assert (view["stage"], view["refusal"]) == ("screening", None)
    with pytest.raises(WrongStage):
        office.do(office.head, filed.case_id, REOPEN)
    with pytest.raises(NoLetter):
        letter(office, filed.code_hash)
    assert not in_force(office, void)
    shown = office.view(filed.code_hash)
    assert (shown["stage"], shown["refusal_reason"], shown["can"]) == ("screening", None, ["withdraw"])
    assert [line["entry"] for line in shown["timeline"]][-2:] == ["refused", "refusal_taken_back"]
    assert REOPEN.reason not in str(shown)
    office.do(office.screener, filed.case_id, Assign(inspector=UUID(office.inspector.id)))
    office.do(office.inspector, filed.case_id, decision())
    new = letter(office, filed.code_hash)
    assert new["replaces"] == void["registry_number"] != new["registry_number"]
    assert str(new["number"]).endswith("-2")
    assert (in_force(office, void), in_force(office, new)) == (False, True)
    with pytest.raises(UnknownCase):
        office.ask("check_letter", CheckLetter(number="1300-000001-1"))


def test_a_closed_case_is_open_again_and_kept(office: Office) -> None:
    filed = office.decided()
    office.run(
        f"UPDATE cases SET stage = 'closed', ended_at = now() - interval '9 years' WHERE case_id = '{filed.case_id}'"
    )
    view = office.do(office.head, filed.case_id, REOPEN)
    assert (view["stage"], view["decision"], view["score"]) == ("screening", None, None)
    assert office.value("SELECT ended_at FROM cases WHERE case_id = %s", filed.case_id) is None
    recorded = [
        event
        for event in office.broker_client.recorded_events("case.reopened.v1")
        if event["case_id"] == str(filed.case_id)
    ]
    assert [(event["mistake"], event["state"]["stage"]) for event in recorded] == [("decided", "screening")]


def test_a_case_whose_texts_were_erased_is_not_reopened(office: Office) -> None:
    filed = office.decided()
    office.run(f"UPDATE cases SET stage = 'closed', texts_erased_at = now() WHERE case_id = '{filed.case_id}'")
    with pytest.raises(TextsErased):
        office.do(office.head, filed.case_id, REOPEN)


def test_a_merge_is_undone_on_both_sides(office: Office) -> None:
    target, merged = office.investigated(), office.open()
    office.do(office.screener, merged.case_id, StartScreening())
    office.do(office.screener, merged.case_id, Merge(into=target.case_id))
    view = office.do(office.head, merged.case_id, REOPEN)
    assert (view["stage"], view["merged_into"]) == ("screening", None)
    assert office.get(target.case_id)["timeline"][-1]["entry"] == "duplicate_parted"
    office.do_as_citizen(target.code_hash, Withdraw())  # concerns it no more
    assert office.view(merged.code_hash)["timeline"][-1]["entry"] == "merge_undone"
    office.do(office.screener, merged.case_id, Assign(inspector=UUID(office.inspector.id)))
    assert office.do(office.inspector, merged.case_id, decision())["stage"] == "decided"


def test_who_was_told_the_outcome_of_another_case_hears_that_it_does_not_hold(office: Office) -> None:
    target, merged = office.investigated(), office.open()
    office.do(office.screener, merged.case_id, StartScreening())
    office.do(office.screener, merged.case_id, Merge(into=target.case_id))
    office.do(office.inspector, target.case_id, decision())
    eventually(lambda: office.view(merged.code_hash)["joined"] is not None)
    office.do(office.head, target.case_id, REOPEN)
    eventually(lambda: office.view(merged.code_hash)["timeline"][-1]["entry"] == "joined_reopened")
    assert office.view(merged.code_hash)["joined"] is None
    # Now the other ends without a result: this one is its own again, as one that was told nothing.
    office.do_as_citizen(target.code_hash, Withdraw())
    eventually(lambda: office.view(merged.code_hash)["stage"] == "screening")


def test_back_to_screening_ends_what_waits_and_takes_the_case_from_its_handler(office: Office) -> None:
    filed = office.investigated()
    office.do(office.inspector, filed.case_id, AskUnit(text="چرا؟"))
    view = office.do(office.inspector, filed.case_id, ReturnToScreening(reason="واحد دیگری است"))
    assert (view["stage"], view["handler"], view["timeline"][-1]["entry"]) == (
        "screening",
        None,
        "returned_to_screening",
    )
    assert office.value("SELECT lapsed_at FROM questions WHERE case_id = %s", filed.case_id) is not None
    [event] = [
        event
        for event in office.broker_client.recorded_events("case.returned.v1")
        if event["case_id"] == str(filed.case_id)
    ]
    assert event["unit_released"] == filed.unit
    office.do(office.screener, filed.case_id, Correct(unit="dep.urb.control"))
    office.do(office.screener, filed.case_id, Assign(inspector=UUID(office.inspector.id)))


def test_kind_and_unit_are_set_right_while_an_inspector_is_at_work(office: Office) -> None:
    filed = office.investigated()
    view = office.do(office.screener, filed.case_id, Correct(kind="criticism", urgent=True))
    assert (view["kind"], view["urgent"], view["handler"]) == ("criticism", True, office.inspector.id)
    assert office.value("SELECT kind FROM cases WHERE case_id = %s", filed.case_id) == "criticism"
    assert (
        office.do(office.screener, filed.case_id, Correct(urgent=False))["expected_on"]
        == office.view(filed.code_hash)["expected_on"]
    )

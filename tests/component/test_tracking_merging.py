"""Merged cases: what they are shown of the case they go on in, and when they are on their own again."""

from __future__ import annotations

import uuid
from uuid import UUID

import pytest

from contracts.errors import InvalidField
from contracts.intake import SubmissionRegistered
from contracts.tracking import Assign, Decide, Merge, RaiseObjection, Refuse, Reopen, StartScreening, Withdraw
from tests.support.processes import eventually
from tests.support.tracking import Office, decision


def test_a_duplicate_is_merged_into_an_open_case(office: Office) -> None:
    first, second, third = office.open(), office.open(), office.open()
    office.do(office.screener, second.case_id, StartScreening())
    for into, reason in ((second.case_id, "itself"), (uuid.uuid4(), "unknown_case")):
        with pytest.raises(InvalidField) as raised:
            office.do(office.screener, second.case_id, Merge(into=into))
        assert raised.value.params["fields"] == [{"field": "into", "reason": reason}]
    assert office.do(office.screener, second.case_id, Merge(into=first.case_id))["merged_into"] == str(first.case_id)
    assert office.get(first.case_id)["timeline"][-1]["entry"] == "duplicate_joined"
    office.do(office.screener, third.case_id, StartScreening())
    with pytest.raises(InvalidField):
        office.do(office.screener, third.case_id, Merge(into=second.case_id))


def test_merged_cases_in_a_chain_get_each_decision_of_their_final_case_once(office: Office) -> None:
    last, second, first, alone = office.open(), office.open(), office.open(), office.open()
    others = [office.open() for _ in range(2)]
    for submitted, into in ((first, second), (second, last), *((other, last) for other in others)):
        office.do(office.screener, submitted.case_id, StartScreening())
        office.do(office.screener, submitted.case_id, Merge(into=into.case_id))
    office.do(office.screener, last.case_id, StartScreening())
    office.do(office.screener, last.case_id, Assign(inspector=UUID(office.inspector.id)))
    secret = "دلیلی که به دیگری نوشته شد"
    office.do(office.inspector, last.case_id, decision(secret))
    merged = [first, second, *others]

    def all_notified(times: int) -> bool:
        return all(len(joined_decisions(office, submitted.case_id)) == times for submitted in merged)

    eventually(lambda: all_notified(1))
    for submitted in merged:
        view = office.view(submitted.code_hash)
        assert (view["stage"], view["decision"], view["can"]) == ("merged", None, [])
        assert (view["joined"]["outcome"], view["joined"]["final"]) == ("upheld", False)
        assert view["timeline"][-1]["entry"] == "joined_decided"
        assert view["timeline"][-1]["outcome"] == "upheld"
        assert secret not in str(view)
        assert str(last.case_id) not in str(view)
        assert office.get(submitted.case_id)["timeline"][-1]["actor_kind"] == "system"
    assert joined_decisions(office, alone.case_id) == joined_decisions(office, last.case_id) == []

    office.do_as_citizen(last.code_hash, RaiseObjection(text="نمی‌پذیرم"))
    office.do(office.head, last.case_id, Assign(inspector=UUID(office.other_inspector.id)))
    office.do(office.other_inspector, last.case_id, Decide(outcome="not_upheld", reasons=secret))
    eventually(lambda: all_notified(2))
    assert office.view(first.code_hash)["joined"]["outcome"] == "not_upheld"
    assert office.view(first.code_hash)["joined"]["final"]
    assert office.value("SELECT count(*) FROM pending_outcomes") == 0
    assert [row["final"] for row in joined_decisions(office, first.case_id)] == [False, True]


def merged_into(office: Office, main: SubmissionRegistered) -> SubmissionRegistered:
    """A case that goes on in another."""
    submitted = office.open()
    office.do(office.screener, submitted.case_id, StartScreening())
    office.do(office.screener, submitted.case_id, Merge(into=main.case_id))
    return submitted


def last_entry(office: Office, submitted: SubmissionRegistered) -> str:
    return str(office.view(submitted.code_hash)["timeline"][-1]["entry"])


def test_a_withdrawn_case_withdraws_no_merged_case(office: Office) -> None:
    main = office.investigated()
    merged_case = merged_into(office, main)
    eventually(
        lambda: office.value("SELECT ended_at FROM cases WHERE case_id = %s", merged_case.case_id) is not None,
        timeout=40,
    )
    office.do_as_citizen(main.code_hash, Withdraw(reason="رازی که به دیگری مربوط است"))
    eventually(lambda: last_entry(office, merged_case) == "reopened")
    view = office.view(merged_case.code_hash)
    assert (view["stage"], view["can"]) == ("screening", ["withdraw"])
    assert view["expected_on"] is not None
    assert "راز" not in str(view)
    ended = "SELECT ended_at, merged_into FROM cases WHERE case_id = %s"
    assert office.rows(ended, merged_case.case_id) == [(None, None)]
    # And it is the office's again.
    office.do(office.screener, merged_case.case_id, Assign(inspector=UUID(office.inspector.id)))
    assert office.do(office.inspector, merged_case.case_id, decision())["stage"] == "decided"


def test_an_earlier_merged_case_follows_the_case_it_was_merged_into(office: Office) -> None:
    main, middle = office.investigated(), office.open()
    first = merged_into(office, middle)
    office.do(office.screener, middle.case_id, StartScreening())
    office.do(office.screener, middle.case_id, Merge(into=main.case_id))
    office.do_as_citizen(main.code_hash, Withdraw())
    eventually(lambda: last_entry(office, middle) == "reopened")
    assert last_entry(office, first) == "merged"
    office.do(office.screener, middle.case_id, Assign(inspector=UUID(office.inspector.id)))
    office.do(office.inspector, middle.case_id, decision())
    eventually(lambda: last_entry(office, first) == "joined_decided")


def test_a_refusal_applies_to_merged_cases_only_for_reasons_of_the_matter(office: Office) -> None:
    def refused(reason: str) -> SubmissionRegistered:
        main = office.open()
        office.do(office.screener, main.case_id, StartScreening())
        submitted = merged_into(office, main)
        office.do(office.screener, main.case_id, Refuse(reason=reason, explanation="رازی برای او", address="آبفا"))
        return submitted

    refused_too, freed = refused("outside_remit"), refused("identity_incomplete")
    eventually(lambda: last_entry(office, refused_too) == "joined_refused")
    view = office.view(refused_too.code_hash)
    assert view["stage"] == "merged"
    assert (view["joined_refusal"]["refusal_reason"], view["joined_refusal"]["refusal_address"]) == (
        "outside_remit",
        "آبفا",
    )
    assert "راز" not in str(view)
    eventually(lambda: last_entry(office, freed) == "reopened")
    assert office.view(freed.code_hash)["joined_refusal"] is None
    assert office.value("SELECT count(*) FROM pending_outcomes") == 0


def test_after_a_withdrawn_objection_informed_merged_cases_keep_the_outcome_and_others_reopen(office: Office) -> None:
    main = office.investigated()
    informed = merged_into(office, main)
    office.do(office.inspector, main.case_id, decision())
    eventually(lambda: last_entry(office, informed) == "joined_decided")
    office.do_as_citizen(main.code_hash, RaiseObjection(text="نه"))
    late = merged_into(office, main)
    office.do_as_citizen(main.code_hash, Withdraw())
    eventually(lambda: last_entry(office, late) == "reopened")
    assert last_entry(office, informed) == "joined_decided"
    assert office.view(informed.code_hash)["joined"]["outcome"] == "upheld"


def test_a_merge_that_is_undone_takes_the_outcome_back_so_that_the_next_merge_has_its_own_end(office: Office) -> None:
    first, second = office.investigated(), office.investigated()
    merged_case = merged_into(office, first)
    office.do(office.inspector, first.case_id, decision())
    eventually(lambda: last_entry(office, merged_case) == "joined_decided")
    office.do(office.head, merged_case.case_id, Reopen(reason="همانند نبود"))
    assert office.view(merged_case.code_hash)["joined"] is None
    office.do(office.screener, merged_case.case_id, Merge(into=second.case_id))
    office.do_as_citizen(second.code_hash, Withdraw())
    # Nobody has told its citizen an outcome that holds: it is not left merged into a case that ended.
    eventually(lambda: last_entry(office, merged_case) == "reopened")
    assert office.view(merged_case.code_hash)["stage"] == "screening"


def joined_decisions(office: Office, case_id: UUID) -> list[dict[str, object]]:
    """What a case was told of the one it goes on in."""
    query = "SELECT details FROM timeline WHERE case_id = %s AND entry = 'joined_decided' ORDER BY sequence"
    return [row[0] for row in office.rows(query, case_id)]

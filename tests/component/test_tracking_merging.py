"""Merged cases: what they are shown of the case they go on in, and when they are on their own again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from contracts.errors import (
    InvalidField,
)
from contracts.intake import SubmissionRegistered
from contracts.tracking import (
    Assign,
    Decide,
    Merge,
    RaiseObjection,
    Refuse,
    StartScreening,
    Withdraw,
)
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support.processes import BusClient, ServiceProcess, eventually, prepared
from tests.support.tracking import Office, decision


@pytest.fixture(scope="module")
def service(
    broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    environment = prepared("tracking", broker.url, postgres.url, "tracking_merging")
    log: Path = tmp_path_factory.mktemp("tracking") / "tracking.log"
    process = ServiceProcess("tracking", environment, log).start()
    yield process
    process.stop()


@pytest.fixture
def office(service: ServiceProcess, wire: BusClient) -> Office:
    return Office(wire, service.environment["DATABASE_URL"]).gather()


def test_a_duplicate_is_merged_into_an_open_case(office: Office) -> None:
    first, second, third = office.open(), office.open(), office.open()
    office.do(office.screener, second.case_id, StartScreening())
    for into, reason in ((second.case_id, "itself"), (uuid.uuid4(), "unknown_case")):
        with pytest.raises(InvalidField) as raised:
            office.do(office.screener, second.case_id, Merge(into=into))
        assert raised.value.params["fields"] == [{"field": "command.into", "reason": reason}]
    assert office.do(office.screener, second.case_id, Merge(into=first.case_id))["merged_into"] == str(first.case_id)
    assert office.get(first.case_id)["timeline"][-1]["entry"] == "duplicate_joined"
    office.do(office.screener, third.case_id, StartScreening())
    with pytest.raises(InvalidField):
        office.do(office.screener, third.case_id, Merge(into=second.case_id))


def test_merged_cases_are_told_each_decision_of_the_one_they_go_on_in_once_down_a_chain(office: Office) -> None:
    last, second, first, alone = office.open(), office.open(), office.open(), office.open()
    others = [office.open() for _ in range(2)]
    for one, into in ((first, second), (second, last), *((other, last) for other in others)):
        office.do(office.screener, one.case_id, StartScreening())
        office.do(office.screener, one.case_id, Merge(into=into.case_id))
    office.do(office.screener, last.case_id, StartScreening())
    office.do(office.screener, last.case_id, Assign(inspector=UUID(office.inspector.id)))
    secret = "دلیلی که به دیگری نوشته شد"
    office.do(office.inspector, last.case_id, decision(secret))
    merged = [first, second, *others]

    def told(times: int) -> bool:
        return all(len(joined(office, one.case_id)) == times for one in merged)

    eventually(lambda: told(1))
    for one in merged:
        view = office.view(one.code_hash)
        assert (view["stage"], view["decision"], view["can"]) == ("merged", None, [])
        assert (view["joined"]["outcome"], view["joined"]["final"]) == ("upheld", False)
        assert view["timeline"][-1]["entry"] == "joined_decided"
        assert view["timeline"][-1]["outcome"] == "upheld"
        assert secret not in str(view)
        assert str(last.case_id) not in str(view)
        assert office.get(one.case_id)["timeline"][-1]["actor_kind"] == "system"
    assert joined(office, alone.case_id) == joined(office, last.case_id) == []

    office.do_as_citizen(last.code_hash, RaiseObjection(text="نمی‌پذیرم"))
    office.do(office.head, last.case_id, Assign(inspector=UUID(office.other_inspector.id)))
    office.do(office.other_inspector, last.case_id, Decide(outcome="not_upheld", reasons=secret))
    eventually(lambda: told(2))
    assert office.view(first.code_hash)["joined"]["outcome"] == "not_upheld"
    assert office.view(first.code_hash)["joined"]["final"]
    assert office.one("SELECT count(*) FROM outcomes_to_tell") == 0
    assert [row["final"] for row in joined(office, first.case_id)] == [False, True]


def merged_into(office: Office, main: SubmissionRegistered) -> SubmissionRegistered:
    """A case that goes on in another."""
    one = office.open()
    office.do(office.screener, one.case_id, StartScreening())
    office.do(office.screener, one.case_id, Merge(into=main.case_id))
    return one


def last_entry(office: Office, one: SubmissionRegistered) -> str:
    return str(office.view(one.code_hash)["timeline"][-1]["entry"])


def test_a_withdrawn_case_takes_no_other_with_it(office: Office) -> None:
    main = office.investigated()
    one = merged_into(office, main)
    eventually(lambda: office.one("SELECT ended_at FROM cases WHERE case_id = %s", one.case_id) is not None, timeout=40)
    office.do_as_citizen(main.code_hash, Withdraw(reason="رازی که به دیگری مربوط است"))
    eventually(lambda: last_entry(office, one) == "reopened")
    view = office.view(one.code_hash)
    assert (view["stage"], view["can"]) == ("screening", ["withdraw"])
    assert view["expected_on"] is not None
    assert "راز" not in str(view)
    ended = "SELECT ended_at, merged_into FROM cases WHERE case_id = %s"
    assert office.rows(ended, one.case_id) == [(None, None)]
    # And it is the office's again.
    office.do(office.screener, one.case_id, Assign(inspector=UUID(office.inspector.id)))
    assert office.do(office.inspector, one.case_id, decision())["stage"] == "decided"


def test_what_was_merged_before_the_last_merge_goes_on_with_the_case_it_was_merged_into(office: Office) -> None:
    main, one = office.investigated(), office.open()
    first = merged_into(office, one)
    office.do(office.screener, one.case_id, StartScreening())
    office.do(office.screener, one.case_id, Merge(into=main.case_id))
    office.do_as_citizen(main.code_hash, Withdraw())
    eventually(lambda: last_entry(office, one) == "reopened")
    assert last_entry(office, first) == "merged"
    office.do(office.screener, one.case_id, Assign(inspector=UUID(office.inspector.id)))
    office.do(office.inspector, one.case_id, decision())
    eventually(lambda: last_entry(office, first) == "joined_decided")


def test_a_refusal_holds_for_merged_cases_only_when_it_lies_in_the_matter(office: Office) -> None:
    def refused(reason: str) -> SubmissionRegistered:
        main = office.open()
        office.do(office.screener, main.case_id, StartScreening())
        one = merged_into(office, main)
        office.do(office.screener, main.case_id, Refuse(reason=reason, explanation="رازی برای او", address="آبفا"))
        return one

    told, freed = refused("outside_remit"), refused("identity_incomplete")
    eventually(lambda: last_entry(office, told) == "joined_refused")
    view = office.view(told.code_hash)
    assert view["stage"] == "merged"
    assert (view["joined_refusal"]["refusal_reason"], view["joined_refusal"]["refusal_address"]) == (
        "outside_remit",
        "آبفا",
    )
    assert "راز" not in str(view)
    eventually(lambda: last_entry(office, freed) == "reopened")
    assert office.view(freed.code_hash)["joined_refusal"] is None
    assert office.one("SELECT count(*) FROM outcomes_to_tell") == 0


def test_who_heard_an_outcome_keeps_it_when_the_objection_is_withdrawn_and_who_did_not_is_free(office: Office) -> None:
    main = office.investigated()
    heard = merged_into(office, main)
    office.do(office.inspector, main.case_id, decision())
    eventually(lambda: last_entry(office, heard) == "joined_decided")
    office.do_as_citizen(main.code_hash, RaiseObjection(text="نه"))
    late = merged_into(office, main)
    office.do_as_citizen(main.code_hash, Withdraw())
    eventually(lambda: last_entry(office, late) == "reopened")
    assert last_entry(office, heard) == "joined_decided"
    assert office.view(heard.code_hash)["joined"]["outcome"] == "upheld"


def joined(office: Office, case_id: UUID) -> list[dict[str, object]]:
    """What a case was told of the one it goes on in."""
    query = "SELECT details FROM timeline WHERE case_id = %s AND entry = 'joined_decided' ORDER BY sequence"
    return [row[0] for row in office.rows(query, case_id)]

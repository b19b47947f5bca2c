"""The audit as the auditor reads it: several logs as one, by pages without a gap, and as a file."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.audit import (
    AUDITED,
    AuditedCase,
    AuditEntries,
    AuditEntry,
    NameStaff,
    ReadAudit,
    StaffName,
    StaffNames,
)
from contracts.base import Request
from contracts.errors import InvalidField
from gateway.api.audit.endpoints import COLUMNS, AuditEntryView, table
from gateway.api.audit.merging import merged, read_cursor
from tests.support.gateway import Gateway, bearer, reasons

FARHAD = uuid4()
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def entry(position: int, minute: int, command: str = "get_case") -> AuditEntry:
    return AuditEntry(
        position=position,
        at=START + timedelta(minutes=minute),
        actor_kind="staff",
        actor_id=uuid4(),
        roles=["inspector"],
        command=command,
        subjects=[str(uuid4())],
        result="done",
        hash="a" * 64,
    )


def pages(logs: dict[str, list[AuditEntry]], limit: int) -> list[tuple[str, int]]:
    """All that the pages hold, read as the gateway reads them."""
    read, cursor = [], None
    while True:
        before = read_cursor(cursor)
        heads = {
            name: [one for one in log if one.position < before.get(name, 10**9)][:limit] for name, log in logs.items()
        }
        items, cursor = merged(heads, before, limit)
        read += [(item.service, item.position) for item in items]
        if cursor is None:
            return read


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_several_logs_are_one_without_a_gap_or_a_repetition(limit: int) -> None:
    logs = {
        "tracking": [entry(position, position) for position in range(9, 0, -1)],
        # Chained late: the higher position is the earlier moment.
        "intake": [entry(3, 2), entry(2, 8), entry(1, 1)],
        "accounts": [],
        "notify": [entry(1, 5)],
    }
    read = pages(logs, limit)
    assert sorted(read) == sorted((name, one.position) for name, log in logs.items() for one in log)
    assert len(set(read)) == len(read)
    assert read[0] == ("tracking", 9)


@given(
    logs=st.dictionaries(st.sampled_from(AUDITED), st.lists(st.integers(0, 9), max_size=9)),
    limit=st.integers(1, 6),
)
def test_no_page_of_any_logs_loses_or_repeats_an_entry(logs: dict[str, list[int]], limit: int) -> None:
    """`logs`: the minutes of each log's entries, in the order in which they were chained: any order."""
    entries = {
        name: [entry(place, minute) for place, minute in reversed(list(enumerate(minutes, 1)))]
        for name, minutes in logs.items()
    }
    read = pages(entries, limit)
    assert sorted(read) == sorted((name, each.position) for name, log in entries.items() for each in log)


@pytest.mark.parametrize("cursor", ["x", "tracking", "tracking.", "tracking.1:", "media.3", "tracking.-1"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidField):
        read_cursor(cursor)


def test_every_cell_of_the_file_is_quoted_and_none_is_a_formula() -> None:
    entries = [AuditEntryView(**dict(each), actor_name="=1+1") for each in (entry(1, 1), entry(2, 2, "=1+1;x"))]
    content = table(entries).decode("utf-8-sig")
    assert all(line.startswith('"') and line.endswith('"') for line in content.splitlines())
    rows = list(csv.DictReader(io.StringIO(content)))
    assert set(rows[0]) == set(COLUMNS)
    assert (rows[1]["command"], rows[1]["actor_name"]) == ("'=1+1;x", "'=1+1")


class TestTheEndpoint:
    @pytest.fixture
    def gateway(self, unlimited_gateway: Gateway) -> Gateway:
        unlimited_gateway.rabbit.reset()
        for service in AUDITED:
            unlimited_gateway.rabbit.answers[f"{service}.read_audit"] = lambda _: AuditEntries(items=[entry(1, 1)])
        unlimited_gateway.rabbit.answers["accounts.name_staff"] = self.names
        unlimited_gateway.rabbit.answers["tracking.find_audited_case"] = lambda _: AuditedCase(case_id=uuid4())
        return unlimited_gateway

    @staticmethod
    def names(request: Request) -> StaffNames:
        """Everybody there is: whoever is asked for, and the one who is found by a part of their name."""
        assert isinstance(request, NameStaff)
        ids = [*request.ids, *([FARHAD] if request.typed is not None and request.typed in "بازرس فرهاد" else [])]
        return StaffNames(items=[StaffName(staff_id=id_, username="f", display_name="بازرس فرهاد") for id_ in ids])

    def test_staff_stand_by_name_beside_their_ids_in_list_and_file(self, gateway: Gateway) -> None:
        [item, *_] = self.get(gateway, "auditor").json()["items"]
        assert (item["actor_name"], item["subject_names"]) == ("بازرس فرهاد", ["بازرس فرهاد"])
        file = self.get(gateway, "auditor", path="/v1/audit/file")
        [row, *_] = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))
        assert (row["actor_name"], row["subject_names"]) == ("بازرس فرهاد", "بازرس فرهاد")
        assert UUID(row["actor_id"])

    def test_whose_id_is_no_staffs_has_no_name(self, gateway: Gateway) -> None:
        gateway.rabbit.answers["accounts.name_staff"] = lambda _: StaffNames(items=[])
        [item, *_] = self.get(gateway, "auditor").json()["items"]
        assert (item["actor_name"], item["subject_names"]) == (None, [])

    @pytest.mark.parametrize(("typed", "people"), [("فرهاد", 1), ("شیرین", 0)])
    def test_people_are_found_by_a_part_of_their_name(self, gateway: Gateway, typed: str, people: int) -> None:
        assert self.get(gateway, "auditor", name=typed).status_code == 200
        readings = [request for name, request in gateway.rabbit.calls if name.endswith(".read_audit")]
        assert [request.people for request in readings if isinstance(request, ReadAudit)] == [[FARHAD] * people] * len(
            AUDITED
        )

    def get(self, gateway: Gateway, *roles: str, path: str = "/v1/audit", **params: Any) -> Any:
        return gateway.send("GET", path, params=params, headers=bearer(gateway.keys.staff(*roles)))

    def test_is_the_auditors_alone(self, gateway: Gateway) -> None:
        for role in ("head", "administrator", "custodian", "analyst", "screener"):
            for path in ("/v1/audit", "/v1/audit/file"):
                assert self.get(gateway, role, path=path).status_code == 403
        assert gateway.rabbit.calls == []
        answer = self.get(gateway, "auditor")
        assert answer.status_code == 200, answer.text
        assert {item["service"] for item in answer.json()["items"]} == set(AUDITED)

    def test_filters_reach_every_service(self, gateway: Gateway) -> None:
        person = uuid4()
        answer = self.get(
            gateway, "auditor", person=str(person), number="۱۴۰۵-۰۰۰۱۲۳", command="open_identity", since="1405/09/02"
        )
        assert answer.status_code == 200, answer.text
        readings = [request for name, request in gateway.rabbit.calls if name.endswith(".read_audit")]
        assert len(readings) == len(AUDITED)
        for request in readings:
            assert isinstance(request, ReadAudit)
            assert (request.person, request.commands) == (person, ["open_identity"])
            assert request.case_id is not None
            assert request.since == datetime(2026, 11, 22, 20, 30, tzinfo=UTC)

    def test_wrong_filters_are_refused(self, gateway: Gateway) -> None:
        wrong = self.get(gateway, "auditor", since="1405/09/03", until="1405/09/02")
        assert reasons(wrong) == {"until": "before_its_start"}
        assert self.get(gateway, "auditor", command="DROP TABLE").status_code == 422
        assert self.get(gateway, "auditor", after="media.3").status_code == 422

    def test_is_saved_as_a_file(self, gateway: Gateway) -> None:
        answer = self.get(gateway, "auditor", path="/v1/audit/file")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert "peygir-audit.csv" in answer.headers["content-disposition"]
        assert len(answer.text.splitlines()) == 1 + len(AUDITED)


def test_a_wrong_filter_is_named_as_it_was_sent(gateway: Gateway) -> None:
    headers = bearer(gateway.keys.staff("auditor"))
    for query, field in (
        ("command=not+a+command", "command.0"),
        ("number=123", "number"),  # a part of one is no case's
        ("since=1405/13/01", "since"),
        ("person=x", "person"),
    ):
        answer = gateway.send("GET", f"/v1/audit?{query}", headers=headers)
        assert answer.status_code == 422, query
        assert [error["field"] for error in answer.json()["errors"]] == [field]

"""What staff read is recorded at no cost for the reading, and the auditor reads the log, which is recorded as well."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

import pytest

from backbone.storage import audit
from contracts.audit import AuditEntry, FindAuditedCase, ReadAudit
from contracts.errors import NotAllowed, UnknownCase
from contracts.gateway import Actor
from contracts.tracking import GetCase
from contracts.vocabulary import Role
from deploy.local.parts import PostgreSQL
from tests.support.tracking import actor
from tests.support.tracking_in_process import TrackingInProcess

AUDITOR = actor(Role.AUDITOR, unit=None)


@pytest.fixture(scope="module")
def office(postgres: PostgreSQL) -> TrackingInProcess:
    return TrackingInProcess(postgres.url, "audit_reading")


def read(office: TrackingInProcess, who: Actor = AUDITOR, **filters: Any) -> list[AuditEntry]:
    """What is chained by now."""
    office.tracking.readings.save(office.db)
    audit.link(office.db)
    items: list[AuditEntry] = office.ask("read_audit", ReadAudit(actor=who, **filters)).items
    return items


def test_who_read_a_case_is_recorded_once_for_a_moment(office: TrackingInProcess) -> None:
    case = office.open()
    for _ in range(3):
        office.ask("get_case", GetCase(actor=office.head, case_id=case.case_id))
    office.ask("get_case", GetCase(actor=office.screener, case_id=case.case_id))
    entries = read(office, case_id=case.case_id, commands=["get_case"])
    assert sorted(str(entry.actor_id) for entry in entries) == sorted([office.head.id, office.screener.id])
    assert {(entry.command, entry.result) for entry in entries} == {("get_case", "done")}
    assert case.text not in str(entries)
    with office.db.read() as connection:
        assert audit.verify(connection).problem is None


def test_a_case_that_was_refused_was_not_read(office: TrackingInProcess) -> None:
    case = office.open()
    with pytest.raises(UnknownCase):
        office.ask("get_case", GetCase(actor=office.inspector, case_id=case.case_id))
    assert read(office, case_id=case.case_id, commands=["get_case"]) == []


def test_readings_wait_for_a_database_that_is_away(office: TrackingInProcess) -> None:
    readings, subject = audit.Readings(), uuid.uuid4()
    readings.note(office.head, "get_case", subject)
    with pytest.raises(AttributeError):
        readings.save(None)  # type: ignore[arg-type]  # no database
    assert readings.save(office.db) == 1
    assert [entry.subjects for entry in read(office, case_id=subject)] == [[str(subject)]]


def test_the_log_is_filtered_and_paged(office: TrackingInProcess) -> None:
    case = office.investigated()
    done: dict[str, Any] = {"case_id": case.case_id, "commands": ["assign", "start_screening"]}
    assert [entry.command for entry in read(office, **done)] == ["assign", "start_screening"]
    [newest] = read(office, **done, limit=1)
    [older] = read(office, **done, limit=1, before=newest.position)
    assert (newest.command, older.command) == ("assign", "start_screening")
    assert read(office, **done, person=UUID(office.inspector.id)) == []
    assert len(read(office, **done, people=[UUID(office.inspector.id), newest.actor_id])) == 2
    assert read(office, **done, people=[]) == [], "nobody has such a name"
    assert read(office, **done, until=older.at) == []
    assert [entry.position for entry in read(office, **done, since=newest.at)] == [newest.position]


def test_whoever_reads_it_is_in_it_about_themselves_too(office: TrackingInProcess) -> None:
    other = actor(Role.AUDITOR, unit=None)
    both = Actor(kind=other.kind, id=other.id, roles=frozenset({Role.AUDITOR, Role.HEAD}))
    read(office, both, person=UUID(other.id))
    [entry] = read(office, person=UUID(other.id), commands=["read_audit"])
    assert entry.subjects == [other.id]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUDITOR])
def test_nobody_else_reads_it_and_that_they_tried_is_in_it(office: TrackingInProcess, role: Role) -> None:
    who = actor(role)
    with pytest.raises(NotAllowed):
        read(office, who)
    with pytest.raises(NotAllowed):
        office.ask("find_audited_case", FindAuditedCase(actor=who, number="1405-000001"))
    [entry] = read(office, person=UUID(who.id))
    assert (entry.command, entry.result) == ("read_audit", "not_allowed")


def test_a_case_is_found_by_its_whole_number(office: TrackingInProcess) -> None:
    case = office.open()
    number = office.one("SELECT number FROM cases WHERE case_id = %(case_id)s", case_id=case.case_id)
    assert office.ask("find_audited_case", FindAuditedCase(actor=AUDITOR, number=number)).case_id == case.case_id
    with pytest.raises(UnknownCase):
        office.ask("find_audited_case", FindAuditedCase(actor=AUDITOR, number="1399-000001"))

"""What comes in between the two statements of a staff command, or of a reply: it then goes the way with a lock, or had no need
to."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from backbone.messaging.consumers import TryLater
from contracts.base import now
from contracts.errors import FourEyesNeeded, KeyReused, NotAllowed, StaleVersion, UnknownCase
from contracts.intake import SubmissionRecoded
from contracts.notify import CitizenReplied, Reply
from contracts.tracking import AddNote, Close, Correct, Merge, Propose, Refuse, StartScreening
from contracts.vocabulary import Stage
from deploy.local.parts import PostgreSQL
from services.tracking.composition import compose
from tests.support.tracking import catalogue, code_hash, decision, staff, submission
from tests.support.tracking_in_process import WRITES_COMMAND, TrackingInProcess

NOTE = AddNote(text="یادداشت")


@pytest.fixture(scope="module")
def office(postgres: PostgreSQL) -> TrackingInProcess:
    return TrackingInProcess(postgres.url, "tracking_races")


def entries(office: TrackingInProcess, case_id: uuid.UUID, entry: str) -> int:
    query = "SELECT count(*) FROM timeline WHERE case_id = %(case_id)s AND entry = %(entry)s"
    return int(office.one(query, case_id=case_id, entry=entry))


def test_another_command_wins_and_the_giver_learns_what_changed(office: TrackingInProcess) -> None:
    case_id = office.investigated().case_id
    request = office.request(office.inspector, case_id, NOTE)
    with (
        office.meanwhile(lambda: office.do(office.head, case_id, AddNote(text="پیش از آن"))),
        pytest.raises(StaleVersion) as stale,
    ):
        office.ask("execute", request)
    assert stale.value.params["current"] == request.expected_version + 1
    assert [change["details"] for change in stale.value.params["changes"]] == [{"text": "پیش از آن"}]
    assert entries(office, case_id, "note_added") == 1


def test_the_same_command_under_its_key_has_its_effect_once(office: TrackingInProcess) -> None:
    case_id = office.investigated().case_id
    request, answers = office.request(office.inspector, case_id, NOTE), []
    with office.meanwhile(lambda: answers.append(office.ask("execute", request))):
        answers.append(office.ask("execute", request))
    assert answers[0] == answers[1]
    assert entries(office, case_id, "note_added") == 1


def test_a_key_that_another_case_uses_meanwhile_is_refused(office: TrackingInProcess) -> None:
    first, second = office.investigated().case_id, office.investigated().case_id
    request = office.request(office.inspector, first, NOTE)
    same_key = office.request(office.inspector, second, NOTE, idempotency_key=request.idempotency_key)
    with office.meanwhile(lambda: office.ask("execute", same_key)), pytest.raises(KeyReused):
        office.ask("execute", request)
    assert (entries(office, first, "note_added"), entries(office, second, "note_added")) == (0, 1)


def merged_while_one_is_corrected(
    office: TrackingInProcess, target: uuid.UUID, duplicate: uuid.UUID, corrected: uuid.UUID
) -> None:
    """Of two new cases one is merged into the other while one of them is corrected, which fails."""
    for case_id in (target, duplicate):
        office.do(office.screener, case_id, StartScreening())
    request = office.request(office.screener, corrected, Correct(urgent=True))
    with (
        office.meanwhile(lambda: office.do(office.screener, duplicate, Merge(into=target))),
        pytest.raises(StaleVersion),
    ):
        office.ask("execute", request)


def test_a_merge_into_the_case_is_not_overlooked_by_its_end(office: TrackingInProcess) -> None:
    # Given a case about to be refused, and another one that is merged into it at that moment
    target, duplicate = office.open().case_id, office.open().case_id
    merged_while_one_is_corrected(office, target, duplicate, corrected=target)
    # When it is refused after all, the one merged into it is still to be informed
    office.do(office.screener, target, Refuse(reason="outside_remit", explanation="نه"))
    assert office.one("SELECT count(*) FROM pending_outcomes WHERE case_id = %(case_id)s", case_id=target) == 1


def test_a_merged_case_takes_no_command_that_was_on_its_way(office: TrackingInProcess) -> None:
    target, duplicate = office.open().case_id, office.open().case_id
    merged_while_one_is_corrected(office, target, duplicate, corrected=duplicate)
    assert office.one("SELECT stage FROM cases WHERE case_id = %(case_id)s", case_id=duplicate) == Stage.MERGED


def test_days_that_the_calendar_moves_without_an_entry_are_kept(office: TrackingInProcess) -> None:
    """A change of the row that its version does not tell."""
    filed = office.investigated()
    case_id, later = filed.case_id, now() + timedelta(days=400)
    request = office.request(office.inspector, case_id, NOTE)

    def put_off() -> None:
        with office.db.transaction() as connection:
            moved = text("UPDATE cases SET first_due_on = :day WHERE case_id = :case_id")
            connection.execute(moved, {"day": later.date(), "case_id": case_id})

    with office.meanwhile(put_off) as sent:
        answer = office.ask("execute", request)
    assert answer.version == request.expected_version + 1
    assert office.one("SELECT first_due_on FROM cases WHERE case_id = %(case_id)s", case_id=case_id) == later.date()
    assert (
        len([statement for statement in sent if statement.startswith(WRITES_COMMAND)]) == 2
    )  # the second under a lock


def test_an_alarm_at_the_same_moment_is_raised_once_and_not_lost(office: TrackingInProcess) -> None:
    filed = office.investigated(filed_at=now() - timedelta(days=300))
    case_id = filed.case_id
    calendar = compose(office.tracking.settings, lambda: now() + timedelta(days=60)).scheduler
    request = office.request(office.inspector, case_id, NOTE)

    def raise_alarms() -> None:
        with office.db.transaction() as connection:
            assert calendar.raise_alarms(connection) > 0

    with office.meanwhile(raise_alarms), pytest.raises(StaleVersion):
        office.ask("execute", request)
    office.do(office.inspector, case_id, NOTE)
    raised = entries(office, case_id, "escalated")
    with office.db.transaction() as connection:
        calendar.raise_alarms(connection)
    assert entries(office, case_id, "escalated") == raised > 0


def test_an_event_of_a_new_code_is_not_undone_nor_the_old_one_published(office: TrackingInProcess) -> None:
    filed, renewed = office.investigated(), code_hash()
    recoded = SubmissionRecoded(
        id=uuid.uuid4(),
        occurred_at=now(),
        case_id=filed.case_id,
        old_code_hash=filed.code_hash,
        code_hash=renewed,
    )
    request = office.request(office.inspector, filed.case_id, NOTE)
    with office.meanwhile(lambda: office.handle("recode", recoded)):
        office.ask("execute", request)
    assert office.one("SELECT code_hash FROM cases WHERE case_id = %(case_id)s", case_id=filed.case_id) == renewed
    newest = "SELECT convert_from(body, 'UTF8')::json -> 'state' ->> 'code_hash' FROM outbox ORDER BY seq DESC LIMIT 1"
    assert office.one(newest) == renewed


def test_an_event_that_is_delivered_again_changes_nothing(office: TrackingInProcess) -> None:
    filed = office.investigated()
    request = office.request(office.inspector, filed.case_id, NOTE)
    with office.meanwhile(lambda: office.handle("open_cases", [filed])) as sent:
        answer = office.ask("execute", request)
    assert [entry.entry for entry in answer.timeline] == ["opened", "screening_started", "assigned", "note_added"]
    assert len(sent) == 2  # at once: nobody has written to the case


def test_a_new_catalogue_is_obeyed_at_once(office: TrackingInProcess) -> None:
    # Given a catalogue that asks for a second pair of eyes from now on
    case_id = office.investigated().case_id
    office.do(office.inspector, case_id, NOTE)
    newer = catalogue(version=7)
    rules = newer.catalogue.model_copy(update={"four_eyes": ["complaint"]})
    office.handle("keep_catalogue", newer.model_copy(update={"catalogue": rules}))
    with pytest.raises(FourEyesNeeded):
        office.do(office.inspector, case_id, decision())
    proposal = decision().model_dump(exclude={"type"})
    office.do(office.inspector, case_id, Propose(**proposal))
    office.handle("keep_catalogue", catalogue(version=8))


def test_an_older_catalogue_changes_nothing_and_a_newer_one_without_grounds_all(office: TrackingInProcess) -> None:
    kept = "SELECT (SELECT count(*) FROM grounds) * 100 + (SELECT count(*) FROM units WHERE active)"
    before = office.one(kept)
    office.handle("keep_catalogue", catalogue(version=1))
    assert office.one(kept) == before > 300
    newer = catalogue(version=20)
    office.handle(
        "keep_catalogue",
        newer.model_copy(update={"catalogue": newer.catalogue.model_copy(update={"grounds": [], "units": []})}),
    )
    assert office.one(kept) == 0
    office.handle("keep_catalogue", catalogue(version=21))
    assert office.one(kept) == before


def test_who_has_just_lost_their_account_gives_no_command(office: TrackingInProcess) -> None:
    case_id = office.investigated().case_id
    office.handle("keep_staff", staff(office.other_head, version=2, active=False))
    with pytest.raises(NotAllowed):
        office.do(office.other_head, case_id, NOTE)
    with pytest.raises(NotAllowed):
        office.do(office.other_head, case_id, Close())


def test_who_has_just_come_to_belong_to_the_unit_does_not_know_the_case(office: TrackingInProcess) -> None:
    case_id = office.investigated().case_id
    request = office.request(office.other_inspector, case_id, NOTE)
    office.handle("keep_staff", staff(office.head, version=2, unit="dep.urb.permits.desk"))
    with pytest.raises(UnknownCase):
        office.do(office.head, case_id, NOTE)
    with pytest.raises(UnknownCase):
        office.ask("execute", request)
    office.handle("keep_staff", staff(office.head, version=3))
    office.do(office.head, case_id, NOTE)


def reply_to(case_id: uuid.UUID, reply: Reply) -> CitizenReplied:
    return CitizenReplied(id=uuid.uuid4(), occurred_at=now(), case_id=case_id, reply=reply)


def decided(office: TrackingInProcess) -> uuid.UUID:
    case_id = office.investigated().case_id
    office.do(office.inspector, case_id, decision())
    return case_id


def test_a_reply_that_is_handled_twice_at_once_has_its_effect_once(office: TrackingInProcess) -> None:
    case_id = decided(office)
    reply = reply_to(case_id, Reply.OBJECT)
    with office.meanwhile(lambda: office.handle("take_reply", reply)):
        office.handle("take_reply", reply)
    office.handle("take_reply", reply)
    assert entries(office, case_id, "objected") == 1
    assert entries(office, case_id, "noted") == 0


def test_a_reply_to_a_case_that_is_changed_meanwhile_sees_the_change(office: TrackingInProcess) -> None:
    case_id = decided(office)
    with office.meanwhile(lambda: office.do(office.head, case_id, NOTE)):
        office.handle("take_reply", reply_to(case_id, Reply.SATISFIED))
    assert (entries(office, case_id, "note_added"), entries(office, case_id, "rated")) == (1, 1)
    assert office.version(case_id) == office.one(
        "SELECT count(*) FROM timeline WHERE case_id = %(case_id)s", case_id=case_id
    )


def test_a_reply_before_its_case_waits_for_it(office: TrackingInProcess) -> None:
    filed = submission()
    reply = reply_to(filed.case_id, Reply.OBJECT)
    with pytest.raises(TryLater):
        office.handle("take_reply", reply)
    office.handle("open_cases", [filed])
    office.handle("take_reply", reply)
    assert entries(office, filed.case_id, "noted") == 1


def test_an_event_of_a_reply_and_the_inbox_are_written_with_the_case(office: TrackingInProcess) -> None:
    case_id = decided(office)
    before = office.one("SELECT count(*) FROM outbox")
    with office.meanwhile(lambda: None) as sent:
        office.handle("take_reply", reply_to(case_id, Reply.OBJECT))
    assert len(sent) == 2
    assert office.one("SELECT count(*) FROM outbox") == before + 1

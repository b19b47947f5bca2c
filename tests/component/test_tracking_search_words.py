"""What a case is found by: all that who may read it may read in it, however it is spelled; and who does not find it."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

import pytest

from contracts import tracking
from contracts.errors import NotAllowed
from contracts.gateway import Actor, Group, Place
from contracts.searches import ListCases
from contracts.tracking import AnswerUnitQuestion, ListUnitQuestions
from contracts.vocabulary import KeptPart, Kind, Role
from deploy.local.parts import PostgreSQL
from services.tracking.case import store as case_store
from services.tracking.retention import store as retention_store
from services.tracking.retention.rules import erased
from services.tracking.search import renewal
from services.tracking.search.document import FORM
from tests.support.tracking import actor, decision
from tests.support.tracking_in_process import TrackingInProcess


@pytest.fixture(scope="module")
def office(postgres: PostgreSQL) -> TrackingInProcess:
    return TrackingInProcess(postgres.url, "search_words")


def found(office: TrackingInProcess, words: str, by: Actor | None = None) -> set[UUID]:
    page = office.ask("list_cases", ListCases(actor=by or office.head, text=words, limit=100)).read()
    return {line.case_id for line in page.items}


def forms(office: TrackingInProcess) -> Any:
    return office.one("SELECT array_agg(DISTINCT search_form) FROM cases")


@pytest.mark.parametrize(
    "same",
    [
        ["میروم", "می‌روم", "می روم", "مي\u200bروم", "می\u00adروم"],
        ["مسوول", "مسئول", "مسؤول"],
        ["پیاده‌رو", "پیاده رو", "پیادهرو"],
    ],
    ids=lambda same: same[0],
)
def test_each_spelling_finds_the_others(office: TrackingInProcess, same: list[str]) -> None:
    mark = uuid.uuid4().hex
    ids = {office.open(text=f"{mark} دیروز {spelling} بود").case_id for spelling in same}
    other = office.open(text=f"{mark} چیز دیگر").case_id
    for spelling in same:
        assert found(office, f"{mark} {spelling}") == ids, spelling
    assert other in found(office, mark)


def test_a_case_is_found_by_all_that_was_filed(office: TrackingInProcess) -> None:
    filed = office.open(
        text="متن شکایت",
        reference="پرونده ۱۲۳۴/ب/۹۸۷۶",
        place=Place(address="خیابان سپه، بن‌بست نارنجستان"),
        people=["مهندس زرین‌کلاه"],
        answers={"plate": "۵۵ ط ۷۷۸", "again": True, "which": ["آسانسور", "پارکینگ"]},
    ).case_id
    for words in (
        *("1234/ب/9876", "۹۸۷۶", "نارنجستان", "بن بست نارنجستان", "زرین کلاه", "زرینکلاه", "مهندس", "ط ۷۷۸", "آسانسور"),
        "زرین‌کلاه سپه ۹۸۷۶ شکایت",
    ):
        assert filed in found(office, words), words
    assert filed not in found(office, "زرین‌کلاه ولیعصر")


def test_a_case_is_found_by_what_was_written_since(office: TrackingInProcess) -> None:
    filed = office.investigated(kind=Kind.CRITICISM)
    case_id = filed.case_id
    assert found(office, "گلپونه") == set()
    office.do(office.inspector, case_id, tracking.AddNote(text="با آقاي گلپونه حرف زدم"))
    office.do(office.inspector, case_id, tracking.AskCitizen(text="کدام سنجاقک؟"))
    office.do_as_citizen(filed, tracking.AnswerQuestion(text="همان هدهدِ سر کوچه"))
    office.do(office.inspector, case_id, tracking.AskUnit(text="قاصدک کجاست؟"))
    [question] = office.ask("list_unit_questions", ListUnitQuestions(actor=office.liaison)).items
    answer = {"question_id": question.question_id, "text": "بایگانی ارغوان", "idempotency_key": uuid.uuid4().hex}
    office.ask("answer_unit_question", AnswerUnitQuestion(actor=office.liaison, **answer))
    office.do(office.inspector, case_id, decision("به دلیل نیلوفرانه"))
    for words in ("گلپونه", "سنجاقک", "هدهد سر کوچه", "قاصدک", "ارغوان", "نیلوفر", "گلپونه ارغوان نیلوفر"):
        assert found(office, words) == {case_id}, words
        assert found(office, words, office.inspector) == {case_id}
        assert found(office, words, office.other_inspector) == set()  # it is not theirs
        in_the_unit = actor(Role.HEAD, unit="dep.urb.permits.desk")
        assert found(office, words, in_the_unit) == set()
        with pytest.raises(NotAllowed):
            found(office, words, actor(Role.ANALYST))
        with pytest.raises(NotAllowed):
            found(office, words, office.liaison)
    written = office.one("SELECT search FROM cases WHERE case_id = %(id)s", id=case_id)
    assert renewed(office, case_id) == written  # kept right with each entry: written anew it is the same


def renewed(office: TrackingInProcess, case_id: UUID) -> Any:
    """Its words, written anew."""
    with office.db.transaction() as connection:
        connection.exec_driver_sql("UPDATE cases SET search_form = 0, search = '' WHERE case_id = %s", (case_id,))
        assert renewal.renew(connection) == 1
    return office.one("SELECT search FROM cases WHERE case_id = %(id)s", id=case_id)


def test_what_was_erased_finds_nothing(office: TrackingInProcess) -> None:
    group = Group(members=3, common="همگی همسایه دلفین")
    case_id = office.investigated(people=["استاد شباهنگ"], group=group).case_id
    office.do(office.inspector, case_id, tracking.AddNote(text="یادداشت کهکشان"))
    assert found(office, "شباهنگ کهکشان دلفین") == {case_id}
    with office.db.transaction() as connection:
        case = case_store.lock(connection, case_id)
        assert case is not None
        retention_store.forget_texts(connection, case)
        entries = [entry for entry, _ in retention_store.entries_of(connection, case_id)]
        retention_store.keep_of_entries(connection, erased(entries, KeptPart.TEXTS))
    for _ in range(2):
        for words in ("شباهنگ", "کهکشان", "دلفین"):
            assert found(office, words) == set()
        assert found(office, case.number) == {case_id}
        assert case.number in renewed(office, case_id)


def test_older_words_are_written_anew_in_batches(office: TrackingInProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an upgrade finds them; it may be stopped anywhere."""
    ids = {office.open(text="فرفره می‌چرخد", people=["خانم زنجبیل"]).case_id for _ in range(7)}
    with office.db.transaction() as connection:
        connection.exec_driver_sql("UPDATE cases SET search_form = 0, search = ' ' || number || ' فرفره می چرخد '")
    assert found(office, "زنجبیل") == set()
    assert ids <= found(office, "فرفره می‌چرخد")  # as before, meanwhile
    monkeypatch.setattr(renewal, "AT_ONCE", 3)
    with office.db.engine.connect() as stopped:
        assert renewal.renew(stopped) == 3
        with office.db.transaction() as other:  # what one holds is left to it
            assert renewal.renew(other) == 3
        stopped.rollback()
    assert forms(office) == [0, FORM]
    while True:
        with office.db.transaction() as connection:
            if not renewal.renew(connection):
                break
    assert forms(office) == [FORM]
    assert found(office, "زنجبیل میچرخد") == ids


def test_a_note_written_before_its_turn_is_not_lost(office: TrackingInProcess) -> None:
    case_id = office.investigated().case_id
    with office.db.transaction() as connection:
        connection.exec_driver_sql("UPDATE cases SET search_form = 0 WHERE case_id = %s", (case_id,))
    office.do(office.inspector, case_id, tracking.AddNote(text="چلچراغ"))
    assert found(office, "چلچراغ") == {case_id}
    with office.db.transaction() as connection:
        assert renewal.renew(connection) == 1
    assert found(office, "چلچراغ") == {case_id}

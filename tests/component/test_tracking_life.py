"""The life of a case, asked for and told over the broker, with the service as a process of its own."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from contracts.base import now
from contracts.errors import (
    Invalid,
    InvalidField,
    KeyReused,
    NotAllowed,
    NotFound,
    StaleVersion,
    UnknownCase,
    UnknownUpload,
    WrongStage,
)
from contracts.gateway import Actor, Place
from contracts.intake import SubmissionRecoded
from contracts.media import MediaAccepted, MediaDelayed, MediaRejected
from contracts.notify import CitizenReplied, Reply
from contracts.tracking import (
    AddEvidence,
    AddNote,
    AnswerQuestion,
    AnswerUnitQuestion,
    AskCitizen,
    AskUnit,
    Assign,
    AuthorizeMedia,
    Close,
    Correct,
    ExecuteCitizenCommand,
    ListOwnCases,
    ListUnitQuestions,
    RaiseObjection,
    Rate,
    StartScreening,
    ViewOwnCase,
    Withdraw,
)
from contracts.vocabulary import ActorKind, Role
from tests.support.processes import eventually
from tests.support.tracking import UNIT, Office, actor, apart_from_looks, code_hash, decision, submission


def media_id() -> str:
    return uuid.uuid4().hex


def test_the_holder_of_a_code_reads_the_submission(office: Office) -> None:
    wrote = {
        "text": "پروانه من\nسه ماه است که صادر نشده.",
        "answers": {"since": "2026-10-23", "counters": ["1", "2"]},
        "happened_on": "2026-11-20",
        "reference": "1405-12",
        "people": ["کارمند باجه ۳"],
    }
    place = {"address": "خیابان سپه", "latitude": 36.27, "longitude": 50.0}
    filed = office.open(**wrote, place=Place.model_validate(place))
    shown = office.view(filed.code_hash)["filed"]
    assert shown.pop("can_correct_until") is not None
    rest: dict[str, Any] = {"answered_questions": [], "corrected_at": None, "group": None, "visit_wanted": False}
    assert shown == {**wrote, **rest, "address": "خیابان سپه", "place": place}
    alone = office.open(text="تنها متن، بی جا و روز.")
    shown = office.view(alone.code_hash)["filed"]
    assert shown.pop("can_correct_until") is not None
    assert shown == {
        **dict.fromkeys(("happened_on", "address", "reference", "place")),
        **rest,
        "text": "تنها متن، بی جا و روز.",
        "answers": {},
        "people": [],
    }


def test_a_complaint_lives_from_its_opening_to_a_final_decision(office: Office) -> None:
    office.broker_client.record_events("tracking.events")
    photo = media_id()
    filed = office.open(uploads=[photo])
    case_id, code = filed.case_id, filed.code_hash

    office.do(office.screener, case_id, StartScreening())
    office.do(office.screener, case_id, Correct(ground="conduct", urgent=True))
    office.do(office.screener, case_id, Assign(inspector=UUID(office.inspector.id)))
    assert office.view(code)["expected_on"] is not None

    office.do(office.inspector, case_id, AskCitizen(text="شماره پرونده؟"))
    view = office.view(code)
    assert view["stage"] == "awaiting_citizen"
    assert view["question"]["text"] == "شماره پرونده؟"
    assert view["expected_on"] is None
    assert "answer_question" in view["can"]
    answered = office.do_as_citizen(code, AnswerQuestion(text="۱۲۳", uploads=[media_id()]))
    assert answered["stage"] == "investigating"
    assert answered["question"] is None
    assert answered["expected_on"] is not None
    assert len(answered["attachments"]) == 2

    office.do(office.inspector, case_id, AskUnit(text="چرا صادر نشد؟", media=[photo]))
    [question] = office.ask("list_unit_questions", ListUnitQuestions(actor=office.liaison))["items"]
    reply = AnswerUnitQuestion(
        actor=office.liaison,
        question_id=question["question_id"],
        text="در دست اقدام است.",
        idempotency_key="a" * 9,
    )
    assert office.ask("answer_unit_question", reply)["answer"] == "در دست اقدام است."
    office.do(office.inspector, case_id, AddNote(text="یادداشت درونی"))
    office.do(office.inspector, case_id, AddEvidence(uploads=[media_id()]))
    office.do(office.inspector, case_id, decision())
    office.do_as_citizen(code, Rate(score=2, on_time=False))
    objected = office.do_as_citizen(code, RaiseObjection(text="قانع نشدم."))
    assert objected["stage"] == "review"

    with pytest.raises(InvalidField):
        office.do(office.head, case_id, Assign(inspector=UUID(office.inspector.id)))
    with pytest.raises(UnknownCase):
        office.get(case_id, office.inspector)
    office.do(office.head, case_id, Assign(inspector=UUID(office.other_inspector.id)))
    office.do(office.other_inspector, case_id, decision("پس از بازنگری نیز وارد است."))
    final = office.view(code)
    assert final["decision"]["final"]
    assert final["can"] == ["rate"]
    office.do(office.head, case_id, Close())

    eventually(lambda: len(office.broker_client.recorded_events("case.stage_changed.v1")) > 1)
    events = office.broker_client.recorded_events()
    published = sorted((event["sequence"], event["_name"]) for event in events if event["case_id"] == str(case_id))
    assert [sequence for sequence, _ in published] == list(range(1, office.get(case_id)["version"] + 1))
    assert [name.split(".")[1] for _, name in published] == [
        *(
            "opened",
            "stage_changed",
            "corrected",
            "assigned",
            "citizen_asked",
            "citizen_answered",
            "unit_asked",
        ),
        *(
            "unit_answered",
            "note_added",
            "evidence_added",
            "decided",
            "rated",
            "objected",
            "assigned",
            "decided",
        ),
        "stage_changed",
    ]


def test_a_citizen_reads_nothing_internal(office: Office) -> None:
    filed = office.investigated(uploads=[media_id()])
    internal = media_id()
    office.do(office.inspector, filed.case_id, AddNote(text="راز یادداشت"))
    office.do(office.inspector, filed.case_id, AddEvidence(uploads=[internal]))
    office.do(office.inspector, filed.case_id, AskUnit(text="راز پرسش"))
    [question] = office.ask("list_unit_questions", ListUnitQuestions(actor=office.liaison))["items"]
    reply = AnswerUnitQuestion(
        actor=office.liaison,
        question_id=question["question_id"],
        text="راز پاسخ",
        uploads=[media_id()],
        idempotency_key=uuid.uuid4().hex,
    )
    office.ask("answer_unit_question", reply)
    seen = json.dumps(office.view(filed.code_hash), ensure_ascii=False)
    number = office.get(filed.case_id)["number"]
    for secret in ("راز", number, internal, office.inspector.id, office.liaison.id, office.screener.id):
        assert secret not in seen
    grant = AuthorizeMedia(code_hashes=[filed.code_hash], media_id=internal)
    with pytest.raises(UnknownCase):
        office.ask("authorize_media", grant)


def test_staff_do_not_see_the_complainant(office: Office) -> None:
    citizen = uuid.uuid4()
    filed = office.open(citizen_id=citizen)
    office.do_as_citizen(filed.code_hash, Withdraw(reason="حل شد"))
    seen = json.dumps(office.get(filed.case_id))
    assert str(citizen) not in seen
    assert filed.code_hash not in seen


def test_a_command_on_a_changed_case_reports_the_change(office: Office) -> None:
    filed = office.open()
    office.do(office.screener, filed.case_id, StartScreening(), version=1)
    with pytest.raises(StaleVersion) as raised:
        office.do(office.screener, filed.case_id, Correct(urgent=True), version=1)
    assert raised.value.params["current"] == 2
    assert [entry["entry"] for entry in raised.value.params["changes"]] == ["screening_started"]


def test_a_repeated_command_has_its_effect_once(office: Office) -> None:
    filed = office.investigated()
    first = office.do(office.inspector, filed.case_id, AddNote(text="یک بار"), version=3, key="the-same-key")
    again = office.do(office.inspector, filed.case_id, AddNote(text="یک بار"), version=3, key="the-same-key")
    assert apart_from_looks(again) == apart_from_looks(first)
    assert first["version"] == 4
    with pytest.raises(KeyReused):
        office.do(office.inspector, filed.case_id, AddNote(text="چیز دیگر"), version=4, key="the-same-key")


def test_a_refused_command_does_not_use_up_its_key(office: Office) -> None:
    filed = office.open()
    with pytest.raises(WrongStage) as raised:
        office.do(office.screener, filed.case_id, Correct(urgent=True), key="kept-for-later")
    assert raised.value.params == {"stage": "registered", "command": "correct"}
    office.do(office.screener, filed.case_id, StartScreening())
    assert office.do(office.screener, filed.case_id, Correct(urgent=True), key="kept-for-later")["urgent"]


def test_a_citizens_repeated_command_has_its_effect_once(office: Office) -> None:
    filed = office.decided()
    office.do_as_citizen(filed.code_hash, RaiseObjection(text="اعتراض"), key="objection-1")
    again = office.do_as_citizen(filed.code_hash, RaiseObjection(text="اعتراض"), key="objection-1")
    assert again["stage"] == "review"
    assert [entry["entry"] for entry in again["timeline"]].count("objected") == 1
    with pytest.raises(KeyReused):
        office.do_as_citizen(filed.code_hash, RaiseObjection(text="دیگر"), key="objection-1")


def test_a_signed_in_citizen_follows_only_their_own_cases(office: Office) -> None:
    mine = Actor(kind=ActorKind.CITIZEN, id=str(uuid.uuid4()))
    filed = [office.open(citizen_id=UUID(mine.id)) for _ in range(2)]
    foreign = office.open(citizen_id=uuid.uuid4())
    listed = office.ask("list_own_cases", ListOwnCases(actor=mine))["items"]
    assert [item["case_id"] for item in listed] == [str(submitted.case_id) for submitted in reversed(filed)]
    assert office.ask("view_own_case", ViewOwnCase(actor=mine, case_id=filed[0].case_id))["stage"] == "registered"
    with pytest.raises(UnknownCase):
        office.ask("view_own_case", ViewOwnCase(actor=mine, case_id=foreign.case_id))
    for case_id, error in ((foreign.case_id, UnknownCase), (filed[0].case_id, None)):
        request = ExecuteCitizenCommand(
            actor=mine, case_id=case_id, idempotency_key=uuid.uuid4().hex, command=Withdraw()
        )
        if error is not None:
            with pytest.raises(error):
                office.ask("execute_citizen", request)
        else:
            assert office.ask("execute_citizen", request)["stage"] == "withdrawn"


def test_screening_corrects_an_unknown_unit_before_the_case_is_assigned(office: Office) -> None:
    filed = office.open(unit=None, unit_name_fa=None, unit_name_en=None)
    office.do(office.screener, filed.case_id, StartScreening())
    with pytest.raises(InvalidField):
        office.do(office.screener, filed.case_id, Assign(inspector=UUID(office.inspector.id)))
    for unit in ("mq", "nowhere", "gone"):
        with pytest.raises(Invalid):
            office.do(office.screener, filed.case_id, Correct(unit=unit))
    corrected = office.do(office.screener, filed.case_id, Correct(unit=UNIT))
    assert corrected["unit"] == UNIT
    assert corrected["unit_name_en"] == f"Unit {UNIT}"
    assert corrected["unit_asked"] == "nowhere"


def test_only_permitted_actors_may_do_it(office: Office) -> None:
    filed = office.investigated()
    with pytest.raises(NotAllowed):
        office.do(office.screener, filed.case_id, decision())
    with pytest.raises(NotAllowed):
        office.do(office.inspector, filed.case_id, Assign(inspector=UUID(office.other_inspector.id)))
    with pytest.raises(UnknownCase):
        office.do(office.other_inspector, filed.case_id, AddNote(text="سرک"))
    ways: list[Callable[[Actor], Any]] = [office.page, lambda who: office.get(filed.case_id, who)]
    for role in (Role.LIAISON, Role.ADMINISTRATOR, Role.CUSTODIAN, Role.OPERATOR):
        for read_as in ways:
            with pytest.raises(NotAllowed):
                read_as(actor(role))
    with pytest.raises(NotAllowed):
        office.get(filed.case_id, actor(Role.ANALYST))
    citizen = Actor(kind=ActorKind.CITIZEN, id=str(uuid.uuid4()), roles=frozenset({Role.HEAD}))
    with pytest.raises(NotAllowed):
        office.get(filed.case_id, citizen)


def test_a_reply_by_sms_rates_or_objects_where_possible(office: Office) -> None:
    content, cross, early = office.decided(), office.decided(), office.open()
    replies = [(content, Reply.SATISFIED), (cross, Reply.OBJECT), (early, Reply.OBJECT)]
    for filed, reply in replies:
        event = CitizenReplied(id=uuid.uuid4(), occurred_at=now(), case_id=filed.case_id, reply=reply)
        office.broker_client.publish_event(event)
        office.broker_client.publish_event(event)
    eventually(lambda: office.get(early.case_id)["timeline"][-1]["entry"] == "noted")
    assert office.get(early.case_id)["timeline"][-1]["details"] == {"reply": "object", "reason": "no_effect"}
    assert office.get(early.case_id)["version"] == 2
    assert office.view(early.code_hash)["stage"] == "registered"
    eventually(lambda: office.view(content.code_hash)["score"] == 5)
    eventually(lambda: office.view(cross.code_hash)["stage"] == "review")
    assert office.view(cross.code_hash)["timeline"][-1]["by"] == "you"


def test_a_case_is_found_by_its_new_code_in_either_order_of_events(office: Office) -> None:
    filed, new = submission(), code_hash()
    office.broker_client.publish_event(
        SubmissionRecoded(
            id=uuid.uuid4(),
            occurred_at=now(),
            case_id=filed.case_id,
            old_code_hash=filed.code_hash,
            code_hash=new,
        )
    )
    eventually(lambda: office.broker_client.queue_depth("tracking.recoded") == 0)
    office.broker_client.publish_event(filed)
    assert eventually(lambda: office.value("SELECT count(*) FROM cases WHERE code_hash = %s", new) == 1)
    assert office.view(new)["case_id"] == str(filed.case_id)


def test_media_announced_before_or_after_the_case_is_shown_alike(office: Office) -> None:
    early, late, bad = media_id(), media_id(), media_id()
    media = {"media_type": "image/jpeg", "size": 10, "sha256": "a" * 64, "variants": ["evidence"]}
    media |= {"notes": ["first_frame_only"]}
    office.broker_client.publish_event(MediaAccepted(id=uuid.uuid4(), occurred_at=now(), media_id=early, **media))
    filed = office.open(uploads=[early, late, bad])
    office.broker_client.publish_event(MediaAccepted(id=uuid.uuid4(), occurred_at=now(), media_id=late, **media))
    office.broker_client.publish_event(
        MediaRejected(id=uuid.uuid4(), occurred_at=now(), media_id=bad, reason="infected")
    )
    eventually(
        lambda: (
            [attachment["state"] for attachment in office.view(filed.code_hash)["attachments"]]
            == ["accepted", "accepted", "rejected"]
        )
    )
    [first, _, last] = office.get(filed.case_id)["attachments"]
    assert first["media_id"] == early
    assert first["variants"] == ["evidence"]
    assert first["notes"] == ["first_frame_only"]
    assert last["reason"] == "infected"


def test_evidence_is_shown_as_delayed_until_its_verdict(office: Office) -> None:
    photo = media_id()
    filed = office.open(uploads=[photo])
    office.broker_client.publish_event(MediaDelayed(id=uuid.uuid4(), occurred_at=now(), media_id=photo))

    eventually(lambda: office.view(filed.code_hash)["attachments"][0]["notes"] == ["check_delayed"])
    assert office.view(filed.code_hash)["attachments"][0]["state"] == "processing"
    assert office.get(filed.case_id)["attachments"][0]["notes"] == ["check_delayed"]

    media = {"media_type": "image/jpeg", "size": 10, "sha256": "a" * 64, "variants": ["evidence"]}
    office.broker_client.publish_event(MediaAccepted(id=uuid.uuid4(), occurred_at=now(), media_id=photo, **media))
    eventually(lambda: office.view(filed.code_hash)["attachments"][0]["state"] == "accepted")
    assert office.view(filed.code_hash)["attachments"][0]["notes"] == []


def test_evidence_is_served_to_readers_of_its_case(office: Office) -> None:
    photo, letter = media_id(), media_id()
    citizen = Actor(kind=ActorKind.CITIZEN, id=str(uuid.uuid4()))
    filed, foreign = office.investigated(uploads=[photo, letter], citizen_id=UUID(citizen.id)), office.open()
    office.do(office.inspector, filed.case_id, AskUnit(text="این عکس؟", media=[photo]))
    [question] = office.ask("list_unit_questions", ListUnitQuestions(actor=office.liaison))["items"]
    assert [file["media_id"] for file in question["media"]] == [photo]
    of_question = {"question_id": question["question_id"]}

    def may(media: str, **who: object) -> bool:
        try:
            answer = office.ask("authorize_media", AuthorizeMedia(media_id=media, **who))
        except UnknownCase:
            return False
        assert (answer["media_id"], answer["case_id"]) == (media, str(filed.case_id))
        return True

    assert may(photo, code_hashes=[filed.code_hash])
    assert not may(photo, code_hashes=[foreign.code_hash])
    assert may(photo, actor=citizen, case_id=filed.case_id)
    assert not may(photo, actor=citizen, case_id=foreign.case_id)
    assert not may(photo, actor=Actor(kind=ActorKind.CITIZEN, id=str(uuid.uuid4())))
    assert may(photo, actor=office.inspector)
    assert not may(photo, actor=office.other_inspector)
    assert may(photo, actor=office.liaison, **of_question)
    assert not may(letter, actor=office.liaison, **of_question)
    assert not may(photo, actor=actor(Role.LIAISON, "dep.civ"), **of_question)
    assert not may(photo, actor=actor(Role.HEAD, "dep.urb.permits.desk"))
    assert not may(photo)


def test_a_liaison_answers_once_and_only_for_their_own_units(office: Office) -> None:
    filed = office.investigated()
    with pytest.raises(UnknownUpload):
        office.do(office.inspector, filed.case_id, AskUnit(text="؟", media=[media_id()]))
    office.do(office.inspector, filed.case_id, AskUnit(text="چرا؟"))
    above, sibling_unit = actor(Role.LIAISON, "dep.urb"), actor(Role.LIAISON, "dep.urb.control")
    listed = office.ask("list_unit_questions", ListUnitQuestions(actor=above))["items"]
    question = next(item for item in listed if item["text"] == "چرا؟" and item["answer"] is None)
    shown = json.dumps(listed, ensure_ascii=False)
    assert str(filed.case_id) not in shown
    assert filed.text not in shown
    assert question["due_on"] is not None
    assert question["question_id"] not in json.dumps(
        office.ask("list_unit_questions", ListUnitQuestions(actor=sibling_unit, open_only=False))
    )

    def answer(who: Actor, key: str, text: str = "انجام شد.") -> object:
        request = AnswerUnitQuestion(actor=who, question_id=question["question_id"], text=text, idempotency_key=key)
        return office.ask("answer_unit_question", request)

    with pytest.raises(NotFound):
        answer(sibling_unit, "a-first-key")
    with pytest.raises(NotAllowed):
        answer(office.inspector, "a-first-key")
    assert answer(above, "a-first-key") == answer(above, "a-first-key")
    with pytest.raises(KeyReused):
        answer(above, "a-first-key", "چیز دیگر")
    with pytest.raises(WrongStage):
        answer(above, "another-key")
    assert office.get(filed.case_id)["stage"] == "investigating"


def test_text_that_the_database_cannot_store_is_refused(office: Office) -> None:
    filed = office.investigated()
    with pytest.raises(InvalidField):
        office.do(office.inspector, filed.case_id, AddNote(text="a\x00b"))
    with pytest.raises(InvalidField):
        office.page(office.head, text="a\x00b")
    with pytest.raises(InvalidField):
        office.page(office.head, after="no cursor")

"""Evidence after filing: its citizen sends more, and hears of what is refused; everybody else sees neutral names."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

import pytest

from contracts.base import now
from contracts.errors import EvidenceFull, InvalidField, UnknownCase, WrongStage
from contracts.media import ClaimRefused, MediaAccepted, MediaRejected
from contracts.tracking import AddEvidence, AnswerUnitQuestion, AskUnit, AuthorizeMedia, ListUnitQuestions, SendEvidence
from services.tracking.evidence.rules import EVIDENCE_MOST
from tests.support.processes import eventually
from tests.support.tracking import Office, decision


def media_id() -> str:
    return uuid.uuid4().hex


def accepted(media: str, media_type: str = "image/jpeg") -> MediaAccepted:
    made = {"media_type": media_type, "size": 10, "sha256": "a" * 64, "variants": ["evidence"]}
    return MediaAccepted(id=uuid.uuid4(), occurred_at=now(), media_id=media, **made)


def rejected(media: str, reason: str = "damaged") -> MediaRejected:
    return MediaRejected(id=uuid.uuid4(), occurred_at=now(), media_id=media, reason=reason)


def withheld(media: str, case_id: UUID, reason: str = "already_used") -> ClaimRefused:
    return ClaimRefused(id=uuid.uuid4(), occurred_at=now(), media_id=media, case_id=case_id, reason=reason)


def refusals(office: Office, case_id: UUID) -> list[dict[str, Any]]:
    return [e for e in office.broker_client.recorded_events("case.evidence_refused.v1") if e["case_id"] == str(case_id)]


def states(office: Office, code: str) -> list[tuple[str, str | None]]:
    return [(attachment["state"], attachment["reason"]) for attachment in office.view(code)["attachments"]]


def test_more_evidence_is_accepted_for_an_open_case_and_its_handler_is_notified(office: Office) -> None:
    filed = office.investigated()
    photo, key = media_id(), uuid.uuid4().hex

    seen = office.do_as_citizen(filed.code_hash, SendEvidence(uploads=[photo]), key)
    again = office.do_as_citizen(filed.code_hash, SendEvidence(uploads=[photo]), key)

    assert [attachment["media_id"] for attachment in seen["attachments"]] == [photo]
    assert seen["version"] == again["version"]
    assert seen["evidence_left"] == EVIDENCE_MOST - 1
    assert (seen["stage"], seen["timeline"][-1]["entry"], seen["timeline"][-1]["by"]) == (
        "investigating",
        "evidence_sent",
        "you",
    )
    [event] = eventually(lambda: office.broker_client.recorded_events("case.evidence_added.v1"))
    assert (event["uploads"], event["by_citizen"]) == ([photo], True)
    assert event["state"]["handler"] == office.inspector.id
    staff_view = office.get(filed.case_id, office.inspector)
    assert [(attachment["media_id"], attachment["from_office"]) for attachment in staff_view["attachments"]] == [
        (photo, False)
    ]


def test_an_upload_that_the_case_already_has_is_not_attached_twice(office: Office) -> None:
    photo = media_id()
    filed = office.open(uploads=[photo])

    seen = office.do_as_citizen(filed.code_hash, SendEvidence(uploads=[photo]))

    assert (len(seen["attachments"]), seen["version"]) == (1, 1)


def test_a_case_accepts_a_limited_number_of_files_and_none_after_its_end(office: Office) -> None:
    filed = office.investigated()
    for _ in range(EVIDENCE_MOST // 10):
        office.do_as_citizen(filed.code_hash, SendEvidence(uploads=[media_id() for _ in range(10)]))
    assert office.view(filed.code_hash)["evidence_left"] == 0
    with pytest.raises(EvidenceFull) as refused:
        office.do_as_citizen(filed.code_hash, SendEvidence(uploads=[media_id()]))
    assert refused.value.params["limit"] == EVIDENCE_MOST

    office.do(office.inspector, filed.case_id, decision())
    assert office.view(filed.code_hash)["evidence_left"] == 0
    with pytest.raises(WrongStage):
        office.do_as_citizen(filed.code_hash, SendEvidence(uploads=[media_id()]))


@pytest.mark.parametrize("verdict_first", [True, False])
def test_a_refused_file_is_published_once_in_either_order(office: Office, verdict_first: bool) -> None:
    bad, worse, good = media_id(), media_id(), media_id()
    verdicts = [rejected(bad), rejected(bad), accepted(good)]
    if verdict_first:
        for verdict in verdicts:
            office.broker_client.publish_event(verdict)
        eventually(lambda: office.value("SELECT count(*) FROM media_states WHERE media_id = %s", good) == 1)
        filed = office.open(uploads=[bad, good, worse])
    else:
        filed = office.open(uploads=[bad, good, worse])
        for verdict in verdicts:
            office.broker_client.publish_event(verdict)

    [refusal] = eventually(lambda: refusals(office, filed.case_id))
    assert (refusal["media"], refusal["first"]) == ([bad], True)
    office.broker_client.publish_event(rejected(worse, "too_long"))
    [_, second] = eventually(lambda: len(refusals(office, filed.case_id)) == 2 and refusals(office, filed.case_id))
    assert (second["media"], second["first"]) == ([worse], False)
    assert states(office, filed.code_hash) == [("rejected", "damaged"), ("accepted", None), ("rejected", "too_long")]
    entries = [(entry["entry"], entry["by"]) for entry in office.view(filed.code_hash)["timeline"]]
    assert entries == [("opened", "you"), ("evidence_refused", "office"), ("evidence_refused", "office")]


def test_a_refused_file_of_the_office_is_not_shown_to_the_citizen(office: Office) -> None:
    filed = office.investigated()
    internal, own = media_id(), media_id()
    office.do(office.inspector, filed.case_id, AddEvidence(uploads=[internal]))
    office.do_as_citizen(filed.code_hash, SendEvidence(uploads=[own]))

    office.broker_client.publish_event(rejected(internal))
    office.broker_client.publish_event(rejected(own))

    [refusal] = eventually(lambda: refusals(office, filed.case_id))
    assert refusal["media"] == [own]


@pytest.mark.parametrize("refusal_first", [True, False])
def test_an_upload_refused_for_one_case_stays_available_to_another(office: Office, refusal_first: bool) -> None:
    photo, second = media_id(), uuid.uuid4()
    first = office.open(uploads=[photo])
    office.broker_client.publish_event(accepted(photo))
    if refusal_first:
        office.broker_client.publish_event(withheld(photo, second))
        eventually(lambda: office.value("SELECT count(*) FROM withheld WHERE case_id = %s", second) == 1)
    other = office.open(uploads=[photo], case_id=second)
    if not refusal_first:
        office.broker_client.publish_event(withheld(photo, second))

    [refusal] = eventually(lambda: refusals(office, second))
    assert refusal["media"] == [photo]
    assert states(office, other.code_hash) == [("rejected", "already_used")]
    assert states(office, first.code_hash) == [("accepted", None)]
    assert office.ask("authorize_media", AuthorizeMedia(code_hashes=[first.code_hash], media_id=photo))
    with pytest.raises(UnknownCase):
        office.ask("authorize_media", AuthorizeMedia(code_hashes=[other.code_hash], media_id=photo))


def test_attachments_are_named_by_position_and_type(office: Office) -> None:
    photo, letter, internal, answer = (media_id() for _ in range(4))
    filed = office.investigated(uploads=[photo, letter])
    office.broker_client.publish_event(accepted(photo))
    office.broker_client.publish_event(accepted(letter, "application/pdf"))
    office.do(office.inspector, filed.case_id, AddEvidence(uploads=[internal]))
    office.do(office.inspector, filed.case_id, AskUnit(text="این نامه؟", media=[letter]))
    [question] = office.ask("list_unit_questions", ListUnitQuestions(actor=office.liaison))["items"]
    eventually(lambda: states(office, filed.code_hash)[1][0] == "accepted")
    request = AnswerUnitQuestion(
        actor=office.liaison,
        question_id=question["question_id"],
        text="این است.",
        uploads=[answer],
        idempotency_key=uuid.uuid4().hex,
    )
    office.ask("answer_unit_question", request)

    seen = office.get(filed.case_id, office.inspector)["attachments"]
    assert [attachment["file_name"] for attachment in seen] == [
        "evidence-1.jpg",
        "evidence-2.pdf",
        "office-1",
        "office-2",
    ]
    [question] = office.ask("list_unit_questions", ListUnitQuestions(actor=office.liaison, open_only=False))["items"]
    # How much more the case has is not for the unit to know.
    assert [file["file_name"] for file in question["media"]] == ["evidence-1.pdf", "office-2"]
    about = {"question_id": question["question_id"]}
    for actor, media, more, label in (
        (office.inspector, letter, {}, "evidence-2"),
        (office.inspector, internal, {}, "office-1"),
        (office.liaison, letter, about, "evidence-1"),
        (office.liaison, answer, about, "office-2"),
    ):
        grant = office.ask("authorize_media", AuthorizeMedia(actor=actor, media_id=media, **more))
        assert grant["label"] == label


def details(media: str, **more: Any) -> MediaAccepted:
    return accepted(media).model_copy(update=more)


def test_staff_see_who_gave_what_when_and_how_long_it_is(office: Office) -> None:
    filed = office.investigated()
    note, scan = media_id(), media_id()
    office.do_as_citizen(filed.code_hash, SendEvidence(uploads=[note]))
    office.do(office.inspector, filed.case_id, AddEvidence(uploads=[scan]))
    office.broker_client.publish_event(details(note, media_type="audio/ogg", duration_seconds=12.5, peaks=True))
    office.broker_client.publish_event(details(scan, width=800, height=600))

    def seen() -> dict[str, Any]:
        lines = {line["media_id"]: line for line in office.get(filed.case_id, office.inspector)["attachments"]}
        assert {line["state"] for line in lines.values()} == {"accepted"}
        return lines

    lines = eventually(seen)
    assert (lines[note]["duration_seconds"], lines[note]["peaks"], lines[note]["uploader"]) == (12.5, True, "citizen")
    assert (lines[note]["uploaded_by"], lines[note]["uploaded_by_name"]) == (None, None)
    assert (lines[scan]["width"], lines[scan]["height"], lines[scan]["uploader"]) == (800, 600, "office")
    assert lines[scan]["uploaded_by"] == office.inspector.id
    assert all(line["uploaded_at"] for line in lines.values())
    [own] = office.view(filed.code_hash)["attachments"]
    assert (own["duration_seconds"], own["uploader"]) == (12.5, "citizen")
    assert own["uploaded_at"]


def test_a_redacted_version_names_its_original_to_staff_alone(office: Office) -> None:
    filed = office.investigated()
    original, redacted = media_id(), media_id()
    office.do_as_citizen(filed.code_hash, SendEvidence(uploads=[original]))
    with pytest.raises(InvalidField):
        office.do(office.inspector, filed.case_id, AddEvidence(uploads=[redacted], redacts=media_id()))
    with pytest.raises(InvalidField):
        office.do(office.inspector, filed.case_id, AddEvidence(uploads=[redacted, media_id()], redacts=original))
    case = office.do(office.inspector, filed.case_id, AddEvidence(uploads=[redacted], redacts=original))
    lines = {line["media_id"]: line for line in case["attachments"]}
    assert (lines[redacted]["redacts"], lines[original]["redacted_as"]) == (original, [redacted])
    office.do(office.inspector, filed.case_id, AskUnit(text="این تابلو از شماست؟", media=[redacted]))
    [question] = [
        question
        for question in office.ask("list_unit_questions", ListUnitQuestions(actor=office.liaison))["items"]
        if any(file["media_id"] == redacted for file in question["media"])
    ]
    [sent] = question["media"]
    assert (sent["redacts"], sent["redacted_as"], sent["uploaded_by"]) == (None, [], None)
    assert original not in str(question)
    [own] = office.view(filed.code_hash)["attachments"]
    assert (own["media_id"], own["redacted_as"]) == (original, [])

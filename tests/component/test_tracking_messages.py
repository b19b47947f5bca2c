"""What the citizen writes without having been asked, and what they correct or take back within the time for it."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

import pytest

from contracts.errors import EvidenceFull, InvalidField, MessagesFull, TooLate, UnknownCase, WrongStage
from contracts.gateway import Place
from contracts.tracking import (
    AddEvidence,
    AskCitizen,
    AuthorizeMedia,
    CorrectFiled,
    CorrectMessage,
    SendEvidence,
    SendMessage,
    StartScreening,
    WithdrawEvidence,
    WithdrawMessage,
)
from services.tracking.evidence.rules import EVIDENCE_MOST
from services.tracking.messages.rules import CitizenLimits
from tests.support.processes import eventually
from tests.support.tracking import Office, decision

LIMITS = CitizenLimits()


def media_id() -> str:
    return uuid.uuid4().hex


def message_of(view: Any) -> Any:
    """The last message in a citizen's view."""
    return [entry for entry in view["timeline"] if entry["entry"] == "message_sent"][-1]


def of_staff(view: Any, entry: str) -> Any:
    return [line for line in view["timeline"] if line["entry"] == entry][-1]["details"]


def an_hour_ago(office: Office, case_id: UUID) -> None:
    """As if all that was sent had been sent an hour earlier."""
    office.run(
        "BEGIN; ALTER TABLE timeline DISABLE TRIGGER ALL;"
        f" UPDATE timeline SET at = at - interval '1 hour' WHERE case_id = '{case_id}';"
        f" UPDATE cases SET filed_at = filed_at - interval '1 hour' WHERE case_id = '{case_id}';"
        " ALTER TABLE timeline ENABLE TRIGGER ALL; COMMIT;"
    )


def was_read(office: Office, case_id: UUID) -> None:
    """The inspector has read the case, and the audit says so."""
    query = "SELECT count(*) FROM (SELECT subjects FROM audit UNION ALL SELECT subjects FROM audit_waiting) AS entries"
    before = office.value(f"{query} WHERE subjects[1] = %s", str(case_id))
    office.get(case_id, office.inspector)
    eventually(lambda: office.value(f"{query} WHERE subjects[1] = %s", str(case_id)) > before)


def finds(office: Office, words: str) -> list[str]:
    return office.numbers(office.head, text=words)


def test_a_message_is_read_by_the_office_once_and_announced_to_the_handler(office: Office) -> None:
    filed, photo, key = office.investigated(), media_id(), uuid.uuid4().hex
    command = SendMessage(text="باز هم مراجعه کردم.", uploads=[photo])

    seen = office.do_as_citizen(filed.code_hash, command, key)
    assert office.do_as_citizen(filed.code_hash, command, key) == seen

    message = message_of(seen)
    assert (seen["stage"], message["by"], message["text"]) == ("investigating", "you", "باز هم مراجعه کردم.")
    assert message["uploads"] == [photo] == [attachment["media_id"] for attachment in seen["attachments"]]
    assert seen["messages_left"] == LIMITS.messages - 1
    assert of_staff(office.get(filed.case_id), "message_sent")["text"] == "باز هم مراجعه کردم."
    [event] = eventually(lambda: office.broker_client.recorded_events("case.message_sent.v1"))
    assert (event["message_id"], event["state"]["handler"]) == (message["message_id"], office.inspector.id)
    assert "مراجعه" not in str(event)
    [evidence] = [
        event
        for event in office.broker_client.recorded_events("case.evidence_added.v1")
        if event["case_id"] == str(filed.case_id)
    ]
    assert (evidence["uploads"], evidence["by_citizen"], evidence["with_message"]) == ([photo], True, True)


def test_messages_are_limited_by_number_files_and_the_end_of_the_case(office: Office) -> None:
    filed = office.investigated()
    for _ in range(EVIDENCE_MOST // 10):
        office.do_as_citizen(filed.code_hash, SendMessage(text="x", uploads=[media_id() for _ in range(10)]))
    with pytest.raises(EvidenceFull):
        office.do_as_citizen(filed.code_hash, SendMessage(text="x", uploads=[media_id()]))
    left = office.view(filed.code_hash)["messages_left"]
    for _ in range(left):
        office.do_as_citizen(filed.code_hash, SendMessage(text="باز هم"))
    assert office.view(filed.code_hash)["messages_left"] == 0
    with pytest.raises(MessagesFull) as refused:
        office.do_as_citizen(filed.code_hash, SendMessage(text="یکی بیشتر"))
    assert refused.value.params == {"limit": LIMITS.messages, "characters": LIMITS.characters}

    ended = office.investigated()
    office.do(office.inspector, ended.case_id, decision())
    assert office.view(ended.code_hash)["messages_left"] == 0
    with pytest.raises(WrongStage):
        office.do_as_citizen(ended.code_hash, SendMessage(text="دیر شد"))


def test_messages_are_limited_by_their_characters(office: Office) -> None:
    filed = office.investigated()
    for _ in range(LIMITS.characters // 10_000):
        office.do_as_citizen(filed.code_hash, SendMessage(text="م" * 10_000))
    assert office.view(filed.code_hash)["messages_left"] == 0
    with pytest.raises(MessagesFull):
        office.do_as_citizen(filed.code_hash, SendMessage(text="یکی بیشتر"))


def test_a_message_does_not_answer_a_question(office: Office) -> None:
    filed = office.investigated()
    office.do(office.inspector, filed.case_id, AskCitizen(text="چه روزی؟"))
    seen = office.do_as_citizen(filed.code_hash, SendMessage(text="هنوز پیدا نکرده‌ام."))
    assert (seen["stage"], seen["question"]["text"]) == ("awaiting_citizen", "چه روزی؟")
    assert "answer_question" in seen["can"]


def test_a_corrected_message_reads_anew_and_the_office_keeps_both_texts(office: Office) -> None:
    filed = office.investigated()
    sent = message_of(office.do_as_citizen(filed.code_hash, SendMessage(text="نادرست")))
    seen = office.do_as_citizen(filed.code_hash, CorrectMessage(message_id=sent["message_id"], text="درست"))

    message = message_of(seen)
    assert (message["text"], message["at"]) == ("درست", sent["at"])
    assert message["corrected_at"]
    assert [entry["text"] for entry in seen["timeline"] if entry["entry"] == "message_corrected"] == [None]
    assert "نادرست" not in str(seen)
    staff = office.get(filed.case_id)
    assert of_staff(staff, "message_sent")["text"] == "نادرست"
    assert of_staff(staff, "message_corrected") == {"message_id": sent["message_id"], "text": "درست"}
    event = eventually(lambda: office.broker_client.recorded_events("case.citizen_corrected.v1"))[-1]
    assert (event["what"], event["noticed"]) == ("message", True)
    with pytest.raises(InvalidField):
        office.do_as_citizen(filed.code_hash, CorrectMessage(message_id=uuid.uuid4(), text="هیچ"))


def test_a_message_taken_back_unread_is_read_and_found_by_nobody(office: Office) -> None:
    filed, word = office.investigated(), f"نهان{uuid.uuid4().hex[:8]}"
    sent = message_of(office.do_as_citizen(filed.code_hash, SendMessage(text=word)))
    assert finds(office, word)
    key = uuid.uuid4().hex
    seen = office.do_as_citizen(filed.code_hash, WithdrawMessage(message_id=sent["message_id"]), key)
    again = office.do_as_citizen(filed.code_hash, WithdrawMessage(message_id=sent["message_id"]))

    assert (message_of(seen)["text"], message_of(seen)["can_correct_until"]) == (None, None)
    assert again["version"] == seen["version"]
    staff = office.get(filed.case_id)
    assert word not in str(staff)
    assert of_staff(staff, "message_withdrawn") == {"message_id": sent["message_id"], "was_read": False}
    assert finds(office, word) == []
    with pytest.raises(TooLate):
        office.do_as_citizen(filed.code_hash, CorrectMessage(message_id=sent["message_id"], text="باز هم"))


def test_a_message_that_was_read_stays_with_the_office_and_its_citizen_is_not_told(office: Office) -> None:
    views = []
    for read in (False, True):
        filed = office.investigated()
        sent = message_of(office.do_as_citizen(filed.code_hash, SendMessage(text="خوانده")))
        if read:
            was_read(office, filed.case_id)
        views.append(office.do_as_citizen(filed.code_hash, WithdrawMessage(message_id=sent["message_id"])))
        staff = office.get(filed.case_id)
        assert of_staff(staff, "message_withdrawn")["was_read"] is read
        assert of_staff(staff, "message_sent").get("text") == ("خوانده" if read else None)
    shapes = [[(line["entry"], line["text"], line["by"]) for line in view["timeline"]] for view in views]
    assert shapes[0] == shapes[1]
    assert "was_read" not in str(views)


def test_after_an_hour_nothing_is_corrected_or_taken_back(office: Office) -> None:
    photo = media_id()
    filed = office.open(uploads=[photo])
    sent = message_of(office.do_as_citizen(filed.code_hash, SendMessage(text="پیام")))
    assert sent["can_correct_until"] > sent["at"]
    an_hour_ago(office, filed.case_id)
    for command in (
        CorrectMessage(message_id=sent["message_id"], text="دیر"),
        WithdrawMessage(message_id=sent["message_id"]),
        CorrectFiled(text="دیر شد، اما می‌نویسم."),
        WithdrawEvidence(media_id=photo),
    ):
        with pytest.raises(TooLate) as refused:
            office.do_as_citizen(filed.code_hash, command)
        assert refused.value.params["until"]


def test_what_was_filed_is_corrected_until_its_first_reading(office: Office) -> None:
    word, other = f"پیشین{uuid.uuid4().hex[:8]}", f"پسین{uuid.uuid4().hex[:8]}"
    filed = office.open(text=f"پروانه من {word}", place={"address": "خیابان سعدی"})
    before = office.view(filed.code_hash)
    assert before["filed"]["can_correct_until"]
    place = Place(latitude=36.27, longitude=50.0, address="خیابان حافظ")
    seen = office.do_as_citizen(filed.code_hash, CorrectFiled(text=f"پروانه من {other}", place=place))

    assert seen["filed"]["text"] == f"پروانه من {other}"
    assert (seen["filed"]["place"]["address"], seen["filed"]["address"]) == ("خیابان حافظ", "خیابان حافظ")
    assert seen["filed"]["corrected_at"]
    assert seen["version"] == before["version"] + 1
    assert word not in str(seen)
    staff = office.get(filed.case_id)
    assert (staff["text"], staff["place"]["address"]) == (f"پروانه من {other}", "خیابان حافظ")
    assert staff["filed_corrected_at"] == of_line(staff, "filed_corrected")["at"]
    former = of_staff(staff, "filed_corrected")
    assert former["former_text"] == f"پروانه من {word}"
    assert former["former_place"]["address"] == "خیابان سعدی"
    assert finds(office, other) == finds(office, word) == [staff["number"]]
    unchanged = office.do_as_citizen(filed.code_hash, CorrectFiled(text=f"پروانه من {other}"))
    assert unchanged["version"] == seen["version"]

    office.do(office.screener, filed.case_id, StartScreening())
    assert office.view(filed.code_hash)["filed"]["can_correct_until"] is None
    with pytest.raises(TooLate) as refused:
        office.do_as_citizen(filed.code_hash, CorrectFiled(text="دیگر نمی‌شود."))
    assert refused.value.params["until"] is None


def of_line(view: Any, entry: str) -> Any:
    return [line for line in view["timeline"] if line["entry"] == entry][-1]


def test_a_file_taken_back_unseen_is_opened_by_nobody(office: Office) -> None:
    photo, kept = media_id(), media_id()
    filed = office.open(uploads=[photo, kept])
    seen = office.do_as_citizen(filed.code_hash, WithdrawEvidence(media_id=photo))

    by_citizen = {attachment["media_id"]: attachment for attachment in seen["attachments"]}
    assert (by_citizen[photo]["state"], bool(by_citizen[photo]["withdrawn_at"])) == ("removed", True)
    assert by_citizen[kept]["can_withdraw_until"]
    by_staff = {a["media_id"]: a for a in office.get(filed.case_id)["attachments"]}
    assert (by_staff[photo]["state"], by_staff[photo]["variants"]) == ("removed", [])
    assert by_staff[photo]["withdrawn_at"]
    for asking in ({"code_hashes": [filed.code_hash]}, {"actor": office.head, "case_id": filed.case_id}):
        with pytest.raises(UnknownCase):
            office.ask("authorize_media", AuthorizeMedia(media_id=photo, **asking))
        office.ask("authorize_media", AuthorizeMedia(media_id=kept, **asking))
    again = office.do_as_citizen(filed.code_hash, SendEvidence(uploads=[photo]))
    assert again["version"] == seen["version"]  # what was taken back does not come again


def test_a_file_that_was_seen_stays_with_the_office(office: Office) -> None:
    filed, photo = office.investigated(), media_id()
    office.do_as_citizen(filed.code_hash, SendEvidence(uploads=[photo]))
    was_read(office, filed.case_id)
    seen = office.do_as_citizen(filed.code_hash, WithdrawEvidence(media_id=photo))

    assert seen["attachments"][0]["state"] == "removed"
    [attachment] = office.get(filed.case_id)["attachments"]
    assert (attachment["state"], bool(attachment["withdrawn_at"])) == ("processing", True)
    office.ask("authorize_media", AuthorizeMedia(media_id=photo, actor=office.inspector, case_id=filed.case_id))
    with pytest.raises(UnknownCase):
        office.ask("authorize_media", AuthorizeMedia(media_id=photo, code_hashes=[filed.code_hash]))


def test_the_offices_own_files_and_others_messages_are_not_a_citizens_to_take_back(office: Office) -> None:
    filed, other, internal = office.investigated(), office.investigated(), media_id()
    office.do(office.inspector, filed.case_id, AddEvidence(uploads=[internal]))
    sent = message_of(office.do_as_citizen(other.code_hash, SendMessage(text="از دیگری")))
    for command in (
        WithdrawEvidence(media_id=internal),
        WithdrawMessage(message_id=sent["message_id"]),
        CorrectMessage(message_id=sent["message_id"], text="از من"),
    ):
        with pytest.raises(InvalidField):
            office.do_as_citizen(filed.code_hash, command)

"""Evidence as those who send it and those who read it meet it: names, refusals, more of it, and none of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest

from deploy.demo import evidence
from tests.e2e.hostile_parts import refused
from tests.e2e.people import JSON, Caller, Case, Town, good
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)
NAME = "شکایت ندا رضایی 09121234567.jpg"
TUS = {"Tus-Resumable": "1.0.0"}


def attachments(case: Case) -> list[JSON]:
    """When each has its verdict."""

    def judged() -> list[JSON] | None:
        files: list[JSON] = case.view()["attachments"]
        return files if files and all(attachment["state"] in ("accepted", "rejected") for attachment in files) else None

    return eventually(judged, timeout=90)


def text_and_headers(answer: httpx.Response) -> str:
    """All that an answer says but the bytes of a file."""
    text = answer.text if "json" in answer.headers.get("content-type", "") else ""
    return f"{dict(answer.headers)} {text}"


def knows_no_name(answer: httpx.Response) -> httpx.Response:
    assert answer.status_code == 200, answer.text
    seen = text_and_headers(answer)
    assert "09121234567" not in seen
    assert "ندا" not in seen
    assert "%D9%86%D8%AF%D8%A7" not in seen
    return answer


def test_only_the_citizen_sees_the_name_a_phone_gave_a_file(town: Town) -> None:
    citizen = town.caller()
    photo = citizen.upload(evidence.photo(), NAME)
    assert good(citizen.get(f"/v1/uploads/{photo}"))["file_name"] == NAME
    case, _, signed_in = town.complaint(uploads=[photo])
    [seen] = attachments(case)
    case_id = case.view()["case_id"]

    # To the citizen, by code and signed in.
    assert seen["file_name"] == NAME
    assert good(signed_in.get(f"/v1/me/cases/{case_id}"))["attachments"][0]["file_name"] == NAME

    # To whoever has the id, and the staff who handle the case have it: as if it had never been.
    stranger, unknown = town.caller(), "n" * 32
    for method in ("GET", "HEAD", "DELETE"):
        answers = [stranger.request(method, f"/v1/uploads/{upload_id}", headers=TUS) for upload_id in (photo, unknown)]
        assert [answer.status_code for answer in answers] == [404, 404]
        bodies = [{**answer.json(), "instance": ""} if answer.content else {} for answer in answers]
        assert bodies[0].keys() == bodies[1].keys()
        assert bodies[0].get("code") == bodies[1].get("code")
        assert "upload-metadata" not in answers[0].headers

    # To staff and to the unit: a name by its place, with the suffix of what it is.
    inspector = town.assigned(case)
    view = knows_no_name(inspector.caller.get(f"/v1/cases/{case_id}")).json()
    assert view["attachments"][0]["file_name"] == "evidence-1.jpg"
    down = knows_no_name(inspector.caller.get(f"/v1/cases/{case_id}/attachments/{photo}"))
    assert 'filename="evidence-1.jpg"' in down.headers["content-disposition"]
    inspector.do(case_id, "unit-questions", text="این تابلو از شماست؟", media=[photo])
    liaison = town.officer("liaison")
    questions = knows_no_name(liaison.caller.get("/v1/unit-questions")).json()["items"]
    [question] = [question for question in questions if any(file["media_id"] == photo for file in question["media"])]
    assert question["media"][0]["file_name"] == "evidence-1.jpg"
    path = f"/v1/unit-questions/{question['question_id']}/attachments/{photo}"
    down = knows_no_name(liaison.caller.get(path))
    assert 'filename="evidence-1.jpg"' in down.headers["content-disposition"]
    # Nor does the citizen's own download carry it on.
    knows_no_name(case.holder.get(f"/v1/tracking/attachments/{photo}"))
    for service in ("gateway", "media", "tracking", "notify"):
        log = town.system.process(service).log.read_text(errors="replace")
        assert "09121234567" not in log


def test_a_refused_file_shows_its_reason_before_filing(town: Town) -> None:
    citizen = town.caller("en")
    page = citizen.upload(b"<html><script>alert(1)</script></html>", "letter.html", "text/html")

    def judged() -> JSON | None:
        seen: JSON = good(citizen.get(f"/v1/uploads/{page}"))
        return seen if seen["state"] == "rejected" else None

    seen = eventually(judged, timeout=60)
    assert seen["reason"] == "type_not_permitted"
    assert "PDF" in seen["reason_text"]
    assert "MP4" in seen["reason_text"]
    persian = good(town.caller("fa").get(f"/v1/uploads/{page}"))["reason_text"]
    assert "پذیرفته نمی‌شود" in persian


def test_a_refused_file_is_reported_and_a_better_one_is_accepted_later(town: Town) -> None:
    phone = town.phone()
    citizen, _ = town.sign_in(phone)
    bad = citizen.upload(evidence.photo()[:300], "کاغذ.jpg")
    body = {"kind": "complaint", "unit": "dep.urb.permits", "ground": "delay", "text": "پرونده من سه ماه مانده است."}
    case = town.file(citizen, **body, identity={"name": "ندا رضایی"}, uploads=[bad])
    texts = [phone.next(), phone.next()]
    sms_text = next(text for text in texts if "فایل" in text)
    assert case.dashed in sms_text
    assert "کاغذ" not in sms_text
    [refused_file] = attachments(case)
    assert (refused_file["state"], refused_file["file_name"]) == ("rejected", "کاغذ.jpg")
    assert refused_file["reason_text"]
    assert any("فایل" in text for text in case.inbox())
    assert "evidence_refused" in [entry["entry"] for entry in case.view()["timeline"]]

    inspector = town.assigned(case)
    good_file, key = case.holder.upload(evidence.photo(), "بهتر.jpg"), uuid.uuid4().hex
    sent = good(case.holder.post("/v1/tracking/attachments", {"uploads": [good_file]}, key))
    again = good(case.holder.post("/v1/tracking/attachments", {"uploads": [good_file]}, key))
    assert sent["version"] == again["version"]
    assert sent["evidence_left"] == case.view()["evidence_left"] > 0
    states = [(attachment["file_name"], attachment["state"]) for attachment in attachments(case)]
    assert states == [("کاغذ.jpg", "rejected"), ("بهتر.jpg", "accepted")]
    assert case.holder.get(f"/v1/tracking/attachments/{good_file}").status_code == 200
    case_id = case.view()["case_id"]
    eventually(lambda: [message for message in messages_of(inspector.caller, case_id) if "مدرک" in message["text"]])

    third = citizen.upload(evidence.photo())
    mine = good(citizen.post(f"/v1/me/cases/{case_id}/attachments", {"uploads": [third]}))
    assert len(mine["attachments"]) == 3
    stranger, _ = town.sign_in(town.phone())
    refused(stranger.post(f"/v1/me/cases/{case_id}/attachments", {"uploads": [third]}), 404, "unknown_case", "fa")


def messages_of(caller: Caller, case_id: str) -> list[JSON]:
    return [item for item in good(caller.get("/v1/messages"))["items"] if item["case_id"] == case_id]


def readable(case: Case, media_id: str) -> bool:
    return case.holder.get(f"/v1/tracking/attachments/{media_id}").status_code == 200


def test_one_upload_in_two_filings_can_be_read_with_both(town: Town) -> None:
    photo = town.caller().upload(evidence.photo(), "ندا.jpg")
    first, second = town.report(uploads=[photo]), town.report(uploads=[photo], text="همان موضوع، بار دوم.")
    for case in (first, second):
        assert [attachment["state"] for attachment in attachments(case)] == ["accepted"]
        eventually(partial(readable, case, photo))

    mine, _, signed_in = town.complaint(uploads=[own := town.caller().upload(evidence.photo())])
    attachments(mine)
    accepted = good(
        signed_in.post(
            "/v1/submissions",
            {
                "kind": "criticism",
                "unit": "dep.urb.permits",
                "ground": "delay",
                "consent": True,
                "text": "یک بار دیگر می‌گویم.",
                "uploads": [own],
                "anonymous": False,
                "identity": {"name": "ندا رضایی"},
            },
        ),
        201,
    )
    other = Case(accepted["tracking_code"].replace(" ", ""), town.caller(code=accepted["tracking_code"]), "", accepted)
    town.codes.add(other.code)
    attachments(other)
    eventually(partial(readable, other, own))


@contextmanager
def media_with(town: Town, **settings: str) -> Iterator[None]:
    """Media under other settings for a while."""
    process = town.system.process("media")
    before: Any = process.environment
    try:
        process.environment = {**before, **settings}
        process.restart()
        yield
    finally:
        process.environment = before
        process.restart()


def test_with_a_full_quarantine_submissions_are_accepted_and_evidence_may_follow(town: Town) -> None:
    with media_with(town, MEDIA_QUARANTINE_BYTES="1000"):
        answer = town.caller("en").request("POST", "/v1/uploads", headers={**TUS, "Upload-Length": "5000"})
        refused(answer, 503, "evidence_unavailable", "en")
        assert "later" in answer.json()["title"]
        assert int(answer.headers["retry-after"]) > 0
        case = town.report()
        assert any("عکس" in step for step in case.filed["next_steps"])
        assert case.view()["evidence_left"] > 0
    photo = town.caller().upload(evidence.photo())
    good(case.holder.post("/v1/tracking/attachments", {"uploads": [photo]}))
    assert [attachment["state"] for attachment in attachments(case)] == ["accepted"]


def test_a_hundred_large_announcements_of_one_address_are_stopped_early(town: Town) -> None:
    with media_with(town, MEDIA_ADDRESS_BYTES=str(2 * 1024**3)):
        size = {"Upload-Length": str(200 * 1024 * 1024)}
        answers = [town.caller().request("POST", "/v1/uploads", headers={**TUS, **size}) for _ in range(30)]
        taken = [answer for answer in answers if answer.status_code == 201]
        assert 1 <= len(taken) <= 10
        for answer in answers[len(taken) :]:
            refused(answer, 429, "too_many_uploads", "fa")
            assert int(answer.headers["retry-after"]) > 0
        for answer in taken:
            town.caller().request("DELETE", httpx.URL(answer.headers["location"]).path, headers=TUS)
        assert town.caller().upload(evidence.photo())

"""Who sees what: evidence without its place, cases without conflicts of interest, nothing across cases."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import piexif
import psycopg
import pytest
from PIL import Image

from deploy.demo import evidence
from tests.e2e.people import UNIT, Caller, Case, Officer, Town, good
from tests.support.processes import eventually


def photo_with_gps() -> bytes:
    """Made by another hand than the demo's: piexif writes the EXIF."""
    gps = {
        piexif.GPSIFD.GPSLatitudeRef: b"N",
        piexif.GPSIFD.GPSLatitude: ((36, 1), (16, 1), (12, 1)),
        piexif.GPSIFD.GPSLongitudeRef: b"E",
        piexif.GPSIFD.GPSLongitude: ((50, 1), (0, 1), (15, 1)),
    }
    exif = piexif.dump({"0th": {piexif.ImageIFD.Make: b"Telephone"}, "GPS": gps})
    made = io.BytesIO()
    Image.new("RGB", (320, 240), (90, 90, 90)).save(made, "JPEG", exif=exif)
    return made.getvalue()


def accepted(case: Case) -> str:
    """The id of the case's first attachment, once it may be downloaded."""

    def looked_at() -> str:
        attachments = case.view()["attachments"]
        assert attachments
        assert attachments[0]["state"] == "accepted", attachments
        return str(attachments[0]["media_id"])

    return eventually(looked_at, timeout=60)


@pytest.mark.parametrize("make", [photo_with_gps, evidence.photo], ids=["piexif", "demo"])
@pytest.mark.parametrize("variant", ["evidence", "preview", "thumbnail"])
def test_no_download_reveals_where_a_photo_was_taken(town: Town, make: object, variant: str) -> None:
    assert callable(make)
    original = make()
    assert piexif.load(original)["GPS"], "the test's own photo has no GPS"
    case = town.report(uploads=[town.caller().upload(original)])
    got = case.holder.get(f"/v1/tracking/attachments/{accepted(case)}", variant=variant)
    assert got.status_code == 200, got.text
    assert got.headers["content-type"] == "image/jpeg"
    assert not Image.open(io.BytesIO(got.content)).getexif()
    assert not any(piexif.load(got.content)[part] for part in ("0th", "GPS", "Exif", "1st"))
    assert b"Telephone" not in got.content
    assert b"Demo Phone" not in got.content


def test_evidence_of_one_case_cannot_be_read_by_parties_of_another(town: Town) -> None:
    case, _, citizen = town.complaint(uploads=[town.caller().upload(photo_with_gps())])
    media = accepted(case)
    case_id = case.view()["case_id"]
    other, _, other_citizen = town.complaint()
    other_id = other.view()["case_id"]

    assert case.holder.get(f"/v1/tracking/attachments/{media}").status_code == 200
    assert citizen.get(f"/v1/me/cases/{case_id}/attachments/{media}").status_code == 200
    assert other.holder.get(f"/v1/tracking/attachments/{media}").status_code == 404
    assert other_citizen.get(f"/v1/me/cases/{case_id}/attachments/{media}").status_code == 404
    assert other_citizen.get(f"/v1/me/cases/{other_id}/attachments/{media}").status_code == 404
    assert town.caller().get(f"/v1/tracking/attachments/{media}").status_code == 422  # without a code
    assert town.caller(code="1234567890123456").get(f"/v1/tracking/attachments/{media}").status_code == 404

    inspector = town.assigned(case)
    assert inspector.caller.get(f"/v1/cases/{case_id}/attachments/{media}").status_code == 200
    assert inspector.caller.get(f"/v1/cases/{other_id}/attachments/{media}").status_code == 404
    for stranger, status in (("inspector2", 404), ("screener.permits", 404), ("liaison", 403), ("analyst", 403)):
        got = town.officer(stranger).caller.get(f"/v1/cases/{case_id}/attachments/{media}")
        assert got.status_code in (403, 404), (stranger, got.status_code)
        assert got.status_code == status or stranger in ("liaison", "analyst"), (stranger, got.status_code)


def test_staff_of_the_accused_unit_do_not_see_the_case_in_any_way(town: Town) -> None:
    word = "ققنوسستان"  # a word that only this case has
    case, _, _ = town.complaint(text=f"در اداره صدور پروانه {word} را گم کردند.")
    case_id = case.view()["case_id"]
    screener, accused = town.officer("screener"), town.officer("screener.permits")
    assert [item["case_id"] for item in listed_cases(screener.caller, text=word)] == [case_id]

    assert listed_cases(accused.caller, text=word) == []
    assert case_id not in [item["case_id"] for item in listed_cases(accused.caller, limit=100)]
    assert listed_cases(accused.caller, unit=UNIT) == []
    assert accused.caller.get(f"/v1/cases/{case_id}").status_code == 404
    version = screener.read(case_id)["version"]
    command = accused.caller.post(f"/v1/cases/{case_id}/screening", {}, version=version)
    assert command.status_code == 404
    note = accused.caller.post(f"/v1/cases/{case_id}/notes", {"text": "من هم دیدم"}, version=version)
    assert note.status_code in (403, 404)

    with listening(town, screener.caller) as office_case_ids, listening(town, accused.caller) as accused_case_ids:
        screener.do(case_id, "screening")
        other = town.report()  # about another unit: both may know of it
        other_id = other.view()["case_id"]
        screener.do(other_id, "screening")
        eventually(lambda: case_id in office_case_ids and other_id in office_case_ids)
        eventually(lambda: other_id in accused_case_ids)
        assert case_id not in accused_case_ids


def listed_cases(caller: Caller, **filters: object) -> list[dict[str, str]]:
    items: list[dict[str, str]] = good(caller.get("/v1/cases", **filters))["items"]
    return items


@contextmanager
def listening(town: Town, caller: Caller) -> Iterator[set[str]]:
    """The ids of the cases that this caller's live stream tells of, as they come."""
    case_ids: set[str] = set()
    opened = threading.Event()
    stop = threading.Event()

    def read() -> None:
        headers = {"Authorization": f"Bearer {caller.token}"}
        with httpx.Client(base_url=town.system.gateway_url, timeout=httpx.Timeout(5, read=1), trust_env=False) as http:
            while not stop.is_set():
                try:
                    with http.stream("GET", "/v1/stream", headers=headers) as lines:
                        opened.set()
                        for line in lines.iter_lines():
                            if line.startswith("data:"):
                                case_ids.add(json.loads(line[5:]).get("case_id", ""))
                            if stop.is_set():
                                return
                except httpx.ReadTimeout:
                    continue

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert opened.wait(10)
    try:
        yield case_ids
    finally:
        stop.set()
        reader.join(10)


def test_a_liaison_sees_the_question_and_nothing_of_the_case(town: Town) -> None:
    photo = town.caller().upload(photo_with_gps())
    second = town.caller().upload(evidence.photo())
    case, phone, _ = town.complaint(text="نام من در متن شکایت نمی‌آید ولی ماجرا را می‌گویم.", uploads=[photo, second])
    accepted(case)
    case_id = case.view()["case_id"]
    inspector = town.assigned(case)
    case_after = inspector.do(case_id, "unit-questions", text="علت تأخیر چیست؟", media=[photo])
    question = next(question for question in case_after["questions"] if question["unit"])

    liaison = town.officer("liaison").caller
    shown = next(
        item
        for item in good(liaison.get("/v1/unit-questions"))["items"]
        if item["question_id"] == question["question_id"]
    )
    assert shown["text"] == "علت تأخیر چیست؟"
    assert [file["media_id"] for file in shown["media"]] == [photo]
    answer_text = json.dumps(shown, ensure_ascii=False)
    assert case_id not in answer_text.replace(shown["question_id"], "")
    assert case_after["number"] not in answer_text
    for secret in ("ماجرا", "شاکی نمونه", phone.mobile, phone.mobile[3:], case.code):
        assert secret not in answer_text
    base = f"/v1/unit-questions/{shown['question_id']}/attachments"
    assert liaison.get(f"{base}/{photo}").status_code == 200
    assert liaison.get(f"{base}/{second}").status_code == 404
    for path in ("/v1/cases", f"/v1/cases/{case_id}"):
        assert liaison.get(path).status_code == 403
    unread = eventually(lambda: [message["text"] for message in good(liaison.get("/v1/messages"))["items"]])
    assert unread[0].startswith("بازرسی از واحد شما پرسشی دارد. مهلت پاسخ: ")


def await_message_about(officer: Officer, case_id: str, text: str) -> None:
    """The inbox says it of this case, and does not say which number it has."""

    def in_inbox() -> bool:
        items = [item for item in good(officer.caller.get("/v1/messages"))["items"] if item["case_id"] == case_id]
        return (text, None) in [(item["text"], item["case_number"]) for item in items]

    eventually(in_inbox)


def test_an_identity_is_opened_by_two_people_temporarily_and_audited(town: Town) -> None:
    case, phone, _ = town.complaint()
    case_id = case.view()["case_id"]
    inspector = town.assigned(case)
    assert "شاکی نمونه" not in json.dumps(inspector.read(case_id), ensure_ascii=False)
    path, reason = f"/v1/cases/{case_id}/identity", "برای دعوت به جلسه"
    for other in ("inspector", "screener", "operator", "analyst", "liaison", "administrator", "screener.permits"):
        # The inspector of the case may ask; what is asked for a head opens alone (test_what_staff_read).
        for route in (path,) if other == "inspector" else (path, f"{path}/requests"):
            refused = town.officer(other).caller.post(route, {"reason": "می‌خواهم بدانم"})
            assert refused.status_code == 403, other
            assert phone.mobile not in refused.text

    custodian, head = town.officer("custodian"), town.officer("head")
    assert custodian.caller.get("/v1/cases").status_code == 403
    assert custodian.caller.get(f"/v1/cases/{case_id}").status_code == 403
    for alone in (head, custodian):
        answer = alone.caller.post(path, {"reason": reason})
        assert (answer.status_code, answer.json()["code"]) == (403, "consent_needed")
        assert "امین هویت" in answer.json()["title"]

    # The head asks; the custodian sees why, who, and which case, and nothing of what it says or of its citizen; the word is
    # theirs alone.
    assert (
        head.caller.post(f"{path}/requests", {"reason": "abc  "}).status_code == 201
    )  # five characters, three to be seen
    request = good(head.caller.post(f"{path}/requests", {"reason": reason, "minutes": 30}), 201)
    waiting = good(custodian.caller.get("/v1/identity-requests", waiting=True))["items"]
    [shown] = [item for item in waiting if item["request_id"] == request["request_id"]]
    assert (shown["asked_by"], shown["reason"], shown["kind"]) == (head.staff_id, reason, "complaint")
    case_as_it_is = inspector.read(case_id)
    assert [shown[name] for name in ("number", "stage", "unit")] == [
        case_as_it_is[name] for name in ("number", "stage", "unit")
    ]
    for secret in (phone.mobile, "شاکی نمونه", "پرونده من"):
        assert secret not in json.dumps(waiting, ensure_ascii=False)
    await_message_about(custodian, case_id, "دیدن هویت ثبت‌کننده یک شکایت به موافقت شما نیاز دارد.")
    decision = f"/v1/identity-requests/{request['request_id']}/decision"
    assert head.caller.post(decision, {"consent": True}).status_code == 403
    given = good(custodian.caller.post(decision, {"consent": True, "reason": "لازم است."}))
    assert (given["state"], given["decided_by"]) == ("consented", custodian.staff_id)
    assert good(head.caller.get("/v1/identity-requests"))["items"][0] == given
    await_message_about(head, case_id, "با دیدن هویت ثبت‌کننده یک شکایت که خواسته بودید موافقت شد.")

    opened = good(head.caller.post(path, {"reason": reason}))["identity"]
    assert (opened["name"], opened["mobile"]) == ("شاکی نمونه", phone.mobile)
    assert custodian.caller.post(path, {"reason": reason}).json()["code"] == "consent_needed", (
        "who consents does not read"
    )
    with psycopg.connect(town.system.database_url("intake").replace("+psycopg", "")) as database:
        query = "SELECT actor, reason, consented_by::text FROM identity_openings WHERE submission_id = %s"
        assert database.execute(query, [case_id]).fetchall() == [(head.staff_id, reason, custodian.staff_id)]

    # The audit of both services names both; and when its time is over, the consent is worth nothing.
    for service, command in (("intake", "open_identity"), ("tracking", "decide_identity_request")):
        with psycopg.connect(town.system.database_url(service).replace("+psycopg", "")) as database:
            query = (
                "SELECT actor_id, subjects FROM (SELECT * FROM audit_waiting UNION ALL SELECT NULL, at, actor_kind, actor_id,"
                " roles, command, subjects, result, trace_id FROM audit) a WHERE command = %s AND result = 'done'"
            )
            noted = database.execute(query, [command]).fetchall()
        expected = {
            "open_identity": (head.staff_id, custodian.staff_id),
            "decide_identity_request": (custodian.staff_id,),
        }
        assert any(row[0] == expected[command][0] and set(expected[command][1:]) <= set(row[1]) for row in noted), (
            service
        )
    with psycopg.connect(town.system.database_url("tracking").replace("+psycopg", ""), autocommit=True) as database:
        database.execute(
            "UPDATE identity_requests SET open_until = now() WHERE request_id = %s", [request["request_id"]]
        )
    assert head.caller.post(path, {"reason": reason}).json()["code"] == "consent_needed"

    # Conflict of interest holds for both: a case about the office that they belong to themselves.
    own, _, _ = town.complaint(unit="mayor.insp")
    for opener in (head, custodian):
        for route in ("identity", "identity/requests"):
            hidden = opener.caller.post(f"/v1/cases/{own.view()['case_id']}/{route}", {"reason": "می‌خواهم بدانم"})
            assert hidden.status_code == 404, opener.username

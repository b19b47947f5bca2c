"""A citizen rereads what they wrote, writes again without having been asked, corrects it and takes it back; over the gateway."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest

from tests.e2e.day_parts import refused
from tests.e2e.people import JSON, Caller, Case, Officer, Town, good
from tests.support import media_samples
from tests.support.processes import eventually

PLACE: JSON = {"latitude": 36.27, "longitude": 50.0, "address": "خیابان فلسطین"}


def message_of(view: JSON) -> JSON:
    messages: list[JSON] = [entry for entry in view["timeline"] if entry["entry"] == "message_sent"]
    return messages[-1]


def is_told(who: Officer, text: str) -> None:
    eventually(lambda: text in [item["text"] for item in good(who.caller.get("/v1/messages"))["items"]])


@pytest.mark.parametrize("signed_in", [False, True])
def test_one_rereads_all_that_one_wrote_by_code_and_by_account(town: Town, signed_in: bool) -> None:
    case, _, citizen = town.complaint(
        text="پرونده من سه ماه مانده است.",
        place=PLACE,
        happened_on="1405-08-20",
        reference="۱۲/۳۴",
        people=["کارمند نمونه"],
    )
    case_id = case.view()["case_id"]
    good(case.holder.post("/v1/tracking/messages", {"text": "باز هم مراجعه کردم."}))
    view = good(citizen.get(f"/v1/me/cases/{case_id}") if signed_in else case.holder.get("/v1/tracking"))
    filed = view["filed"]
    assert filed["text"] == "پرونده من سه ماه مانده است."
    assert filed["place"] == PLACE
    assert (filed["reference"], filed["people"], filed["happened_text"]) == ("۱۲/۳۴", ["کارمند نمونه"], "۲۰ آبان ۱۴۰۵")
    assert (view["kind"], view["ground"], view["anonymous"]) == ("complaint", "delay", False)
    assert view["unit_name_fa"]
    assert message_of(view)["text"] == "باز هم مراجعه کردم."
    assert "نمونه" not in str({**view, "filed": None})  # the name stays sealed


def test_ones_contact_is_shown_masked_to_who_filed_it_signed_in_and_to_nobody_else(town: Town) -> None:
    case, phone, citizen = town.complaint(identity={"name": "شاکی نمونه"})
    path = f"/v1/me/cases/{case.view()['case_id']}/contact"
    shown = {"name": "شاکی نمونه", "mobile_end": phone.mobile[-4:], "national_id_end": None}
    assert good(citizen.get(path)) == shown
    _, _, stranger = town.complaint()
    refused(stranger.get(path), 404, "unknown_case")
    refused(case.holder.get(path), 401, "not_authenticated")
    refused(town.officer("head").caller.get(path), 403, "not_allowed")


def write(who: Caller, base: str, text: str, **more: object) -> JSON:
    view: JSON = good(who.post(f"{base}/messages", {"text": text, **more}))
    return view


def test_a_message_reaches_the_handler_while_the_case_is_open(town: Town) -> None:
    case, _, citizen = town.complaint()
    inspector = town.assigned(case)
    case_id = str(case.view()["case_id"])
    number = inspector.read(case_id)["number"]
    photo, key = case.holder.upload(media_samples.photo()), uuid.uuid4().hex
    body = {"text": "امروز هم رفتم و کسی پاسخ نداد.", "uploads": [photo]}
    first = good(citizen.post(f"/v1/me/cases/{case_id}/messages", body, key=key))
    again = good(citizen.post(f"/v1/me/cases/{case_id}/messages", body, key=key))
    assert first["version"] == again["version"]
    assert first["stage"] == "investigating"
    assert first["messages_left"] == 49
    is_told(inspector, f"شهروند در پرونده \u2066{number}\u2069 پیامی نوشت.")
    seen = inspector.read(case_id)
    assert [line["details"]["text"] for line in seen["timeline"] if line["entry"] == "message_sent"] == [body["text"]]
    assert photo in [attachment["media_id"] for attachment in seen["attachments"]]

    inspector.do(case_id, "proposal", outcome="not_upheld", reasons="بررسی شد.")
    town.officer("head").do(case_id, "approval")
    assert case.view_at("decided")["messages_left"] == 0
    refused(case.holder.post("/v1/tracking/messages", {"text": "دیر شد"}), 409, "wrong_stage")


def test_a_message_is_corrected_and_taken_back_within_an_hour(town: Town) -> None:
    case = town.report()
    inspector = town.assigned(case)
    case_id = str(case.view()["case_id"])
    sent = message_of(write(case.holder, "/v1/tracking", "روز دوم بود."))
    until = datetime.fromisoformat(sent["can_correct_until"])
    assert until - datetime.fromisoformat(sent["at"]) == timedelta(hours=1)
    inspector.read(case_id)
    body = {"message_id": sent["message_id"], "text": "روز سوم بود."}
    corrected = message_of(good(case.holder.post("/v1/tracking/messages/correction", body)))
    assert (corrected["text"], bool(corrected["corrected_text"])) == ("روز سوم بود.", True)
    lines = {line["entry"]: line["details"] for line in inspector.read(case_id)["timeline"]}
    assert lines["message_sent"]["text"] == "روز دوم بود."
    assert lines["message_corrected"]["text"] == "روز سوم بود."
    number = inspector.read(case_id)["number"]
    is_told(inspector, f"شهروند چیزی را که برای پرونده \u2066{number}\u2069 فرستاده بود اصلاح کرد یا پس گرفت.")
    withdrawn = good(case.holder.post("/v1/tracking/messages/withdrawal", {"message_id": sent["message_id"]}))
    assert (message_of(withdrawn)["text"], bool(message_of(withdrawn)["withdrawn_text"])) == (None, True)
    refused(case.holder.post("/v1/tracking/messages/correction", body), 409, "too_late")


def test_what_was_filed_is_corrected_until_the_office_begins_to_read(town: Town) -> None:
    case, _, citizen = town.complaint(text="پرونده من سه ماه مانده است.")
    view = case.view()
    base = f"/v1/me/cases/{view['case_id']}"
    assert view["filed"]["can_correct_until"]
    body = {"text": "پرونده من چهار ماه مانده است.", "place": PLACE}
    corrected = good(citizen.post(f"{base}/filed/correction", body))
    assert (corrected["filed"]["text"], corrected["filed"]["place"]) == (body["text"], PLACE)
    assert case.view()["filed"]["corrected_text"]
    screener = town.officer("screener")
    seen = screener.read(view["case_id"])
    assert (seen["text"], bool(seen["filed_corrected_at"])) == (body["text"], True)
    [former] = [line["details"] for line in seen["timeline"] if line["entry"] == "filed_corrected"]
    assert former["former_text"] == "پرونده من سه ماه مانده است."
    screener.do(view["case_id"], "screening")
    refused(citizen.post(f"{base}/filed/correction", {"text": "دیگر نمی‌شود."}), 409, "too_late")
    assert case.view()["filed"]["can_correct_until"] is None
    receipt = {"submission_id": case.submission_id}  # what the receipt vouches for is what was filed
    assert good(case.holder.post("/v1/receipts/check", receipt))["registered"] is True


def test_a_file_is_taken_back(town: Town) -> None:
    case: Case = town.report()
    photo = case.holder.upload(media_samples.photo())
    case.view()
    good(case.holder.post("/v1/tracking/attachments", {"uploads": [photo]}))

    def accepted() -> bool:
        state: str = good(case.holder.get("/v1/tracking"))["attachments"][0]["state"]
        return state == "accepted"

    eventually(accepted)
    path = f"/v1/tracking/attachments/{photo}"
    assert case.holder.get(path).status_code == 200
    [attachment] = good(case.holder.post("/v1/tracking/attachments/withdrawal", {"media_id": photo}))["attachments"]
    assert (attachment["state"], bool(attachment["withdrawn_text"])) == ("removed", True)
    refused(case.holder.get(path), 404, "unknown_case")
    [seen] = town.officer("head").read(case.view()["case_id"])["attachments"]
    assert (seen["state"], bool(seen["withdrawn_at"])) == ("removed", True)

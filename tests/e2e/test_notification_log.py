"""The office reads what became of its messages, sends one again, and sees a text as its reader would."""

from __future__ import annotations

import pytest

from tests.e2e.people import JSON, Town, good
from tests.e2e.test_configuration import wrong
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)

LOG = "/v1/notifications"


def test_a_head_finds_a_message_that_failed_and_has_it_sent_again(town: Town) -> None:
    head, administrator = town.officer("head").caller, town.officer("administrator").caller
    case, phone, _ = town.complaint()
    case_id = case.view()["case_id"]
    number = town.officer("head").read(case_id)["number"]
    town.control.post("/_control/faults", json={"mode": "lose", "count": 1}).raise_for_status()
    good(case.holder.post("/v1/tracking/withdrawal", {}))

    def failed() -> JSON:
        items: list[JSON] = good(head.get(LOG, number=number, state="undelivered"))["items"]
        assert len(items) == 1
        return items[0]

    message = eventually(failed)
    assert (message["channel"], message["template"], message["audience"]) == ("sms", "withdrawn", "citizen")
    assert (message["case_number"], message["resendable"], message["provider"]) == (number, True, "kavenegar")
    everything = str(good(head.get(LOG, case_id=case_id)))
    for secret in (phone.mobile, phone.mobile[-4:], case.code, case.dashed):
        assert secret not in everything
    # An administrator sees that it failed, and not of which case.
    seen = [
        item
        for item in good(administrator.get(LOG, state="undelivered", limit=100))["items"]
        if item["notification_id"] == message["notification_id"]
    ]
    assert [(item["case_id"], item["case_number"]) for item in seen] == [(None, None)]
    assert administrator.get(LOG, number=number).status_code == 403
    for role in ("inspector", "screener", "operator", "analyst", "custodian"):
        assert town.officer(role).caller.get(LOG).status_code == 403

    path = f"{LOG}/{message['notification_id']}/resend"
    assert good(head.post(path, {}, key="resend-it-once"), 202)["resends"] == 1
    assert good(head.post(path, {}, key="resend-it-once"), 202)["resends"] == 1
    assert case.dashed in phone.next()
    assert head.post(path, {}).json()["code"] == "not_resendable"

    # Who read and who sent again is in the audit.
    auditor = town.officer("auditor").caller

    def audited() -> bool:
        entries = good(auditor.get("/v1/audit", person=town.officer("head").staff_id, limit=100))["items"]
        assert {"list_notifications", "resend_notification"} <= {entry["command"] for entry in entries}
        return True

    eventually(audited)


def test_the_log_comes_by_pages_and_filters(town: Town) -> None:
    head = town.officer("head").caller
    case, _, _ = town.complaint()
    case.view()
    first = good(head.get(LOG, limit=1))
    assert len(first["items"]) == 1
    second = good(head.get(LOG, limit=1, after=first["next"]))
    assert second["items"] != first["items"]
    assert {item["channel"] for item in good(head.get(LOG, channel="inbox"))["items"]} == {"inbox"}
    assert good(head.get(LOG, until="1400/01/01"))["items"] == []
    assert head.get(LOG, state="lost").status_code == 422


def test_an_administrator_sees_a_text_as_its_reader_would(town: Town) -> None:
    administrator = town.officer("administrator").caller
    path = "/v1/notification-texts/sms/withdrawn/preview"
    shown = good(administrator.request("POST", path, json={"text_fa": "{kind}\n{code}", "text_en": "{kind}\n{code}"}))
    assert (shown["fa"]["text"], shown["fa"]["parts"], shown["most_parts"]) == ("شکایت\n4821-0937-5518-2604", 1, 2)
    assert (shown["en"]["encoding"], shown["values_en"]["kind"]) == ("gsm", "complaint")
    unknown = administrator.request("POST", path, json={"values": {"mobile": "0912"}})
    assert set(wrong(unknown)) == {"values"}
    assert town.officer("head").caller.request("POST", path, json={}).status_code == 403

"""A partner system is told of a case by webhook, over the API: from its subscription to its end."""

from __future__ import annotations

import pytest

from tests.e2e.people import JSON, Town, good
from tests.e2e.test_configuration import send, wrong
from tests.support.partner import Partner, Received, open_partner
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)

PATH = "/v1/webhook-subscriptions"
EVENTS = ["case.opened", "case.stage_changed", "case.assigned"]


def test_a_partner_is_told_of_a_case_and_of_nobody_in_it(town: Town) -> None:
    administrator = town.officer("administrator").caller
    with open_partner("127.0.0.2") as partner:
        body = {"name": "سامانه ۱۳۷", "url": partner.url, "events": EVENTS}
        for url in (
            "http://127.0.0.1:15672/api",
            "https://169.254.169.254/latest",
            "https://[::1]/",
            "https://2130706433/",
        ):
            assert set(wrong(administrator.post(PATH, {**body, "url": url}))) == {"url"}
        for role in ("head", "custodian", "analyst"):
            assert town.officer(role).caller.post(PATH, body).status_code == 403
        made = good(administrator.post(PATH, body), 201)
        one = f"{PATH}/{made['subscription_id']}"

        # It works: a test delivery arrives, and the log says so.
        tested = good(administrator.post(f"{one}/test", {}), 202)
        [test] = eventually(lambda: received(partner, "webhook.test"))
        assert test.id == tested["delivery_id"]
        assert test.is_signed_by(made["secret"])

        case, phone, _ = town.complaint()
        town.assigned(case)
        report = town.report()
        report.view()
        opened = eventually(lambda: told_of_three(partner))
        assert all(delivery.is_signed_by(made["secret"]) for delivery in opened)
        [reference] = {delivery.body["data"]["case"] for delivery in opened if delivery.body["type"] == "case.opened"}
        of_case = [delivery.body["data"] for delivery in opened if delivery.body["data"]["case"] == reference]
        assert {data["kind"] for data in of_case} == {"complaint"}
        sent = " ".join(delivery.content.decode() for delivery in partner.received)
        for secret in (case.code, phone.mobile, case.submission_id, "شاکی نمونه", "information"):
            assert secret not in sent

        # The secret is never shown again, and a rotation leaves the old one for a while.
        listed = good(administrator.get(PATH))["items"]
        assert made["secret"] not in str(listed)
        rotated = good(administrator.post(f"{one}/secret", {"overlap_hours": 1}))
        first = opened[0].id
        assert good(administrator.post(f"{one}/replay", {"delivery_id": first}), 202) == {"replayed": 1}
        again = eventually(lambda: [delivery for delivery in partner.received if delivery.id == first][1:])[0]
        assert again.is_signed_by(made["secret"])
        assert again.is_signed_by(rotated["secret"])

        # A partner that is gone is paused and listed; administrators find it in their inbox.
        partner.status = 410
        other, _, _ = town.complaint()
        other.view()
        failing = eventually(
            lambda: good(administrator.get(one)) if is_failing(administrator.get(one).json()) else None
        )
        assert (failing["last_error"], good(administrator.get(PATH))["items"][0]["subscription_id"]) == (
            "gone",
            made["subscription_id"],
        )
        assert eventually(lambda: "سامانه ۱۳۷" in str(good(administrator.get("/v1/messages"))))
        page = good(administrator.get(f"{one}/deliveries", limit=1, state="delivered"))
        assert page["next"]
        assert good(administrator.get(f"{one}/deliveries", after=page["next"]))["items"]

        # An old version changes nothing; the right one resumes it, and what waited arrives.
        change = {**body, "active": True}
        assert send(administrator, "PUT", one, change, version=1).status_code == 412
        partner.status = 204
        resumed = good(send(administrator, "PUT", one, change, version=failing["version"]))
        assert resumed["state"] == "active"
        assert eventually(
            lambda: good(administrator.get(one))["last_success_at"] > failing["last_success_at"], timeout=40
        )
        ended = send(administrator, "DELETE", one, None, version=good(administrator.get(one))["version"])
        assert ended.status_code == 204
        assert administrator.get(one).status_code == 404


def received(partner: Partner, kind: str) -> list[Received]:
    return [delivery for delivery in partner.received if delivery.body["type"] == kind]


def told_of_three(partner: Partner) -> list[Received]:
    """What was received of a case, once its three events have arrived."""
    told = [delivery for delivery in partner.received if delivery.body["data"]]
    assert set(EVENTS) <= {delivery.body["type"] for delivery in told}
    return told


def is_failing(subscription: JSON) -> bool:
    return bool(subscription["state"] == "failing")

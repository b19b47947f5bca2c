"""Web push from the browser's side: it subscribes, is told that there is news, and reads it by the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.people import JSON, Caller, Town, good
from tests.e2e.test_configuration import wrong
from tests.support.processes import eventually
from tests.support.push_service import Browser, Pushed, PushService, open_push_service

pytestmark = pytest.mark.timeout(300)

DEVICES = "/v1/push/subscriptions"


@pytest.fixture
def service(town: Town) -> Iterator[PushService]:
    with open_push_service("127.0.0.3") as opened:
        opened.server_key = good(town.caller().get("/v1/push/key"))["key"]
        yield opened


def subscribe(who: Caller, browser: Browser) -> JSON:
    # By a code: once notify, too, has heard of its case.
    device: JSON = eventually(lambda: good(who.request("POST", DEVICES, json=browser.subscription()), 201))
    return device


def pushed(service: PushService, browser: Browser, count: int = 1) -> list[Pushed]:
    """What the browser has been sent, once it is so much."""

    def arrived() -> list[Pushed]:
        sent = service.of(browser)
        assert len(sent) >= count
        return sent

    sent = eventually(arrived)
    assert len(sent) == count
    return sent


def test_a_citizen_is_told_on_their_device_and_reads_what_it_is_about(town: Town, service: PushService) -> None:
    case, phone, citizen = town.complaint()
    case.view()
    browser = service.browser()
    device = subscribe(citizen, browser)
    assert subscribe(citizen, browser)["subscription_id"] == device["subscription_id"]
    assert device["service"] == "127.0.0.3"
    assert browser.name not in str(good(citizen.get(DEVICES)))
    inspector = town.assigned(case)
    case_id = case.view()["case_id"]
    inspector.do(case_id, "citizen-questions", text="چه روزی مراجعه کردید؟")
    [news] = pushed(service, browser)
    assert news.payload["title"] == "پیگیر: خبر تازه‌ای از پرونده شما"
    assert set(news.payload) == {"title", "lang", "dir", "message_id"}
    for secret in (case.code, case.code[-4:], phone.mobile, case_id):
        assert secret not in str(news.payload) + str(news.headers)
    messages = {item["id"]: item for item in good(citizen.get("/v1/me/messages"))["items"]}
    assert messages[news.payload["message_id"]]["template"] == "question_asked"
    assert service.problems == []

    # Taken back: no more.
    assert citizen.request("DELETE", f"{DEVICES}/{device['subscription_id']}").status_code == 204
    assert good(citizen.get(DEVICES))["items"] == []
    assert citizen.request("DELETE", f"{DEVICES}/{device['subscription_id']}").status_code == 404


def test_whoever_holds_a_code_is_told_of_its_case_alone(town: Town, service: PushService) -> None:
    report, other = town.report(), town.report()
    report.view()
    other.view()
    browser = service.browser()
    subscribe(report.holder, browser)
    assert eventually(lambda: good(other.holder.get(DEVICES)))["items"] == []
    good(other.holder.post("/v1/tracking/withdrawal", {}))
    good(report.holder.post("/v1/tracking/withdrawal", {}))
    [news] = pushed(service, browser)
    inbox = {item["id"]: item["template"] for item in good(report.holder.get("/v1/tracking/messages"))["items"]}
    assert inbox[news.payload["message_id"]] == "withdrawn"


def test_staff_are_told_of_their_inbox(town: Town, service: PushService) -> None:
    inspector = town.officer("inspector")
    browser = service.browser()
    device = subscribe(inspector.caller, browser)
    try:
        case, _, _ = town.complaint()
        town.assigned(case)
        news = eventually(lambda: service.of(browser)[-1:])[0]
        assert news.payload["title"] == "پیگیر: پیام تازه‌ای در صندوق شما"
    finally:
        inspector.caller.request("DELETE", f"{DEVICES}/{device['subscription_id']}")


def test_a_device_that_is_gone_is_forgotten_and_the_result_comes_by_sms(town: Town, service: PushService) -> None:
    case, phone, citizen = town.complaint()
    case.view()
    browser = service.browser()
    subscribe(citizen, browser)
    good(citizen.request("PUT", "/v1/me/preferences", json={"channel": "push"}))
    service.forget(browser)
    good(case.holder.post("/v1/tracking/withdrawal", {}))
    assert eventually(lambda: good(citizen.get(DEVICES))["items"] == [])
    subscribe(citizen, other := service.browser())
    second = town.file(
        citizen,
        kind="complaint",
        unit="dep.urb.permits",
        ground="delay",
        text="پرونده دیگرم دو ماه مانده است.",
        identity={"name": "شاکی نمونه"},
    )
    assert second.dashed in phone.next(), "a code comes by SMS, since no push has it"
    pushed(service, other)
    service.forget(other)
    town.officer("screener").do(second.view()["case_id"], "screening")
    refusing = {"reason": "repeat", "explanation": "پیش از این پاسخ داده شده است."}
    town.officer("screener").do(second.view()["case_id"], "refusal", **refusing)
    assert second.dashed in phone.next(), "the device is gone: what is owed goes by SMS"


def test_nothing_is_pushed_to_an_address_that_is_no_push_services(town: Town, service: PushService) -> None:
    report = town.report()
    report.view()
    subscription = service.browser().subscription()
    subscribe(report.holder, service.browser())  # notify has heard of the case
    for endpoint in ("http://127.0.0.1:15672/api", "https://169.254.169.254/x", "https://partner.example/push"):
        answer = report.holder.request("POST", DEVICES, json={**subscription, "endpoint": endpoint})
        assert wrong(answer) == {"endpoint": "no_push_service"}
    assert town.caller().get(DEVICES).status_code == 401
    assert town.caller().request("POST", DEVICES, json=subscription).status_code == 401

"""Devices, preferences, the log and operations over HTTP: who is asked for, and who is refused before anybody is asked."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts import tracking_codes
from contracts.base import Request, now
from contracts.errors import StillRegistering, Unavailable
from contracts.notification_log import ListNotifications, Notifications
from contracts.operations import Queues, QueueStatus, ServiceStatus
from contracts.preferences import ChangePreferences, Preferences, PreferredChannel
from contracts.push import PushKey, PushSubscription, SubscribePush
from contracts.vocabulary import ActorKind
from tests.support.gateway import Gateway, bearer
from tests.support.push_service import Browser

ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/x"
DEVICES = "/v1/push/subscriptions"


@pytest.fixture
def calls(unlimited_gateway: Gateway) -> list[Any]:
    """What the services were asked."""
    asked: list[Any] = []
    unlimited_gateway.rabbit.reset()
    answers = unlimited_gateway.rabbit.answers

    def answering(answer: Any) -> Any:
        def answered(request: Request) -> Any:
            asked.append(request)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return answered

    device = PushSubscription(subscription_id=uuid4(), service="push.example", created_at=now())
    answers["notify.subscribe_push"] = answering(device)
    answers["notify.get_push_key"] = answering(PushKey(key="B" * 87))
    preferences = Preferences(channel=PreferredChannel.PUSH, chosen=True)
    answers["notify.change_preferences"] = answering(preferences)
    answers["notify.list_notifications"] = answering(Notifications(items=[]))
    answers["accounts.read_queues"] = answering(
        Queues(items=[QueueStatus(name="notify.cases", waiting=3, consumers=1)])
    )
    status = ServiceStatus(version="1", revision="0002_b", known_revision="0002_b", outbox_waiting=0)
    for service in ("intake", "media", "tracking", "notify", "accounts"):
        answers[f"{service}.read_status"] = answering(status)
    answers["insight.read_status"] = answering(Unavailable(retry_after=5))
    return asked


def device(**more: Any) -> dict[str, Any]:
    browser = Browser(endpoint=ENDPOINT)
    return {**browser.subscription(), **more}


def code_of(gateway: Gateway) -> str:
    return tracking_codes.mint([bytes.fromhex(gateway.keys.environment["CODE_MAC_KEYS"])])


def test_a_device_is_of_who_is_signed_in_or_of_the_code_that_is_shown(
    unlimited_gateway: Gateway, calls: list[Any]
) -> None:
    citizen = bearer(unlimited_gateway.keys.citizen())
    staff = bearer(unlimited_gateway.keys.staff("inspector"))
    by_code = {"Tracking-Code": code_of(unlimited_gateway)}
    for headers in (citizen, staff, by_code, citizen | by_code):
        answer = unlimited_gateway.send("POST", DEVICES, json=device(expirationTime=1_900_000_000_000), headers=headers)
        assert answer.status_code == 201, answer.text
    kinds = [(request.actor.kind, bool(request.code_hashes)) for request in calls]
    assert kinds == [
        (ActorKind.CITIZEN, False),
        (ActorKind.STAFF, False),
        (ActorKind.BEARER, True),
        (ActorKind.BEARER, True),
    ]
    first = calls[0]
    assert isinstance(first, SubscribePush)
    assert (first.endpoint, first.expirationTime) == (ENDPOINT, 1_900_000_000_000)


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Authorization": "Bearer x"}, 401), ({"Tracking-Code": "1234567812345678"}, 404)],
)
def test_nobody_else_subscribes(
    unlimited_gateway: Gateway, calls: list[Any], headers: dict[str, str], status: int
) -> None:
    for method in ("POST", "GET"):
        answer = unlimited_gateway.send(method, DEVICES, json=device() if method == "POST" else None, headers=headers)
        assert answer.status_code == status
    assert calls == []


@pytest.mark.parametrize(
    "more",
    [
        {"endpoint": ""},
        {"endpoint": "https://a b"},
        {"keys": {}},
        {"keys": {"p256dh": "x", "auth": "y"}},
        {"expirationTime": "soon"},
        {"expirationTime": -1},
        {"more": 1},
    ],
)
def test_what_is_no_subscription_is_refused(unlimited_gateway: Gateway, calls: list[Any], more: dict[str, Any]) -> None:
    headers = bearer(unlimited_gateway.keys.citizen())
    assert unlimited_gateway.send("POST", DEVICES, json=device(**more), headers=headers).status_code == 422
    assert calls == []


def test_keys_may_be_padded(unlimited_gateway: Gateway, calls: list[Any]) -> None:
    headers = bearer(unlimited_gateway.keys.citizen())
    subscription = device()
    padded = {"p256dh": subscription["keys"]["p256dh"] + "=", "auth": subscription["keys"]["auth"] + "=="}
    sent = {**subscription, "keys": padded}
    assert unlimited_gateway.send("POST", DEVICES, json=sent, headers=headers).status_code == 201
    assert calls[0].keys.model_dump() == subscription["keys"]


def test_everybody_is_given_the_key(unlimited_gateway: Gateway, calls: list[Any]) -> None:
    assert unlimited_gateway.send("GET", "/v1/push/key").json() == {"key": "B" * 87}
    assert len(calls) == 1


def test_preferences_are_of_the_account_or_of_the_codes_case(unlimited_gateway: Gateway, calls: list[Any]) -> None:
    body = {"channel": "push", "language": "en", "quiet": {"start": "22:30", "until": "08:00"}}
    own = unlimited_gateway.send(
        "PUT", "/v1/me/preferences", json=body, headers=bearer(unlimited_gateway.keys.citizen())
    )
    by_code = unlimited_gateway.send(
        "PUT", "/v1/tracking/preferences", json=body, headers={"Tracking-Code": code_of(unlimited_gateway)}
    )
    assert (own.status_code, by_code.status_code) == (200, 200), own.text
    account, case = calls
    assert isinstance(account, ChangePreferences)
    assert (account.code_hashes, bool(case.code_hashes)) == ([], True)
    assert account.quiet is not None
    assert (account.quiet.start, account.quiet.until) == ("22:30", "08:00")
    assert unlimited_gateway.send("GET", "/v1/me/preferences").status_code == 401
    assert unlimited_gateway.send("GET", "/v1/tracking/preferences").status_code == 422


def test_before_the_case_is_there_it_is_said_so(unlimited_gateway: Gateway, calls: list[Any]) -> None:
    def registering(_: Request) -> Any:
        raise StillRegistering

    unlimited_gateway.rabbit.answers["notify.change_preferences"] = registering
    headers = {"Tracking-Code": code_of(unlimited_gateway)}
    answer = unlimited_gateway.send("PUT", "/v1/tracking/preferences", json={"channel": "sms"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "still_registering")


@pytest.mark.parametrize("role", ["inspector", "screener", "operator", "analyst", "custodian", "auditor", "liaison"])
def test_the_log_and_operations_are_refused_before_anybody_is_asked(
    unlimited_gateway: Gateway, calls: list[Any], role: str
) -> None:
    headers = bearer(unlimited_gateway.keys.staff(role))
    for path in ("/v1/notifications", "/v1/operations/status", "/v1/operations/dead-letters"):
        assert unlimited_gateway.send("GET", path, headers=headers).status_code == 403
    assert calls == []


def test_the_log_takes_jalali_days_and_numbers(unlimited_gateway: Gateway, calls: list[Any]) -> None:
    headers = bearer(unlimited_gateway.keys.staff("head"))
    case_id = UUID(int=7)
    query = f"since=1405/09/01&until=1405/09/05&state=failed&channel=sms&case_id={case_id}&number=1405-000123&limit=7"
    assert unlimited_gateway.send("GET", f"/v1/notifications?{query}", headers=headers).status_code == 200
    [request] = calls
    assert isinstance(request, ListNotifications)
    assert (str(request.since), str(request.until), request.limit) == ("2026-11-22", "2026-11-26", 7)
    assert (request.number, request.case_id) == ("1405-000123", case_id)


def test_the_status_names_what_does_not_answer_and_tells_the_rest(unlimited_gateway: Gateway, calls: list[Any]) -> None:
    headers = bearer(unlimited_gateway.keys.staff("administrator"))
    status = unlimited_gateway.send("GET", "/v1/operations/status", headers=headers).json()
    services = {service["name"]: service for service in status["services"]}
    assert services["insight"] == {"name": "insight", "status": None, "migrated": None}
    assert services["tracking"]["migrated"] is True
    assert status["queues"] == [{"name": "notify.cases", "waiting": 3, "consumers": 1}]

    def away(_: Request) -> Any:
        raise Unavailable(retry_after=5)

    unlimited_gateway.rabbit.answers["accounts.read_queues"] = away
    assert unlimited_gateway.send("GET", "/v1/operations/status", headers=headers).json()["queues"] is None
    assert calls

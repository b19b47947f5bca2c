"""What SMS providers push, in whatever shape: taken once, sealed, and never a server error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backbone import sealing
from contracts.gateway import InboundSms, ReceiveSms, ReportDelivery
from tests.support.gateway import UNLIMITED, Gateway


@pytest.fixture(scope="module")
def only_one(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return Gateway(tmp_path_factory.mktemp("state"), **UNLIMITED)


@pytest.fixture
def gateway(only_one: Gateway) -> Gateway:
    only_one.rabbit.published.clear()
    only_one.rabbit.up = True
    return only_one


def path(gateway: Gateway, what: str = "inbound") -> str:
    return f"/v1/webhooks/sms/{gateway.keys.environment['SMS_WEBHOOK_SECRET']}/{what}"


def opened(gateway: Gateway) -> InboundSms:
    command = ReceiveSms.model_validate_json(gateway.rabbit.published[-1].body)
    return sealing.unseal(
        command.sealed_message, InboundSms, [bytes.fromhex(gateway.keys.environment["NOTIFY_PRIVATE_KEYS"])]
    )


@pytest.mark.parametrize(
    "push",
    [
        {"method": "GET", "params": {"from": "09121234567", "to": "1000", "message": "سلام", "messageid": "77"}},
        {"method": "GET", "params": {"FROM": "+989121234567", "To": "1000", "Body": "سلام", "id": "77"}},
        {"method": "POST", "data": {"sender": "989121234567", "receptor": "1000", "text": "سلام", "messageId": "77"}},
        {"method": "POST", "json": {"Sender": "۰۹۱۲۱۲۳۴۵۶۷", "message": "سلام", "messageid": 77}},
        {"method": "POST", "json": [{"from": "09121234567", "body": "سلام", "messageid": 77}]},
        {
            "method": "POST",
            "content": json.dumps({"from": "09121234567", "message": "سلام", "messageid": "77"}),
            "headers": {"content-type": "text/plain"},
        },
    ],
)
def test_a_text_is_taken_in_any_shape(gateway: Gateway, push: dict[str, Any]) -> None:
    method = push.pop("method")
    answer = gateway.send(method, path(gateway), **push)

    assert (answer.status_code, answer.text) == (200, "OK")
    assert opened(gateway) == InboundSms(mobile="+989121234567", text="سلام")
    command = ReceiveSms.model_validate_json(gateway.rabbit.published[-1].body)
    assert (command.provider, command.provider_message_id) == ("kavenegar", "77")
    assert b"9121234567" not in gateway.rabbit.published[-1].body


def test_without_an_id_a_repetition_has_the_same_one(gateway: Gateway) -> None:
    for text in ("سلام", "سلام", "درود"):
        gateway.send("GET", path(gateway), params={"from": "09121234567", "message": text})
    ids = [body["provider_message_id"] for body in gateway.rabbit.bodies()]

    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("status", ["10", 10, "۱۰", "-1"])
def test_a_delivery_report_is_taken(gateway: Gateway, status: Any) -> None:
    answer = gateway.send("POST", path(gateway, "delivery"), json={"messageid": 901, "status": status})

    assert answer.status_code == 200
    command = ReportDelivery.model_validate_json(gateway.rabbit.published[-1].body)
    assert (command.provider_message_id, command.status) == ("901", -1 if status == "-1" else 10)


def test_another_secret_is_nowhere(gateway: Gateway) -> None:
    for secret in ("wrong", "x" * 500, "%D9%81"):
        answer = gateway.send("POST", f"/v1/webhooks/sms/{secret}/inbound", json={"from": "0912", "message": "x"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert gateway.rabbit.published == []


def test_what_could_not_be_stored_is_pushed_again(gateway: Gateway) -> None:
    gateway.rabbit.up = False
    answer = gateway.send("GET", path(gateway), params={"from": "09121234567", "message": "سلام"})

    assert answer.status_code == 503
    assert "retry-after" in answer.headers


def test_a_sender_that_nobody_can_answer_is_passed_over(gateway: Gateway) -> None:
    answer = gateway.send("GET", path(gateway), params={"from": "BANK", "message": "سلام"})

    assert (answer.status_code, gateway.rabbit.published) == (200, [])


def test_a_very_long_text_still_fits_when_sealed(gateway: Gateway) -> None:
    answer = gateway.send("POST", path(gateway), data={"from": "09121234567", "message": "سلام " * 1_500})

    assert answer.status_code == 200
    assert opened(gateway).text.startswith("سلام ")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/json", 422),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"[" * 16_000, "application/json", 400),
        (b"\xff\xff=\xff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % at for at in range(200)), "application/x-www-form-urlencoded", 400),
        (b'{"from":{"a":1},"message":["x"]}', "application/json", 422),
        (b'{"from":"09121234567","message":"\\ud800"}', "application/json", 200),
        (b'{"from":"09121234567","message":"a\\u0000b"}', "application/json", 200),
        (b"x" * 70_000, "text/plain", 413),
    ],
)
def test_nonsense_is_a_clear_error(gateway: Gateway, content: bytes, kind: str, status: int) -> None:
    answer = gateway.send("POST", path(gateway), content=content, headers={"content-type": kind})

    assert answer.status_code == status, answer.text

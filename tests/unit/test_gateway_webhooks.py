"""What SMS providers push: authenticated, bounded, sealed to notify as it came, and never a server error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backbone import sealing
from contracts.gateway import PushKind, ReceiveSmsPush, SmsPush
from tests.support.gateway import UNLIMITED, Gateway


@pytest.fixture(scope="module")
def only_one(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return Gateway(tmp_path_factory.mktemp("state"), sms_providers=["kavenegar", "other"], **UNLIMITED)


@pytest.fixture
def gateway(only_one: Gateway) -> Gateway:
    only_one.rabbit.published.clear()
    only_one.rabbit.up = True
    return only_one


def secret(gateway: Gateway) -> str:
    return gateway.keys.environment["SMS_WEBHOOK_SECRET"]


def path(gateway: Gateway, kind: str = "inbound", provider: str = "kavenegar") -> str:
    return f"/v1/webhooks/sms/{provider}/{secret(gateway)}/{kind}"


def published(gateway: Gateway) -> tuple[str, SmsPush]:
    """The provider of the last push, and what was sealed."""
    command = ReceiveSmsPush.model_validate_json(gateway.rabbit.published[-1].body)
    keys = [bytes.fromhex(gateway.keys.environment["NOTIFY_PRIVATE_KEYS"])]
    return command.provider, sealing.unseal(command.sealed_push, SmsPush, keys)


JSON = json.dumps({"Sender": "۰۹۱۲۱۲۳۴۵۶۷", "message": "سلام", "messageid": 77}).encode()


@pytest.mark.parametrize(
    ("push", "sealed"),
    [
        (
            {"method": "GET", "params": {"from": "09121234567", "message": "hello"}},
            {"query": "from=09121234567&message=hello"},
        ),
        (
            {"method": "POST", "data": {"sender": "989121234567", "text": "hello"}},
            {"content_type": "application/x-www-form-urlencoded", "body": b"sender=989121234567&text=hello"},
        ),
        (
            {"method": "POST", "content": JSON, "headers": {"content-type": "application/json"}},
            {"content_type": "application/json", "body": JSON},
        ),
        ({"method": "POST", "content": b"\xff\xff=\xff[[["}, {"body": b"\xff\xff=\xff[[["}),
        ({"method": "POST"}, {}),
    ],
)
@pytest.mark.parametrize(("kind", "provider"), [("inbound", "kavenegar"), ("delivery", "other")])
def test_a_push_is_sealed_as_it_came(
    gateway: Gateway, push: dict[str, Any], sealed: dict[str, Any], kind: str, provider: str
) -> None:
    answer = gateway.send(path=path(gateway, kind, provider), **push)

    assert (answer.status_code, answer.text) == (200, "OK")
    assert published(gateway) == (provider, SmsPush(kind=PushKind(kind), **sealed))
    assert b"9121234567" not in gateway.rabbit.published[-1].body


@pytest.mark.parametrize("kind", ["inbound", "delivery"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_without_a_provider_is_the_first_ones(gateway: Gateway, method: str, kind: str) -> None:
    answer = gateway.send(method, f"/v1/webhooks/sms/{secret(gateway)}/{kind}", params={"messageid": "1"})

    assert (answer.status_code, answer.text) == (200, "OK")
    assert published(gateway) == ("kavenegar", SmsPush(kind=PushKind(kind), query="messageid=1"))


@pytest.mark.parametrize("given", ["wrong", "x" * 500, "%D9%81"])
@pytest.mark.parametrize("provider", ["", "kavenegar/", "nobody/"])
def test_another_secret_is_nowhere(gateway: Gateway, given: str, provider: str) -> None:
    pushed = {"from": "0912", "message": "x"}
    answer = gateway.send("POST", f"/v1/webhooks/sms/{provider}{given}/inbound", json=pushed)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert gateway.rabbit.published == []


def test_a_provider_that_is_not_configured_is_nowhere(gateway: Gateway) -> None:
    answer = gateway.send("POST", path(gateway, provider="nobody"), json={"message": "x"})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert gateway.rabbit.published == []


def test_an_unknown_kind_is_nowhere(gateway: Gateway) -> None:
    assert gateway.send("POST", path(gateway, "voice")).status_code == 404
    assert gateway.rabbit.published == []


def test_what_could_not_be_stored_is_pushed_again(gateway: Gateway) -> None:
    gateway.rabbit.up = False
    answer = gateway.send("GET", path(gateway), params={"from": "09121234567", "message": "سلام"})

    assert answer.status_code == 503
    assert "retry-after" in answer.headers


@pytest.mark.parametrize(("size", "status"), [(65_536, 200), (65_537, 413)])
def test_a_push_is_bounded_and_the_largest_one_fits_when_sealed(gateway: Gateway, size: int, status: int) -> None:
    answer = gateway.send("POST", path(gateway), content=b"x" * size, headers={"content-type": "t" * 500})

    assert answer.status_code == status
    assert len(gateway.rabbit.published) == (status == 200)

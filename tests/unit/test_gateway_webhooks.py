"""What SMS providers push: authenticated, bounded, sealed to notify as it came, and never a server error."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from pydantic import ValidationError

from backbone import sealing
from contracts.gateway import PushKind, ReceiveSmsPush, SmsPush
from gateway.settings import Settings
from tests.support.gateway import UNLIMITED, Gateway, Keys


@pytest.fixture(scope="module")
def module_gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return Gateway(tmp_path_factory.mktemp("state"), sms_providers=["kavenegar", "other"], **UNLIMITED)


@pytest.fixture
def gateway(module_gateway: Gateway) -> Gateway:
    module_gateway.rabbit.published.clear()
    module_gateway.rabbit.up = True
    return module_gateway


def path(gateway: Gateway, kind: str = "inbound", provider: str = "kavenegar") -> str:
    return f"/v1/webhooks/sms/{provider}/{gateway.keys.webhook_secret(provider)}/{kind}"


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
def test_a_push_is_sealed_unchanged(
    gateway: Gateway, push: dict[str, Any], sealed: dict[str, Any], kind: str, provider: str
) -> None:
    answer = gateway.send(path=path(gateway, kind, provider), **push)

    assert (answer.status_code, answer.text) == (200, "OK")
    assert published(gateway) == (provider, SmsPush(kind=PushKind(kind), **sealed))
    assert b"9121234567" not in gateway.rabbit.published[-1].body


@pytest.mark.parametrize("kind", ["inbound", "delivery"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_without_a_provider_belongs_to_the_first_provider(gateway: Gateway, method: str, kind: str) -> None:
    secret = gateway.keys.webhook_secret("kavenegar")
    answer = gateway.send(method, f"/v1/webhooks/sms/{secret}/{kind}", params={"messageid": "1"})

    assert (answer.status_code, answer.text) == (200, "OK")
    assert published(gateway) == ("kavenegar", SmsPush(kind=PushKind(kind), query="messageid=1"))


@pytest.mark.parametrize("given", ["wrong", "x" * 500, "%D9%81"])
@pytest.mark.parametrize("provider", ["", "kavenegar/", "nobody/"])
def test_a_wrong_secret_is_not_found(gateway: Gateway, given: str, provider: str) -> None:
    pushed = {"from": "0912", "message": "x"}
    answer = gateway.send("POST", f"/v1/webhooks/sms/{provider}{given}/inbound", json=pushed)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert gateway.rabbit.published == []


@pytest.mark.parametrize(("provider", "of"), [("kavenegar", "other"), ("other", "kavenegar"), ("nobody", "kavenegar")])
def test_the_secret_of_one_provider_is_none_of_another(gateway: Gateway, provider: str, of: str) -> None:
    secret = gateway.keys.webhook_secret(of)
    answer = gateway.send("POST", f"/v1/webhooks/sms/{provider}/{secret}/inbound", json={"message": "x"})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert gateway.rabbit.published == []


def test_a_path_without_a_provider_takes_the_secret_of_the_first_alone(gateway: Gateway) -> None:
    answer = gateway.send("POST", f"/v1/webhooks/sms/{gateway.keys.webhook_secret('other')}/inbound")

    assert answer.status_code == 404
    assert gateway.rabbit.published == []


def test_secrets_come_from_the_environment_one_a_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in Keys().environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AMQP_URL", "amqp://nowhere")
    monkeypatch.setenv("PUBLIC_URL", "http://gateway")
    monkeypatch.setenv("SMS_PROVIDERS", "kavenegar,other")
    with pytest.raises(ValidationError, match="SMS_WEBHOOK_SECRETS__OTHER is needed"):
        Settings()

    monkeypatch.setenv("SMS_WEBHOOK_SECRETS__OTHER", os.environ["SMS_WEBHOOK_SECRET"])
    with pytest.raises(ValidationError, match="two providers have the same secret"):
        Settings()

    monkeypatch.setenv("SMS_WEBHOOK_SECRETS__OTHER", "12345678")
    settings = Settings()
    assert settings.sms_webhook_secret.get_secret_value() == os.environ["SMS_WEBHOOK_SECRET"]
    assert {name: secret.get_secret_value() for name, secret in settings.sms_webhook_secrets.items()} == {
        "other": "12345678"
    }


def test_an_unconfigured_provider_is_not_found(gateway: Gateway) -> None:
    answer = gateway.send("POST", path(gateway, provider="nobody"), json={"message": "x"})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert gateway.rabbit.published == []


def test_an_unknown_kind_is_not_found(gateway: Gateway) -> None:
    assert gateway.send("POST", path(gateway, "voice")).status_code == 404
    assert gateway.rabbit.published == []


def test_a_push_that_could_not_be_stored_is_refused_for_retry(gateway: Gateway) -> None:
    gateway.rabbit.up = False
    answer = gateway.send("GET", path(gateway), params={"from": "09121234567", "message": "سلام"})

    assert answer.status_code == 503
    assert "retry-after" in answer.headers


@pytest.mark.parametrize(("size", "status"), [(65_536, 200), (65_537, 413)])
def test_the_size_of_a_push_is_limited_and_the_largest_fits_when_sealed(
    gateway: Gateway, size: int, status: int
) -> None:
    answer = gateway.send("POST", path(gateway), content=b"x" * size, headers={"content-type": "t" * 500})

    assert answer.status_code == status
    assert len(gateway.rabbit.published) == (status == 200)

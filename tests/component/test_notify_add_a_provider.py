"""A second SMS provider: registered, sent through, its pushes received, by way of the gateway; and the one of the how-to."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from contracts.gateway import ReceiveSmsPush
from services.notify import providers
from services.notify.providers.protocol import MalformedPush, Retry
from tests.support.gateway import UNLIMITED, Gateway
from tests.support.notify import NotifyEnvironment, NotifyFixture, Person
from tests.support.second_provider import NAME, SecondProvider, SecondProviderSettings

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "add-an-sms-provider.md"


@pytest.fixture
def gateway(notify_environment: NotifyEnvironment, tmp_path: Path) -> Gateway:
    """A gateway that takes pushes of the new providers, and seals to this notify."""
    public = notify_environment.environment["NOTIFY_PUBLIC_KEY"]
    return Gateway(tmp_path, sms_providers=[NAME, "melipayamak"], notify_public_key=public, **UNLIMITED)


def pushed(gateway: Gateway, path: str, **request: Any) -> ReceiveSmsPush:
    """What the gateway publishes of a push."""
    secret = gateway.keys.webhook_secret(path.partition("/")[0])
    answer = gateway.send(path=f"/v1/webhooks/sms/{path.format(secret=secret)}", **request)
    assert answer.status_code == 200, answer.text
    return ReceiveSmsPush.model_validate_json(gateway.rabbit.published[-1].body)


# --- a provider that a test defines ---


@pytest.fixture
def second(notify: NotifyFixture, monkeypatch: pytest.MonkeyPatch) -> tuple[NotifyFixture, SecondProvider]:
    """Notify with the second provider before Kavenegar, registered and configured as any other."""
    monkeypatch.setitem(providers.REGISTRY, NAME, SecondProviderSettings)
    monkeypatch.setenv("SECOND_ACCOUNT", "office")
    return notify.configured(NAME), SecondProviderSettings.made[-1]


def with_a_case(second: tuple[NotifyFixture, SecondProvider], person: Person) -> tuple[NotifyFixture, SecondProvider]:
    """The person's case is open, and its first SMS sent."""
    notify, _ = second
    notify.publish(person.registered(), person.opened())
    notify.send()
    return second


def test_messages_are_sent_through_a_second_provider_and_completed_by_its_receipts(
    second: tuple[NotifyFixture, SecondProvider], person: Person, gateway: Gateway
) -> None:
    notify, provider = with_a_case(second, person)
    assert [recipient for recipient, _ in provider.sent] == [person.phone]
    assert person.shown_code in provider.sent[0][1]
    row = notify.rows.sms(person.case_id, "registered")
    assert (row["state"], row["provider"], row["provider_message_id"]) == ("sent", NAME, "office-1")

    receipt = {"ref": "office-1", "outcome": "delivered"}
    notify.push(pushed(gateway, "second/{secret}/delivery", method="POST", json=receipt))
    assert notify.rows.sms(person.case_id, "registered")["state"] == "delivered"


def test_an_inbound_text_of_a_second_provider_is_answered_once(
    second: tuple[NotifyFixture, SecondProvider], person: Person, gateway: Gateway
) -> None:
    notify, provider = with_a_case(second, person)
    inbound = {"phone": person.phone, "words": person.code, "ref": "1"}
    command = pushed(gateway, "second/{secret}/inbound", method="POST", json=inbound)
    assert person.code.encode() not in command.model_dump_json().encode()
    notify.push(command, command)
    assert len(provider.sent) == 2
    assert provider.sent[1][1].startswith("مرحله: ثبت شد")


def test_an_unanswered_send_without_client_references_is_not_repeated(
    second: tuple[NotifyFixture, SecondProvider], person: Person
) -> None:
    notify, provider = second
    provider.failures.append(Retry("no_answer", ambiguous=True))
    notify.publish(person.registered(), person.opened())
    notify.send()
    notify.later(hours=1)
    notify.send()
    assert len(provider.sent) == 1
    row = notify.rows.sms(person.case_id, "registered")
    assert (row["state"], row["reason"]) == ("failed", "no_answer")


def test_a_message_of_a_killed_process_is_not_resent_without_client_references(
    second: tuple[NotifyFixture, SecondProvider], person: Person
) -> None:
    class Killed(BaseException):
        pass

    notify, provider = second
    provider.failures.append(Killed())  # type: ignore[arg-type]  # it is raised all the same
    notify.publish(person.registered(), person.opened())
    with pytest.raises(Killed):
        notify.send()
    notify.later(seconds=notify.settings.notify_lease)
    notify.send()
    assert len(provider.sent) == 1
    row = notify.rows.sms(person.case_id, "registered")
    assert (row["state"], row["reason"]) == ("failed", "answer_lost")


def test_an_unreadable_push_is_dead_lettered(second: tuple[NotifyFixture, SecondProvider], gateway: Gateway) -> None:
    notify, _ = second
    command = pushed(gateway, "second/{secret}/inbound", method="POST", json={"nothing": "of it"})
    with pytest.raises(MalformedPush):
        notify.push(command)
    with pytest.raises(MalformedPush):
        notify.push(command.model_copy(update={"provider": "kavenegar"}))  # which is not configured here


def test_missing_settings_of_a_provider_are_all_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(providers.REGISTRY, NAME, SecondProviderSettings)
    with pytest.raises(SystemExit) as ended:
        providers.configured_accounts([NAME, "kavenegar", "nobody"])
    assert ended.value.code == 2
    problems = capsys.readouterr().err
    for name in ("SECOND_ACCOUNT", "KAVENEGAR_API_KEY", "SMS_SENDER", "'nobody'"):
        assert name in problems


# --- the how-to, followed literally ---


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def melipayamak() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A stand-in for Melipayamak's API: its address, and the calls that came."""
    calls: list[dict[str, Any]] = []

    class Api(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            calls.append({"path": self.path, **body})
            value = "1" if self.path.endswith("GetDeliveries2") else f"90000{len(calls)}"
            answer = json.dumps({"Value": value, "RetStatus": 1, "StrRetStatus": "Ok"}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", calls
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_the_provider_of_the_how_to_sends_is_polled_and_answers_inbound_texts(
    notify: NotifyFixture,
    person: Person,
    gateway: Gateway,
    melipayamak: tuple[str, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, calls = melipayamak
    code, entry = blocks("python")
    module = ModuleType("services.notify.providers.melipayamak")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, "melipayamak.py", "exec"), vars(module))  # noqa: S102  # our own page
    monkeypatch.setattr(providers, "REGISTRY", dict(providers.REGISTRY))
    exec(compile(entry, "__init__.py", "exec"), {**vars(module), "REGISTRY": providers.REGISTRY})  # noqa: S102
    order, own, webhook = blocks("sh")
    assert webhook.startswith("SMS_WEBHOOK_SECRETS__MELIPAYAMAK=")
    for line in (order + own).splitlines():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MELIPAYAMAK_BASE_URL", url)
    for name, value in notify_kavenegar(notify).items():
        monkeypatch.setenv(name, value)
    notify.configured(*order.strip().partition("=")[2].split(","))

    notify.publish(person.registered(), person.opened())
    notify.send()
    assert [(call["to"], call["from"], call["username"]) for call in calls] == [(person.phone, "5000123", "office")]
    assert notify.sms_of(person) == [], "Kavenegar, which comes after it, was not called"

    notify.later(minutes=1)
    notify.poll()
    assert notify.rows.sms(person.case_id, "registered")["state"] == "delivered"

    panel = re.search(r"/v1/webhooks/sms/(\S+)", HOW_TO.read_text(encoding="utf-8"))
    assert panel is not None
    address = panel[1].replace("SECRET", "{secret}").replace("$TO$", "5000123")
    address = address.replace("$TEXT$", person.code).replace("$FROM$", "0" + person.phone.removeprefix("+98"))
    notify.push(pushed(gateway, address, method="GET"))
    assert calls[-1]["text"].startswith("مرحله: ثبت شد")


def notify_kavenegar(notify: NotifyFixture) -> dict[str, str]:
    return {"KAVENEGAR_BASE_URL": notify.simulator.url, "KAVENEGAR_API_KEY": "none", "SMS_SENDER": "1000"}


def test_the_how_to_names_no_more_files_than_three() -> None:
    table = HOW_TO.read_text(encoding="utf-8").partition("## Files")[2].partition("## 1")[0]
    assert len(re.findall(r"^\| `", table, re.MULTILINE)) <= 3

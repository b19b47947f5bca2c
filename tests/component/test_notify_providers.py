"""Kavenegar's adapter against the simulator, over real HTTP, its faults included."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

import httpx
import pytest

from deploy.local.sms_simulator.embedded import Simulator, running
from deploy.local.sms_simulator.settings import Settings
from services.notify.providers.circuit import CircuitBreaker
from services.notify.providers.kavenegar import Kavenegar
from services.notify.providers.protocol import Accepted, DeliveryStatus, GiveUp, NextProvider, ProviderError, Retry
from services.notify.wording.templates import approved_texts

KEY = "secret-key-0001"
MOBILE = "+989121234567"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running(
        Settings(api_key=KEY, sender="10008663", port=0, step_delay=0.01, templates=approved_texts())
    ) as started:
        yield started


@pytest.fixture
def provider(simulator: Simulator) -> Iterator[Kavenegar]:
    simulator.reset()
    adapter = Kavenegar(base_url=simulator.url, api_key=KEY, sender="10008663", timeout=0.5)
    yield adapter
    adapter.close()


def failure(provider: Kavenegar, text: str = "سلام", receptor: str = MOBILE) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        provider.send(text, receptor, "1")
    return caught.value


def test_a_text_is_sent_and_its_delivery_can_be_queried(simulator: Simulator, provider: Kavenegar) -> None:
    accepted = provider.send("سلام", MOBILE, "1")
    assert accepted.status is DeliveryStatus.QUEUED

    (arrived,) = simulator.messages(MOBILE, wait=5)

    assert arrived["text"] == "سلام"
    assert provider.statuses([accepted.message_id, "5"]) == {
        accepted.message_id: DeliveryStatus.DELIVERED,
        "5": DeliveryStatus.UNKNOWN,
    }


def test_an_approved_text_is_sent_by_its_tokens(simulator: Simulator, provider: Kavenegar) -> None:
    provider.send_template("peygir-otp-fa", {"token": "123456"}, MOBILE)
    (arrived,) = simulator.messages(MOBILE, wait=5)
    assert arrived["text"] == "کد ورود به پیگیر: 123456\nتا ۵ دقیقه معتبر است؛ لطفاً به کسی نگویید."


def test_after_a_timeout_the_next_attempt_does_not_send_again(simulator: Simulator, provider: Kavenegar) -> None:
    simulator.fault("timeout", seconds=3)
    first = failure(provider)
    assert isinstance(first, Retry)
    assert first.ambiguous
    assert first.reason == "no_answer"

    assert isinstance(provider.send("سلام", MOBILE, "1"), Accepted)

    simulator.messages(MOBILE, wait=5)
    assert len(simulator.messages(accepted=True)) == 1


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (402, Retry, "provider_failed"),
        (409, Retry, "busy"),
        (451, Retry, "too_many_calls"),
        (502, Retry, "unreadable_502"),
        (401, NextProvider, "account_disabled"),
        (403, NextProvider, "bad_key"),
        (407, NextProvider, "address_refused"),
        (416, NextProvider, "address_refused"),
        (418, NextProvider, "no_credit"),
        (412, NextProvider, "line_refused"),
        (424, NextProvider, "template_unknown"),
        (411, GiveUp, "bad_mobile"),
        (413, GiveUp, "bad_length"),
        (431, GiveUp, "bad_token"),
        (432, GiveUp, "bad_token"),
        (499, Retry, "status_499"),
    ],
)
def test_each_refusal_determines_the_next_action(
    simulator: Simulator, provider: Kavenegar, status: int, kind: type[ProviderError], reason: str
) -> None:
    simulator.fault("fail", status=status)
    refused = failure(provider)
    assert type(refused) is kind
    assert refused.reason == reason


def test_a_bad_number_and_a_link_are_refused_by_the_provider_itself(provider: Kavenegar) -> None:
    assert isinstance(failure(provider, receptor="+98123"), GiveUp)
    refused = failure(provider, text="به peygir.ir بروید")
    assert isinstance(refused, NextProvider)
    assert not refused.unavailable


def test_a_refused_connection_is_not_ambiguous() -> None:
    provider = Kavenegar(base_url="http://127.0.0.1:9", api_key=KEY)
    refused = failure(provider)
    assert isinstance(refused, Retry)
    assert refused.reason == "not_reached"
    assert not refused.ambiguous


def test_the_key_is_in_no_log_and_no_exception(
    simulator: Simulator, provider: Kavenegar, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    simulator.fault("timeout", seconds=2)
    shown = []
    for unreachable in (provider, Kavenegar(base_url="http://127.0.0.1:9", api_key=KEY)):
        refused = failure(unreachable)
        assert refused.__context__ is None
        assert refused.__cause__ is None
        shown.append("".join(traceback.format_exception(refused)))
    assert len(shown) == 2
    assert KEY not in "".join(shown) + caplog.text + repr(provider)


def answering(body: str, status: int = 200) -> Kavenegar:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, text=body)

    return Kavenegar(base_url="http://provider", api_key=KEY, transport=httpx.MockTransport(answer))


def test_names_are_read_in_any_case_and_numbers_as_text() -> None:
    provider = answering('{"Return":{"Status":"200"},"Entries":[{"MessageId":12,"Status":"5"}]}')
    assert provider.send("سلام", MOBILE, "1") == Accepted("12", DeliveryStatus.SENT)
    assert provider.statuses(["12"]) == {"12": DeliveryStatus.SENT}


@pytest.mark.parametrize(
    ("body", "status", "ambiguous"),
    [
        ("<html>", 200, True),
        ("[]", 200, True),
        ("<html>", 404, False),
        ('{"return":{"status":200},"entries":[]}', 200, True),
    ],
)
def test_an_unreadable_answer_is_retried(body: str, status: int, ambiguous: bool) -> None:
    refused = failure(answering(body, status))
    assert isinstance(refused, Retry)
    assert refused.ambiguous is ambiguous


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (1, "queued"),
        (2, "queued"),
        (4, "sent"),
        (5, "sent"),
        (6, "failed"),
        (10, "delivered"),
        (11, "undelivered"),
        (13, "failed"),
        (14, "blocked"),
        (100, "unknown"),
        (77, "unknown"),
    ],
)
def test_every_status_of_the_provider_is_mapped(code: int, status: str) -> None:
    provider = answering(f'{{"return":{{"status":200}},"entries":[{{"messageid":12,"status":{code}}}]}}')
    assert provider.statuses(["12"]) == {"12": status}


def test_a_provider_that_can_send_nothing_is_paused() -> None:
    now = [100.0]
    circuit = CircuitBreaker(lambda: now[0])
    circuit.open("one", 60, "no_credit")
    assert circuit.reason("one") == "no_credit"
    assert circuit.reason("two") is None
    assert circuit.remaining("one") == 60
    now[0] += 60
    assert circuit.reason("one") is None

"""The provider's simulator, over real HTTP: its API is what reference/sms-providers says of Kavenegar's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from deploy.local.sms_simulator.embedded import Simulator, running
from deploy.local.sms_simulator.settings import Settings

KEY = "test-key"
LINE = "10008663"
SETTINGS = Settings(
    api_key=KEY,
    sender=LINE,
    port=0,
    step_delay=0.01,
    hook_waits=(0.01, 0.02, 0.05),
    templates={"peygir-otp": "کد شما: %token", "visit": "روز %token ساعت %token2 در %token10"},
)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running(SETTINGS) as started:
        yield started


@pytest.fixture(autouse=True)
def _clean(simulator: Simulator) -> None:
    simulator.reset()


def call(simulator: Simulator, method: str, key: str = KEY, verb: str = "POST", **form: Any) -> httpx.Response:
    params = {name: str(value) for name, value in form.items()}
    path = f"/v1/{key}/{method}.json"
    if verb == "GET":
        return simulator.control.get(path, params=params)
    return simulator.control.request(verb, path, data=params)


def refusal(answer: httpx.Response) -> int:
    body = answer.json()
    assert body["entries"] is None
    assert answer.status_code == body["return"]["status"]
    return int(body["return"]["status"])


def entries(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["return"] == {"status": 200, "message": "تایید شد"}
    return list(body["entries"])


def send(simulator: Simulator, **form: Any) -> httpx.Response:
    return call(simulator, "sms/send", **{"receptor": "09121234567", "message": "سلام", **form})


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_a_sent_message_passes_queue_and_telecom_to_the_handset(simulator: Simulator, verb: str) -> None:
    (sent,) = entries(call(simulator, "sms/send", verb=verb, receptor="09121234567", message="سلام"))
    assert sent["status"] == 1
    assert sent["statustext"] == "در صف ارسال"
    assert (sent["sender"], sent["receptor"], sent["message"], sent["cost"]) == (
        LINE,
        "09121234567",
        "سلام",
        1200,
    )

    (arrived,) = simulator.messages("+989121234567", wait=5)

    assert arrived["messageid"] == sent["messageid"]
    assert arrived["text"] == "سلام"
    (status,) = entries(call(simulator, "sms/status", messageid=sent["messageid"]))
    assert status == {"messageid": sent["messageid"], "status": 10, "statustext": "رسیده به گیرنده"}


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"receptor": ""}, 406),
        ({"receptor": "12345"}, 411),
        ({"receptor": ",".join(["09121234567"] * 201)}, 414),
        ({"message": ""}, 413),
        ({"message": "ب" * 1801}, 413),
        ({"sender": "3000999"}, 412),
        ({"date": "فردا"}, 417),
        ({"localid": "1,2"}, 419),
        ({"message": "به https://example.org بروید"}, 420),
        ({"message": "به peygir.ir بروید"}, 420),
        ({"message": "زنگ\x07"}, 422),
    ],
)
def test_the_provider_refuses_bad_requests(simulator: Simulator, form: dict[str, str], code: int) -> None:
    assert refusal(send(simulator, **form)) == code
    assert simulator.messages(accepted=True) == []


def test_key_method_and_verb_are_checked(simulator: Simulator) -> None:
    assert refusal(call(simulator, "sms/send", key="other")) == 403
    assert refusal(call(simulator, "sms/nothing")) == 404
    assert refusal(call(simulator, "sms/send", verb="DELETE")) == 405


def test_a_local_id_is_sent_once(simulator: Simulator) -> None:
    (first,) = entries(send(simulator, localid="77"))
    (again,) = entries(send(simulator, localid="77"))

    assert again["messageid"] == first["messageid"]
    assert len(simulator.messages(accepted=True)) == 1
    (status,) = entries(call(simulator, "sms/statuslocalmessageid", localid="77"))
    assert (status["messageid"], status["localid"]) == (first["messageid"], "77")


def test_many_receptors_get_one_message_each(simulator: Simulator) -> None:
    sent = entries(send(simulator, receptor="09121234567,989351234567", localid="1,2"))
    assert [message["receptor"] for message in sent] == ["09121234567", "09351234567"]


def test_an_array_is_sent_completely_or_not_at_all(simulator: Simulator) -> None:
    arrays = {"receptor": ["09121234567", "09121234568"], "sender": [LINE, LINE], "message": ["یک", "دو"]}
    sent = entries(call(simulator, "sms/sendarray", **{name: json.dumps(array) for name, array in arrays.items()}))
    assert [message["message"] for message in sent] == ["یک", "دو"]

    arrays["message"] = ["یک"]
    assert refusal(call(simulator, "sms/sendarray", **{k: json.dumps(v) for k, v in arrays.items()})) == 419


@pytest.mark.parametrize(
    ("text", "parts"),
    [("ب" * 70, 1), ("ب" * 71, 2), ("ب" * 135, 3), ("a" * 160, 1), ("a" * 161, 2), ("a" * 79 + "[", 1)],
)
def test_parts_are_counted_as_the_operator_bills_them(simulator: Simulator, text: str, parts: int) -> None:
    (sent,) = entries(send(simulator, message=text))
    assert sent["cost"] == parts * 1200


def lookup(simulator: Simulator, **form: Any) -> httpx.Response:
    return call(simulator, "verify/lookup", **{"receptor": "09121234567", "template": "peygir-otp", **form})


def test_a_lookup_fills_the_approved_text(simulator: Simulator) -> None:
    (sent,) = entries(
        lookup(simulator, template="visit", token="1405/09/12", token2="9:30", token10="ساختمان شماره دو")
    )
    assert sent["message"] == "روز 1405/09/12 ساعت 9:30 در ساختمان شماره دو"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, 406),
        ({"template": "unknown", "token": "1"}, 424),
        ({"token": "1 2"}, 431),
        ({"token": "1_2"}, 431),
        ({"token": "1\n2"}, 431),
        ({"token": "1" * 101}, 431),
        ({"token": "12", "token2": "3"}, 432),
        ({"token": "peygir.ir"}, 420),
        ({"token": "a12", "type": "call"}, 428),
        ({"template": "visit", "token": "1", "token2": "2", "token10": "a b c d e f g"}, 431),
    ],
)
def test_a_lookup_refuses_bad_requests(simulator: Simulator, form: dict[str, str], code: int) -> None:
    assert refusal(lookup(simulator, **form)) == code


def test_statuses_of_unknown_ids_and_of_too_many(simulator: Simulator) -> None:
    (unknown,) = entries(call(simulator, "sms/status", messageid="5"))
    assert (unknown["messageid"], unknown["status"]) == (5, 100)
    assert refusal(call(simulator, "sms/status", messageid=",".join(["5"] * 501))) == 414


def test_a_queued_message_can_be_cancelled(simulator: Simulator) -> None:
    simulator.control.post("/_control/speed", json={"step_delay": 60})
    (sent,) = entries(send(simulator))
    (cancelled,) = entries(call(simulator, "sms/cancel", messageid=sent["messageid"]))
    assert cancelled["status"] == 13


def test_a_handset_text_is_received_once(simulator: Simulator) -> None:
    simulator.text("+989121234567", "۱")
    (unread,) = entries(call(simulator, "sms/receive", linenumber=LINE, isread=0))
    assert (unread["sender"], unread["receptor"], unread["message"]) == ("09121234567", LINE, "۱")
    assert entries(call(simulator, "sms/receive", linenumber=LINE, isread=0)) == []
    assert len(entries(call(simulator, "sms/receive", linenumber=LINE, isread=1))) == 1


def test_the_account_pays_by_part(simulator: Simulator) -> None:
    before = call(simulator, "account/info").json()["entries"]["remaincredit"]
    send(simulator, message="ب" * 71)
    assert before - call(simulator, "account/info").json()["entries"]["remaincredit"] == 2400


def test_without_credit_nothing_is_sent() -> None:
    with running(replace(SETTINGS, credit=1000)) as poor:
        assert refusal(send(poor)) == 418
        assert poor.messages(accepted=True) == []


@pytest.mark.parametrize(("mode", "code"), [("credit", 418), ("busy", 409), ("fail", 402)])
def test_a_fault_refuses_as_often_as_configured(simulator: Simulator, mode: str, code: int) -> None:
    simulator.fault(mode, count=2)
    assert [refusal(send(simulator)), refusal(send(simulator))] == [code, code]
    assert len(entries(send(simulator))) == 1


def test_a_lost_message_never_reaches_the_handset(simulator: Simulator) -> None:
    simulator.fault("lose", status=14)
    (lost,) = entries(send(simulator))
    (entry,) = entries(send(simulator))

    assert [message["messageid"] for message in simulator.messages(wait=5)] == [entry["messageid"]]
    (status,) = entries(call(simulator, "sms/status", messageid=lost["messageid"]))
    assert status["status"] == 14


def test_a_timeout_withholds_the_answer_and_sends(simulator: Simulator) -> None:
    simulator.fault("timeout", seconds=5)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{simulator.url}/v1/{KEY}/sms/send.json",
            data={"receptor": "09121234567", "message": "سلام"},
            timeout=0.2,
        )
    assert len(simulator.messages(wait=5)) == 1


def test_the_control_api_waits_for_what_comes_after(simulator: Simulator) -> None:
    send(simulator, message="یک")
    (first,) = simulator.messages(wait=5)
    send(simulator, message="دو")
    (second,) = simulator.messages(after=first["number"], wait=5)
    assert second["text"] == "دو"
    assert simulator.messages("09350000000") == []


def test_the_page_shows_each_phone_with_its_texts_escaped(simulator: Simulator) -> None:
    send(simulator, message="<b>سلام</b>")
    simulator.messages(wait=5)
    simulator.text("09121234567", "۱")
    page = simulator.control.get("/").text
    assert "&lt;b&gt;سلام" in page
    assert 'dir="rtl"' in page
    assert 'class="out">۱' in page


def test_what_was_sent_survives_a_restart(tmp_path: Path) -> None:
    kept = replace(SETTINGS, state=tmp_path / "sms.sqlite")
    with running(kept) as first:
        (sent,) = entries(send(first, localid="9"))
        first.messages(wait=5)
    with running(kept) as second:
        assert [message["messageid"] for message in second.messages()] == [sent["messageid"]]
        (again,) = entries(send(second, localid="9"))
        assert again["messageid"] == sent["messageid"]


class _Office:
    """The gateway's webhook: answers what it is told to, and keeps what it heard."""

    def __init__(self, answers: list[int]) -> None:
        self.received: Queue[tuple[str, dict[str, str]]] = Queue()
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                office.received.put((self.path, {name: values[0] for name, values in parse_qs(body).items()}))
                self.send_response(answers.pop(0) if answers else 200)
                self.end_headers()

            def log_message(self, *ignored: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_webhooks_are_repeated_until_they_are_acknowledged() -> None:
    office = _Office([503, 503])
    hooked = replace(SETTINGS, delivery_url=office.url + "/d/secret", inbound_url=office.url + "/i/secret")
    try:
        with running(hooked) as simulator:
            (sent,) = entries(send(simulator))
            calls = [office.received.get(timeout=5) for _ in range(3)]
            assert {path for path, _ in calls} == {"/d/secret"}
            assert calls[-1][1]["messageid"] == str(sent["messageid"])
            assert calls[-1][1]["status"] == "10"

            simulator.text("09121234567", "1234 5678", times=2)
            texts = [office.received.get(timeout=5) for _ in range(2)]
            assert {path for path, _ in texts} == {"/i/secret"}
            assert texts[0] == texts[1]
            assert {name: texts[0][1][name] for name in ("from", "to", "message")} == {
                "from": "09121234567",
                "to": LINE,
                "message": "1234 5678",
            }
    finally:
        office.close()


def test_settings_name_every_problem_at_once() -> None:
    with pytest.raises(SystemExit) as stopped:
        Settings.from_environment({"SIMULATOR_PORT": "x"})
    assert all(name in str(stopped.value) for name in ("SIMULATOR_API_KEY", "SMS_SENDER", "SIMULATOR_PORT"))

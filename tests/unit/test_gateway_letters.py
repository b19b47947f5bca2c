"""Letters and receipts through the API and the pages: who may have them, their contents, and verifying a paper."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psutil
import pytest

from contracts import tracking_codes
from contracts.errors import NoLetter, PeygirError, Unavailable, UnknownCase
from contracts.intake import OwnName
from contracts.letters import CheckLetter, Letter, LetterStanding, ReadLetter
from contracts.tracking import CitedArticle
from contracts.vocabulary import ActorKind, Kind, Language, Outcome
from gateway.papers.letters import letter_paper
from gateway.papers.signatures import SignedLetter
from tests.support.gateway import CATALOGUE, UNLIMITED, Gateway, Keys, bearer, refusing
from tests.support.papers import read

CASE = UUID("0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11")
LETTER = Letter(
    number="1405-000123-1",
    case_number="1405-000123",
    issued_at=datetime(2026, 12, 6, 9, tzinfo=UTC),
    kind=Kind.CRITICISM,
    unit_name_fa="راه‌ها",
    unit_name_en="Roads",
    ground="delay",
    filed_at=datetime(2026, 11, 23, 8, 30, tzinfo=UTC),
    outcome=Outcome.UPHELD,
    reasons="تأخیر روشن است.",
    objection_until=date(2026, 12, 20),
)


@pytest.fixture
def gateway(unlimited_gateway: Gateway) -> Gateway:
    unlimited_gateway.rabbit.reset()
    unlimited_gateway.rabbit.answers["tracking.read_letter"] = lambda _: LETTER
    unlimited_gateway.rabbit.answers["tracking.check_letter"] = lambda _: LetterStanding(in_force=True)
    return unlimited_gateway


@pytest.fixture
def code(gateway: Gateway) -> str:
    return tracking_codes.mint(gateway.container.mac_keys)


def letter_request(gateway: Gateway) -> ReadLetter:
    [(method, request)] = [
        call for call in gateway.rabbit.calls if call[0] in ("tracking.read_letter", "tracking.execute")
    ]
    assert method == "tracking.read_letter"
    assert isinstance(request, ReadLetter)
    return request


def is_pdf(answer: httpx.Response, name: str) -> bytes:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    return answer.content


def test_the_letter_is_served_by_code_in_the_callers_language_and_its_qr_code_confirms_it(
    gateway: Gateway, code: str
) -> None:
    for headers, params, language in (
        ({}, {}, "fa"),
        ({"Accept-Language": "en"}, {}, "en"),
        ({"Accept-Language": "en"}, {"lang": "fa"}, "fa"),
    ):
        gateway.rabbit.calls.clear()
        answer = gateway.send("GET", "/v1/tracking/letter", params=params, headers={"Tracking-Code": code, **headers})
        pdf = read(is_pdf(answer, f"peygir-letter-1405-000123-1-{language}.pdf"))
        assert answer.headers["content-language"] == language
        assert (
            json.loads(pdf.content)["title"] == {"fa": "نامه اعلام نتیجه رسیدگی", "en": "Notice of decision"}[language]
        )
        assert code not in pdf.text
        assert code not in pdf.content
        [address] = pdf.codes
        assert re.fullmatch(r"http://gateway/verify/L1~1405-000123-1~1405-000123~2026-12-06~upheld~\S+", address)
        page = gateway.send("GET", httpx.URL(address).path)
        assert "این نامه درست است" in page.text
        assert "۱۴۰۵-۰۰۰۱۲۳-۱" in page.text
    assert letter_request(gateway).actor.kind is ActorKind.BEARER
    assert letter_request(gateway).code_hashes == tracking_codes.hashes(code, gateway.container.index_keys)


def signature_line(gateway: Gateway) -> str:
    """Of a letter of this office."""
    signed = SignedLetter("1405-000123-1", "1405-000123", date(2026, 12, 6), "upheld", "ab" * 32)
    return gateway.container.papers.signer.sign_letter(signed)


@pytest.mark.parametrize(
    ("standing", "fa", "en"),
    [
        (LetterStanding(in_force=True), None, None),
        (LetterStanding(in_force=False), "این نامه دیگر معتبر نیست", "no longer valid"),
        (Unavailable(retry_after=1), "هنوز معتبر است یا نه", "still valid cannot be told"),
        (UnknownCase(), "هنوز معتبر است یا نه", "still valid cannot be told"),
    ],
)
def test_a_genuine_letter_that_was_taken_back_or_replaced_is_shown_as_void(
    gateway: Gateway, standing: LetterStanding | PeygirError, fa: str | None, en: str | None
) -> None:
    gateway.rabbit.answers["tracking.check_letter"] = (
        refusing(standing) if isinstance(standing, PeygirError) else lambda _: standing
    )
    line = signature_line(gateway)
    checked = gateway.send("POST", "/v1/papers/check", json={"seal": line}).json()
    assert checked["genuine"]
    assert checked["letter"]["in_force"] == (standing.in_force if isinstance(standing, LetterStanding) else None)
    pages = [
        gateway.send("GET", f"/verify/{line}", headers={"Cookie": f"peygir-language={lang}"}).text
        for lang in ("fa", "en")
    ]
    for page, words in zip(pages, (fa, en), strict=True):
        assert "ab" * 32 in page
        assert (words or "") in page
    notices = ("دیگر معتبر نیست", "معتبر است یا نه", "no longer valid", "cannot be told")
    assert sum(notice in page for page in pages for notice in notices) == (2 if fa else 0)
    assert gateway.rabbit.calls == [("tracking.check_letter", CheckLetter(number="1405-000123-1"))] * 3


def test_of_a_letter_that_is_not_genuine_no_service_is_asked(gateway: Gateway) -> None:
    line = signature_line(gateway)
    forged = line.replace("~upheld~", "~settled~")
    assert gateway.send("POST", "/v1/papers/check", json={"seal": forged}).json()["genuine"] is False
    assert gateway.send("GET", f"/verify/{forged}").status_code == 200
    assert gateway.rabbit.calls == []


def test_letters_are_requested_with_the_actor_of_the_caller(gateway: Gateway) -> None:
    citizen, staff = uuid4(), uuid4()
    answer = gateway.send("GET", f"/v1/me/cases/{CASE}/letter", headers=bearer(gateway.keys.citizen(sub=str(citizen))))
    assert answer.status_code == 200
    assert (letter_request(gateway).actor.kind, letter_request(gateway).actor.id, letter_request(gateway).case_id) == (
        "citizen",
        str(citizen),
        CASE,
    )
    gateway.rabbit.calls.clear()
    token = gateway.keys.staff("inspector", unit="parks", sub=str(staff))
    assert gateway.send("GET", f"/v1/cases/{CASE}/letter", headers=bearer(token)).status_code == 200
    actor = letter_request(gateway).actor
    assert (actor.kind, actor.id, actor.unit) == ("staff", str(staff), "parks")
    assert set(actor.roles) == {"inspector"}


@pytest.mark.parametrize(
    ("path", "who", "status", "error"),
    [
        (f"/v1/cases/{CASE}/letter", None, 401, "not_authenticated"),
        (f"/v1/cases/{CASE}/letter", "citizen", 403, "not_allowed"),
        (f"/v1/me/cases/{CASE}/letter", None, 401, "not_authenticated"),
        (f"/v1/me/cases/{CASE}/letter", "staff", 403, "not_allowed"),
        ("/v1/tracking/letter", None, 422, "invalid_field"),
        ("/v1/cases/nothing/letter", "staff", 422, "invalid_field"),
    ],
)
def test_an_unsuitable_caller_is_refused_without_calling_a_service(
    gateway: Gateway, path: str, who: str | None, status: int, error: str
) -> None:
    token = {"citizen": gateway.keys.citizen(), "staff": gateway.keys.staff("inspector")}.get(who or "")
    answer = gateway.send("GET", path, headers=bearer(token) if token else {})
    assert (answer.status_code, answer.json()["code"]) == (status, error)
    assert gateway.rabbit.calls == []


def test_there_is_no_letter_before_the_decision_or_before_the_case_exists(gateway: Gateway, code: str) -> None:
    for error, status, expected_code in ((NoLetter(), 409, "no_letter"), (UnknownCase(), 409, "still_registering")):
        gateway.rabbit.answers["tracking.read_letter"] = refusing(error)
        for language, letters in (("fa", r"[\u0600-\u06ff]"), ("en", r"^[ -~]+$")):
            headers = {"Tracking-Code": code, "Accept-Language": language}
            answer = gateway.send("GET", "/v1/tracking/letter", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (status, expected_code)
            assert re.search(letters, answer.json()["detail"])


@pytest.mark.parametrize("host", ["evil.example", "evil.example/x?y", "gateway:81", "[::1]", "a" * 300])
def test_the_address_of_the_request_is_not_printed(gateway: Gateway, code: str, host: str) -> None:
    """Whoever prints a receipt for somebody else chooses the Host, and where a proxy passes it on, the scheme and host there."""
    named = {"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "ftp", "Forwarded": f"host={host}"}
    letter_ = gateway.send("GET", "/v1/tracking/letter", headers={"Tracking-Code": code, **named})
    receipt_ = gateway.send("POST", "/v1/receipts/pdf", json=filed(gateway), headers=named)
    for answer in (letter_, receipt_):
        assert answer.status_code == 200
        pdf = read(answer.content)
        [address] = pdf.codes
        assert address.startswith("http://gateway/verify/")
        assert "evil" not in pdf.text


@pytest.mark.parametrize(
    "given", [None, "", "peygir.example", "https://", "https://a/b", "https://a?b", "ftp://a", "https://a b"]
)
def test_a_gateway_does_not_start_without_its_public_address(given: str | None) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "PUBLIC_URL"}
    keys = Keys().environment
    environment = {**kept, **keys, "AMQP_URL": "amqp://nowhere", **({} if given is None else {"PUBLIC_URL": given})}
    command = [
        sys.executable,
        "-c",
        "from gateway.settings import Settings; from backbone.process.settings import load; load(Settings)",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "PUBLIC_URL: " in done.stderr
    assert "how citizens reach the gateway" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "given", ["https://peygir.qazvin.ir", "http://127.0.0.1:8000", "https://[2001:db8::1]:8443", "http://gateway"]
)
def test_a_public_address_reachable_by_citizens_is_accepted(tmp_path: Path, given: str) -> None:
    assert Keys().settings(tmp_path, public_url=given).public_url == given


# --- whose name is on it ---


def test_only_the_citizens_own_letter_contains_their_name(gateway: Gateway, code: str) -> None:
    gateway.rabbit.answers["intake.read_own_name"] = lambda _: OwnName(name=" زهرا  نمونه ")
    citizen = bearer(gateway.keys.citizen())
    staff = bearer(gateway.keys.staff("head"))
    own = gateway.send("GET", f"/v1/me/cases/{CASE}/letter", headers=citizen)
    assert "شهروند گرامی، زهرا نمونه" in read(own.content).content
    english = gateway.send("GET", f"/v1/me/cases/{CASE}/letter?lang=en", headers=citizen)
    assert "Dear زهرا نمونه," in read(english.content).content
    gateway.rabbit.calls.clear()
    for path, headers in ((f"/v1/cases/{CASE}/letter", staff), ("/v1/tracking/letter", {"Tracking-Code": code})):
        pdf = read(gateway.send("GET", path, headers=headers).content)
        assert "نمونه" not in pdf.content + pdf.text
        assert "شهروند گرامی" in pdf.content
    assert [method for method, _ in gateway.rabbit.calls] == ["tracking.read_letter"] * 2


@pytest.mark.parametrize("own_name", [OwnName(), OwnName(name="  "), None])
def test_a_letter_is_served_without_the_name_if_it_is_unavailable(gateway: Gateway, own_name: OwnName | None) -> None:
    gateway.rabbit.answers["intake.read_own_name"] = lambda _: own_name or refusing(Unavailable(retry_after=5))(_)
    answer = gateway.send("GET", f"/v1/me/cases/{CASE}/letter", headers=bearer(gateway.keys.citizen()))
    assert "شهروند گرامی،" in json.loads(read(answer.content).content)["sections"][0]["paragraphs"][0]


def test_any_name_is_printed_as_plain_text(gateway: Gateway) -> None:
    hostile = '#read("/etc/passwd") {name} *x* \u202eevil'
    gateway.rabbit.answers["intake.read_own_name"] = lambda _: OwnName(name=hostile)
    answer = gateway.send("GET", f"/v1/me/cases/{CASE}/letter?lang=en", headers=bearer(gateway.keys.citizen()))
    assert f"Dear {hostile}," in json.loads(read(answer.content).content)["sections"][0]["paragraphs"][0]
    assert "root:" not in read(answer.content).text


def test_the_public_address_is_printed_where_one_is_set(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, public_url="https://peygir.qazvin.example", **UNLIMITED)
    gateway.container.catalogue_cache.put(CATALOGUE)
    receipt = filed(gateway)
    answer = gateway.send("POST", "/v1/receipts/pdf", json=receipt)
    [address] = read(answer.content).codes
    assert address.startswith("https://peygir.qazvin.example/verify/R1~")


def filed(gateway: Gateway) -> dict[str, Any]:
    body = {"kind": "criticism", "unit": "roads", "ground": "delay", "text": "چاله خیابان مانده است.", "consent": True}
    answer = gateway.file(body)
    assert answer.status_code == 201, answer.text
    receipt: dict[str, Any] = answer.json()["receipt"]
    return receipt


def test_a_receipt_is_printed_and_its_code_leads_to_what_was_filed(gateway: Gateway) -> None:
    receipt = filed(gateway)
    payload = json.loads(receipt["payload"])
    answer = gateway.send("POST", "/v1/receipts/pdf", json=receipt)
    pdf = read(is_pdf(answer, f"peygir-receipt-{payload['submission_id'][:8]}-fa.pdf"))
    for printed in (payload["submission_id"], payload["content_hash"]):
        assert printed in pdf.content
    [address] = pdf.codes
    checked = gateway.send("POST", "/v1/papers/check", json={"seal": address}).json()
    assert checked["genuine"] is True
    assert checked["letter"] is None
    assert {name: checked["receipt"][name] for name in payload} == payload
    assert checked["receipt"]["kind_text"] == "انتقاد"
    assert "این رسید درست است" in gateway.send("GET", httpx.URL(address).path).text


@pytest.mark.parametrize("change", ["payload", "signature", "key"])
def test_a_receipt_that_was_changed_is_not_printed(gateway: Gateway, change: str) -> None:
    receipt = filed(gateway)
    receipt[change] = receipt[change].replace("criticism", "complaint")
    if change != "payload":
        receipt[change] = ("0" if receipt[change][0] != "0" else "1") + receipt[change][1:]
    for language in ("fa", "en"):
        headers = {"Accept-Language": language}
        answer = gateway.send("POST", "/v1/receipts/pdf", json=receipt, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_genuine")


@pytest.mark.parametrize(
    "seal", ["L1~x", "https://gateway/verify/", "سلام", "L1~1405-1-1~1405-1~2026-12-06~upheld~a~b"]
)
def test_a_document_of_another_office_is_rejected(gateway: Gateway, seal: str) -> None:
    answer = gateway.send("POST", "/v1/papers/check", json={"seal": seal})
    assert answer.json() == {"genuine": False, "letter": None, "receipt": None}


def test_the_page_rejects_it_in_both_languages_and_shows_none_of_its_content(gateway: Gateway) -> None:
    made_up = "L1~1405-666666-1~1405-666666~2026-12-06~upheld~" + "A" * 43 + "~" + "A" * 86
    page = gateway.send("GET", f"/verify/{made_up}")
    assert page.status_code == 200
    assert "درستی این نوشته تأیید نمی‌شود" in page.text
    assert "666666" not in page.text
    assert "۶۶۶۶۶۶" not in page.text
    english = gateway.send("GET", f"/verify/{made_up}", headers={"Cookie": "peygir-language=en"})
    assert "could not be confirmed" in english.text


@pytest.mark.parametrize("whole", [True, False])
def test_the_page_accepts_a_receipt_as_it_was_issued(gateway: Gateway, whole: bool) -> None:
    receipt = filed(gateway)
    pasted: Any = {"tracking_code": "0000", "receipt": receipt} if whole else receipt
    page = pasted_into_the_page(gateway, json.dumps(pasted, indent=1))
    assert "این رسید درست است" in page.text
    assert json.loads(receipt["payload"])["content_hash"] in page.text


def test_the_page_rejects_a_changed_receipt(gateway: Gateway) -> None:
    receipt = filed(gateway)
    receipt["payload"] = receipt["payload"].replace("criticism", "complaint")
    assert "درستی این نوشته تأیید نمی‌شود" in pasted_into_the_page(gateway, json.dumps(receipt)).text


def pasted_into_the_page(gateway: Gateway, text: str) -> httpx.Response:
    """What the page shows then."""
    form = gateway.send("GET", "/verify")
    token = re.search(r'name="token" value="([^"]+)"', form.text)
    assert token is not None
    cookies = {"Cookie": "; ".join(line.partition(";")[0] for line in form.headers.get_list("set-cookie"))}
    answer = gateway.send("POST", "/verify", data={"token": token[1], "seal": text}, headers=cookies)
    assert answer.status_code == 303, answer.text
    return gateway.send("GET", answer.headers["location"], headers=cookies)


def test_a_disconnected_client_frees_its_place_in_the_queue(gateway: Gateway) -> None:
    """Before its turn and while its paper is rendered: no process is left, and the next one is rendered."""

    async def go() -> None:
        pdf_queue = gateway.container.papers.pdf_queue
        receipt = json.dumps(filed_soon).encode()
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if not sent:
                sent.append(True)
                return {"type": "http.request", "body": receipt, "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            answered.append(message)

        sent: list[bool] = []
        answered: list[Any] = []
        headers = [(b"host", b"gateway"), (b"content-type", b"application/json")]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/v1/receipts/pdf",
            "raw_path": b"/v1/receipts/pdf",
            "query_string": b"lang=en",
            "headers": headers,
            "client": ("127.0.0.1", 5),
            "server": ("gateway", 80),
        }
        asking = asyncio.create_task(gateway.app(scope, receive, send))
        async with asyncio.timeout(20):
            while not pdf_queue.waiting:  # noqa: ASYNC110  # the queue tells nobody
                await asyncio.sleep(0)
            gone.set()
            await asking
        assert pdf_queue.waiting == 0
        assert answered[0]["status"] == 499
        assert psutil.Process().children() == []

    filed_soon = filed(gateway)
    asyncio.run(go())


@pytest.mark.parametrize(
    ("language", "heading", "line"),
    [
        (Language.FA, "مستندات قانونی", "ماده ۱۰۰ قانون شهرداری"),
        (Language.EN, "Regulations cited", "Article 100, Municipality Act"),
    ],
)
def test_the_letter_names_the_articles_that_the_decision_cites(
    gateway: Gateway, language: Language, heading: str, line: str
) -> None:
    article = CitedArticle(code="act_100", title_fa="قانون شهرداری", title_en="Municipality Act", number="100")
    cache = gateway.container.catalogue_cache
    paper = letter_paper(LETTER.model_copy(update={"articles": [article]}), language, cache)
    [section] = [section for section in paper.sections if section.heading == heading]
    assert section.paragraphs == (line,)
    assert heading not in [section.heading for section in letter_paper(LETTER, language, cache).sections]

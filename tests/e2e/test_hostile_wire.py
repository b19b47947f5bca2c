"""Callers that are slow, endless or no HTTP at all: a gateway with short patience answers, forgets them, and serves the rest."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from deploy.local.processes import Process
from tests.e2e.hostile_parts import LANGUAGES, MIB, another_gateway, at_rest, refused, resident, stored
from tests.e2e.people import Town

WORDS = {"fa": "fa-IR", "en": "en-GB,en;q=0.9"}
POST = b"POST /v1/submissions HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"


class Impatient:
    """A gateway that waits a second, and its address."""

    def __init__(self, process: Process, url: str) -> None:
        self.process, self.url = process, url
        self._place = (httpx.URL(url).host, httpx.URL(url).port or 80)

    def connect(self) -> socket.socket:
        return socket.create_connection(self._place, timeout=15)

    def send(self, *parts: bytes, pause: float = 0.0) -> httpx.Response:
        """The answer to these bytes, sent one after the other as long as the gateway takes them; with a `pause` after
        each, it answers before it has them all, where there is more than one."""
        with closing(self.connect()) as line:
            try:
                for part in parts:
                    line.sendall(part)
                    if pause and self._answered(line, pause):
                        break
                else:
                    assert not pause or len(parts) == 1, "it was listened to until the end"
            except (BrokenPipeError, ConnectionResetError):
                pass
            return answer_on(line)

    @staticmethod
    def _answered(line: socket.socket, pause: float) -> bool:
        line.settimeout(pause)
        try:
            return bool(line.recv(1, socket.MSG_PEEK))
        except TimeoutError:
            return False
        finally:
            line.settimeout(15)


def answer_on(line: socket.socket) -> httpx.Response:
    """The first answer that comes on this line."""
    raw = b""
    while b"\r\n\r\n" not in raw and (part := line.recv(65_536)):
        raw += part
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    headers = [(name, value.strip()) for name, _, value in (field.partition(b":") for field in fields)]
    length = int({name.lower(): value for name, value in headers}.get(b"content-length", b"0"))
    while len(body) < length and (part := line.recv(65_536)):
        body += part
    return httpx.Response(int(first.split()[1]), headers=headers, content=body)


@pytest.fixture(scope="module")
def impatient_gateway(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Impatient]:
    patience = {"HEADER_TIMEOUT": "1", "BODY_TIMEOUT": "1", "STALL_TIMEOUT": "1"}
    with another_gateway(town.system, tmp_path_factory.mktemp("impatient"), **patience) as (process, url):
        yield Impatient(process, url)


def wish(language: str) -> bytes:
    return f"Accept-Language: {WORDS[language]}\r\n".encode()


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def requests(language: str) -> dict[str, tuple[list[bytes], int, str]]:
    """Names, the bytes, and what is answered."""
    get = b"GET /v1/catalogue HTTP/1.1\r\nHost: gateway\r\n" + wish(language)
    post = POST + wish(language)
    body = json.dumps({"text": "x" * 2_000}).encode()
    return {
        "headers that never end": ([get, *([b"X-Slow: 1\r\n"] * 200)], 408, "too_slow"),
        "a body that trickles": (
            [post + b"Content-Length: 100000\r\n\r\n", *(body[at : at + 1] for at in range(200))],
            408,
            "too_slow",
        ),
        "a body that never comes": ([post + b"Content-Length: 10\r\n\r\n"], 408, "too_slow"),
    }


@pytest.mark.parametrize("case", ["headers that never end", "a body that trickles", "a body that never comes"])
def test_a_slow_client_is_answered_and_disconnected(
    town: Town, impatient_gateway: Impatient, language: str, case: str
) -> None:
    parts, status, code = requests(language)[case]
    before = at_rest(town, "intake", "tracking")
    refused(impatient_gateway.send(*parts, pause=0.05), status, code, language)
    assert stored(town, "intake", "tracking") == before


TOO_MUCH: dict[str, tuple[bytes, int, str]] = {
    "thousands of headers": (b"".join(b"X-%d: 1\r\n" % at for at in range(5_000)) + b"\r\n", 431, "headers_too_large"),
    "one header of a megabyte": (b"X-Large: " + b"x" * MIB + b"\r\n\r\n", 431, "headers_too_large"),
    "a header's name of a megabyte": (b"x" * MIB, 431, "headers_too_large"),
    "a control character in a header": (b"X-Bad: a\x00b\r\n\r\n", 400, "bad_request"),
    "two lengths": (b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "bad_request"),
    "a length and chunks": (
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "bad_request",
    ),
    "a length that is none": (b"Content-Length: -1\r\n\r\n", 400, "bad_request"),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_excessive_or_malformed_headers_are_refused(impatient_gateway: Impatient, language: str, case: str) -> None:
    headers, status, code = TOO_MUCH[case]
    refused(impatient_gateway.send(POST + wish(language) + headers), status, code, language)


def test_an_address_too_long_is_refused_by_default_in_persian(impatient_gateway: Impatient) -> None:
    long = b"a" * 100_000 + b" HTTP/1.1\r\nHost: gateway\r\n\r\n"
    refused(impatient_gateway.send(b"GET /v1/" + long), 414, "url_too_long", "fa")
    page = impatient_gateway.send(b"GET /" + long)  # no API is there: a browser asks, and wants to read why
    assert page.status_code == 414
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "نشانی درخواست بیش از اندازه بلند است." in page.text


@pytest.mark.parametrize("raw", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, b"hello\r\n\r\n", b"\x00" * 500])
def test_input_that_is_not_http_is_refused(impatient_gateway: Impatient, raw: bytes) -> None:
    refused(impatient_gateway.send(raw), 400, "bad_request", "fa")


def test_a_body_of_unannounced_length_is_cut_off_at_the_limit(
    town: Town, impatient_gateway: Impatient, language: str
) -> None:
    before, held = at_rest(town, "intake"), resident(impatient_gateway.process)
    chunk = b"10000\r\n" + b"[" * 65_536 + b"\r\n"
    answer = impatient_gateway.send(POST + wish(language) + b"Transfer-Encoding: chunked\r\n\r\n", *([chunk] * 800))
    refused(answer, 413, "too_large", language)
    assert resident(impatient_gateway.process) - held < 16 * MIB
    assert stored(town, "intake") == before


def test_many_slow_and_endless_clients_cost_little_and_delay_nobody(impatient_gateway: Impatient) -> None:
    def is_served() -> bool:
        return httpx.get(f"{impatient_gateway.url}/healthz", trust_env=False, timeout=10).status_code == 200

    assert is_served()
    before = resident(impatient_gateway.process)
    kinds = (
        POST + b"Content-Length: 200000\r\n\r\n" + b"[" * 100_000,
        POST + b"X-Slow: " + b"x" * 20_000,
        b"PATCH /v1/uploads/" + b"x" * 22 + b" HTTP/1.1\r\nHost: gateway\r\n",
    )
    crowd: list[Any] = []
    try:
        for at in range(240):
            line = impatient_gateway.connect()
            line.sendall(kinds[at % len(kinds)])
            crowd.append(line)
        assert all(is_served() for _ in range(5))
        assert resident(impatient_gateway.process) - before < 64 * MIB
        for line in crowd:  # each is answered or let go
            line.settimeout(15)
            raw = line.recv(4096)
            assert raw == b"" or raw.startswith(b"HTTP/1.1 408"), raw[:100]
    finally:
        for line in crowd:
            line.close()
    assert is_served()

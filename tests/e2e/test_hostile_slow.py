"""Callers who are slow with a form, slow to read, too many, or gone in the middle: cut in time, and no error of ours."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import httpx
import psutil
import pytest

from tests.e2e.hostile_parts import another_gateway, called, refused
from tests.e2e.people import Town
from tests.e2e.test_hostile_wire import Impatient, answer_on
from tests.support.processes import eventually

PAGE = b"POST /follow HTTP/1.1\r\nHost: gateway\r\nAccept-Language: en\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
FILE = b"Content-Type: multipart/form-data; boundary=x\r\n"
HEAD_OF_FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
RATE = 500  # bytes a second that the gateway of these tests wants


@pytest.fixture(scope="module")
def impatient_gateway(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Impatient]:
    patience = {
        "HEADER_TIMEOUT": "2",
        "BODY_TIMEOUT": "1",
        "STALL_TIMEOUT": "1",
        "MIN_BODY_RATE": str(RATE),
        "MAX_CONNECTIONS_OF_ADDRESS": "40",
    }
    with another_gateway(town.system, tmp_path_factory.mktemp("slow"), **patience) as (process, url):
        yield Impatient(process, url)


def trickled(line: socket.socket, byte: bytes, pause: float = 0.1, most: int = 200) -> None:
    """Byte after byte, until the other side has something to say or has gone; it does before all of them are sent."""
    for _ in range(most):
        try:
            line.sendall(byte)
            line.settimeout(pause)
            if line.recv(1, socket.MSG_PEEK) is not None:
                break
        except TimeoutError:
            continue
        except OSError:
            break
    else:
        pytest.fail("it was listened to until the end")
    line.settimeout(20)


@pytest.mark.parametrize("trickles", [False, True], ids=["silent", "a byte now and then"])
@pytest.mark.parametrize(
    "head",
    [
        PAGE + FORM,
        PAGE.replace(b"/follow", b"/file/text") + FORM,
        PAGE + FILE,
        PAGE + b"",
    ],
    ids=["form", "another form", "form with a file", "no type"],
)
def test_a_stalled_form_is_refused_with_a_message(impatient_gateway: Impatient, head: bytes, trickles: bool) -> None:
    with closing(impatient_gateway.connect()) as line:
        line.sendall(head + b"Content-Length: 100000\r\n\r\n")
        if trickles:
            trickled(line, b"-")
        answer = answer_on(line)
        assert line.recv(1) == b""  # and the connection is over
    assert answer.status_code == 408, answer.text
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("length", [10_000, 200_000])
def test_the_time_of_a_file_is_in_proportion_to_its_size(impatient_gateway: Impatient, length: int) -> None:
    """Never silent for long, and yet too slow: cut after what its bytes so far allow, be it announced as large as it may."""
    with closing(impatient_gateway.connect()) as line:
        line.sendall(PAGE + FILE + b"Content-Length: %d\r\n\r\n" % length)
        line.sendall(HEAD_OF_FILE)
        trickled(line, b"x" * 10)
        assert answer_on(line).status_code == 408


def test_an_idle_connection_is_closed(impatient_gateway: Impatient) -> None:
    with closing(impatient_gateway.connect()) as line:
        assert answer_on(line).status_code == 408
        assert line.recv(1) == b""


def test_a_body_still_sent_after_its_answer_is_cut_off(impatient_gateway: Impatient) -> None:
    """The answer needs no body, so nobody reads it; the line stays open only as long as a body may take."""
    with closing(impatient_gateway.connect()) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100000\r\n\r\n")
        assert answer_on(line).status_code == 200
        trickled(line, b"-")
        with suppress(OSError):
            assert line.recv(1) == b""


LEAVES: dict[str, bytes] = {
    "form": PAGE + FORM + b"Content-Length: 1000\r\n\r\ncode=",
    "form with a file": PAGE + FILE + b"Content-Length: 9000\r\n\r\n" + HEAD_OF_FILE,
    "JSON": b"POST /v1/submissions HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
    "upload": (
        b"POST /v1/uploads HTTP/1.1\r\nHost: gateway\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 99\r\n"
        b"Content-Type: application/offset+octet-stream\r\nContent-Length: 99\r\n\r\nxx"
    ),
}


@pytest.mark.parametrize("what", LEAVES)
@pytest.mark.parametrize("reset", [False, True], ids=["end", "reset"])
def test_a_client_that_disconnects_midway_causes_no_server_error(
    impatient_gateway: Impatient, what: str, reset: bool
) -> None:
    def lines(mark: str) -> int:
        return impatient_gateway.process.log.read_text().count(mark)

    def requests(status: str) -> float:
        return called(impatient_gateway.process, "peygir_http_requests_total", status=status)

    before = lines('"level": "error"'), lines("a request failed"), lines("Traceback")
    gone, failed = requests("499"), requests("500")
    for _ in range(3):
        with closing(impatient_gateway.connect()) as line:
            line.sendall(LEAVES[what])
            if reset:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if what != "upload":  # of which what has come counts, and is answered
        eventually(lambda: requests("499") == gone + 3)
    assert httpx.get(f"{impatient_gateway.url}/healthz", trust_env=False, timeout=10).status_code == 200
    assert requests("500") == failed
    assert (lines('"level": "error"'), lines("a request failed"), lines("Traceback")) == before


def test_connections_of_an_address_are_limited_and_freed_on_disconnect(impatient_gateway: Impatient) -> None:
    with ExitStack() as open_lines:
        lines = [open_lines.enter_context(closing(impatient_gateway.connect())) for _ in range(40)]
        assert lines

        def connection_beyond_limit() -> httpx.Response:
            with closing(impatient_gateway.connect()) as line:
                answer = answer_on(line)
                assert line.recv(1) == b""
                return answer

        refused(eventually(connection_beyond_limit), 503, "too_many_connections", "fa")
    eventually(lambda: httpx.get(f"{impatient_gateway.url}/healthz", trust_env=False, timeout=10).status_code == 200)


def test_a_reader_that_does_not_read_is_disconnected(impatient_gateway: Impatient) -> None:
    """Neither while an answer waits for room, nor with the last part of one in hand: its connection is given back."""

    def held(port: int) -> bool:
        lines = psutil.Process(int(impatient_gateway.process.pid or 0)).net_connections("tcp")
        return any(line.raddr and line.raddr.port == port for line in lines)

    place = (httpx.URL(impatient_gateway.url).host, httpx.URL(impatient_gateway.url).port or 80)
    with closing(socket.socket(socket.AF_INET)) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        line.settimeout(20)
        line.connect(place)
        port = line.getsockname()[1]
        eventually(lambda: held(port))
        line.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nHost: gateway\r\n\r\n" * 40)
        eventually(lambda: not held(port), timeout=40)


NO_HOST: dict[str, bytes] = {
    "none": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two": b"GET /healthz HTTP/1.1\r\nHost: gateway\r\nHost: other\r\n\r\n",
    "the same twice": b"GET /healthz HTTP/1.1\r\nHost: gateway\r\nHost: gateway\r\n\r\n",
    "an invalid one": b"GET /healthz HTTP/1.1\r\nHost: gateway/path\r\n\r\n",
    "an empty one": b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n",
    "another than the target's": b"GET http://other/healthz HTTP/1.1\r\nHost: gateway\r\nAccept: application/json\r\n\r\n",
}


@pytest.mark.parametrize("case", NO_HOST)
def test_a_request_without_exactly_one_host_is_refused(impatient_gateway: Impatient, case: str) -> None:
    refused(impatient_gateway.send(NO_HOST[case]), 400, "bad_request", "fa")


@pytest.mark.parametrize(
    "raw", [b"GET /healthz HTTP/1.0\r\n\r\n", b"GET http://gateway/healthz HTTP/1.1\r\nHost: gateway\r\n\r\n"]
)
def test_a_request_with_one_host_is_answered(impatient_gateway: Impatient, raw: bytes) -> None:
    assert impatient_gateway.send(raw).status_code == 200

"""Whatever text a stranger sends is read in time linear in its size (linear.py). Files: test_linear_time_files.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.requests import Request

from backbone.persian import date_parsing, normalisation
from backbone.process import logs
from contracts import identifiers, tracking_codes
from contracts.characters import nfkc
from gateway.api.submissions.bodies import SubmissionBody
from gateway.edge import language
from gateway.edge.json_parsing import parse_json
from gateway.edge.request_log import plain_cookies
from gateway.evidence.tus_protocol import read_metadata
from gateway.pages.multipart import Multipart
from gateway.pages.page_context import clean
from gateway.pages.units import Tree
from gateway.papers.signatures import parse_receipt
from services.notify.inbound.meanings import meanings_of
from tests.support.gateway import CATALOGUE
from tests.support.linear import Build, Read, assert_linear

BODY = 262_144
"""Bytes of the largest JSON body."""
HEADERS = 32_768
"""Bytes of the most headers that come in."""
TEXT = 40_000
"""Characters, more than any field takes."""


def json_case(build: Callable[[int], bytes]) -> tuple[Read, Build, int]:
    return parse_json, build, BODY


def cookies(header: bytes) -> object:
    """What a page takes from a Cookie header, behind the middleware."""
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", plain_cookies(header))]}
    return Request(scope).cookies.get("peygir-language")


def form(parts: list[bytes]) -> object:
    """A form that comes in these parts, up to the first byte of its file."""

    async def stream() -> AsyncIterator[dict[str, object]]:
        for part in parts:
            yield {"type": "http.request", "body": part, "more_body": True}

    messages = stream()
    headers = [(b"content-type", b"multipart/form-data; boundary=x"), (b"content-length", b"999999")]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}

    async def read() -> object:
        return await Multipart(Request(scope, messages.__anext__)).open()

    return asyncio.run(read())


def sms(text: str) -> object:
    candidates = tracking_codes.candidates(text)
    return meanings_of(text, candidates, candidates)


def code_in(text: str) -> object:
    return tracking_codes.parse(text, [bytes(32)])


def submission(values: dict[str, Any]) -> object:
    return SubmissionBody.model_validate(values)


CASES: dict[str, tuple[Read, Build, int]] = {
    "json: a string of escaped quotes that never ends": json_case(lambda n: b"[" * 25 + b'"' + b'\\"' * (n // 2)),
    "json: brackets alone": json_case(lambda n: b"[" * n),
    "json: many empty lists": json_case(lambda n: b"[" + b"[]," * (n // 3) + b"1]"),
    "json: many names": json_case(lambda n: b"{" + b",".join(b'"%d":1' % i for i in range(n // 11)) + b"}"),
    "json: lists as deep as is allowed": json_case(lambda n: b"[" + (b"[" * 20 + b"]" * 20 + b",") * (n // 41) + b"1]"),
    "json: a number of many digits": json_case(lambda n: b"[" + b"1" * n + b"]"),
    "json: a fraction of many digits": json_case(lambda n: b"[0." + b"1" * n + b"e-300]"),
    "json: a string of escapes": json_case(lambda n: b'["' + b"\\ud800" * (n // 6) + b'"]'),
    "submission: names that nobody knows": (
        submission,
        lambda n: {str(number): number for number in range(n // 10)},
        BODY,
    ),
    "submission: a text of spaces": (submission, lambda n: {"text": " " * n}, BODY),
    "submission: uploads without end": (submission, lambda n: {"uploads": ["x"] * (n // 4)}, BODY),
    "headers: languages": (language.preferred, lambda n: "fa;q=0.1," * (n // 9), HEADERS),
    "headers: quoted cookies": (cookies, lambda n: b'a="' + b'\\"' * (n // 2) + b'"', HEADERS),
    "headers: many cookies": (cookies, lambda n: b"peygir-language=en;" * (n // 19), HEADERS),
    "tus: metadata without end": (read_metadata, lambda n: ",".join(f"k{i} YQ==" for i in range(n // 10)), HEADERS),
    "tus: one long value": (read_metadata, lambda n: "filename " + "YWFh" * (n // 4), HEADERS),
    "form: byte by byte": (form, lambda n: [b"--x\r\n", *[b"a"] * n], 32_000),
    "form: many small fields": (
        form,
        lambda n: [b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' * (n // 56)],
        120_000,
    ),
    "form: a head of names that do not end": (form, lambda n: [b"--x\r\n" + b';name="' * (n // 7)], 120_000),
    "text: marks of two kinds on one letter": (
        normalisation.normalise,
        lambda n: "a" + "\u0300\u0316" * (n // 2),
        TEXT,
    ),
    "text: one letter that stands for many": (normalisation.normalise, lambda n: "\ufdfa" * n, TEXT),
    "text: a mobile of marks": (identifiers.mobile, lambda n: "0912" + "\u0300\u0316" * (n // 2), TEXT),
    "text: a code of dashes": (code_in, lambda n: "1-" * (n // 2), TEXT),
    "text: control marks": (clean, lambda n: "\x00\r\n" * (n // 3), TEXT),
    "text: a name of marks that cannot be seen": (
        submission,
        lambda n: {"identity": {"name": "\u200c\u0301" * (n // 2)}},
        BODY,
    ),
    "text: a claim of letters between marks": (submission, lambda n: {"text": "\u2800\u0301ا\u200c" * (n // 8)}, BODY),
    "text: a claim of spaces and one letter": (submission, lambda n: {"text": " " * n + "ا"}, BODY),
    "text: a day of digits": (date_parsing.read, lambda n: "1405/9/" * (n // 7), BODY),
    "text: a day of words": (submission, lambda n: {"happened_on": "آذر و " * (n // 6)}, BODY),
    "text: a message of four digits again and again": (code_in, lambda n: "1234 " * (n // 5), BODY),
    "text: a message of separators": (code_in, lambda n: "1" + " / " * (n // 3) + "a", BODY),
    "sms: digits without end": (sms, lambda n: "۱" * n, TEXT),
    "sms: codes without end": (sms, lambda n: "1234567890123456a" * (n // 17), TEXT),
    "search: words for a unit": (Tree(CATALOGUE).search, lambda n: "را " * (n // 3), TEXT),
    "receipt: pasted brackets": (parse_receipt, lambda n: "[" * n, BODY),
    "logs: digits that might be a code": (logs.masked, lambda n: "0 " * (n // 2), BODY),
    "logs: what might be a mobile": (logs.masked, lambda n: "+98" * (n // 3), BODY),
}


@pytest.mark.parametrize("name", CASES)
def test_four_times_the_input_is_about_four_times_the_work(name: str) -> None:
    assert_linear(*CASES[name])


def test_a_letter_keeps_the_diacritics_of_its_language() -> None:
    assert nfkc("e" + "\u0301" * 30) == nfkc("e" + "\u0301" * 500)
    assert nfkc("علّت مُهر e\u0301") == "علّت مُهر é"


def test_a_cookie_with_escapes_is_dropped_and_the_others_stay() -> None:
    assert plain_cookies(b'other="a\\"b"; mine="a="; peygir-language=en') == b' mine="a="; peygir-language=en'

"""How what is read is sent: 304 for what is there, compressed where that is safe and saves something."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import brotli
import httpx
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.dependencies import version_of
from gateway.edge import content_coding
from gateway.edge.content_coding import AT_ONCE, ONCE_FOR_ALL
from gateway.edge.metrics import FAST_PATH
from gateway.edge.representation import SMALLEST, UNCOMPRESSED, RepresentationMiddleware, matching
from tests.support.gateway import Gateway

LONG = json.dumps([{"unit": "roads", "name": "راه‌ها"}] * 200, ensure_ascii=False).encode()
DECODERS = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda content: zstandard.ZstdDecompressor().decompressobj().decompress(content),
}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("GZIP;q=1.0", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1, br;q=0.9", "gzip"),
        ("zstd;q=0, br;q=0.2, gzip;q=0.1", "br"),
        ("*", "zstd"),
        ("*;q=0", None),
        ("*;q=0.5, zstd;q=0", "br"),
        ("identity;q=1, gzip;q=0.5", None),
        ("deflate", None),
        ("gzip;q=x", None),
        ("gzip;q=nan", None),
        ("gzip;q=2", None),
        ("br;" * 500, None),
    ],
)
def test_the_coding_is_what_the_client_likes_best(header: str, expected: str | None) -> None:
    assert content_coding.chosen(header, AT_ONCE) == expected


@given(st.text(max_size=300))
def test_no_header_is_too_odd(header: str) -> None:
    assert content_coding.chosen(header, AT_ONCE) in (None, *AT_ONCE)


def test_what_is_sent_to_everybody_is_sent_in_the_smallest_coding() -> None:
    assert content_coding.chosen("gzip, deflate, br, zstd", ONCE_FOR_ALL) == "br"


@given(st.binary(max_size=5000), st.sampled_from(AT_ONCE), st.booleans())
def test_what_is_encoded_is_decoded_again(content: bytes, coding: str, best: bool) -> None:
    assert DECODERS[coding](content_coding.encode(coding, content, best=best)) == content


# --- one answer ---


def ask(answer: Response, method: str = "GET", route: str = "/v1/cases", **headers: str) -> httpx.Response:
    """The answer as a client gets it, not decoded. `headers`: with underscores."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope[FAST_PATH] = route
        await answer(scope, receive, send)

    return send_to(RepresentationMiddleware(app), method, headers)


def send_to(app: ASGIApp, method: str, headers: dict[str, str]) -> httpx.Response:
    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        sent = {"accept-encoding": "identity", **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
            client.stream(method, "/", headers=sent) as answer,
        ):
            raw = b"".join([part async for part in answer.aiter_raw()])
            return httpx.Response(answer.status_code, headers=_plain(answer.headers), content=raw)

    return asyncio.run(go())


def _plain(headers: httpx.Headers) -> list[tuple[str, str]]:
    """So that httpx does not decode the content: the test does."""
    return [("x-coding" if name == "content-encoding" else name, value) for name, value in headers.items()]


def long_json(**headers: str) -> Response:
    return Response(LONG, 200, {name.replace("_", "-"): value for name, value in headers.items()}, "application/json")


@pytest.mark.parametrize("coding", AT_ONCE)
def test_a_long_answer_is_compressed(coding: str) -> None:
    answer = ask(long_json(), accept_encoding=coding)
    assert answer.headers["x-coding"] == coding
    assert DECODERS[coding](answer.content) == LONG
    assert int(answer.headers["content-length"]) == len(answer.content) < len(LONG) // 5
    assert "Accept-Encoding" in answer.headers["vary"]


def test_what_others_wrote_into_vary_stays() -> None:
    answer = ask(long_json(vary="Accept-Language"), accept_encoding="br")
    assert answer.headers["vary"] == "Accept-Language, Accept-Encoding"


def test_caches_on_the_way_know_that_it_depends_on_the_client() -> None:
    answer = ask(long_json())
    assert answer.content == LONG
    assert "x-coding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "answer",
    [
        Response(LONG[:SMALLEST].ljust(SMALLEST - 1)[: SMALLEST - 1], media_type="application/json"),
        Response(LONG, media_type="image/jpeg"),
        Response(LONG, media_type="text/event-stream"),
        Response(LONG, media_type="application/octet-stream"),
        Response(LONG, 206, {"content-range": "bytes 0-1/2"}, "text/csv"),
        Response(LONG, 200, {"content-encoding": "br"}, "application/json"),
        Response(LONG, 200, {"cache-control": "no-transform"}, "application/json"),
        Response(LONG, 422, media_type="application/json"),
        Response(LONG, media_type="text/html; charset=utf-8"),
    ],
)
def test_some_answers_are_sent_as_they_are(answer: Response) -> None:
    assert ask(answer, accept_encoding="zstd, br, gzip").content == answer.body


@pytest.mark.parametrize("route", sorted(UNCOMPRESSED))
def test_secrets_are_sent_as_they_are(route: str) -> None:
    assert ask(long_json(), route=route, accept_encoding="gzip").content == LONG


def test_answers_to_commands_are_sent_as_they_are() -> None:
    assert ask(long_json(), "POST", accept_encoding="gzip").content == LONG


def test_head_has_the_same_headers() -> None:
    get, head = (ask(long_json(), method, accept_encoding="br", etag='"1"') for method in ("GET", "HEAD"))
    assert dict(get.headers) == dict(head.headers)


async def _lines() -> AsyncIterator[bytes]:
    for number in range(400):
        yield b"%d,2026-11-27,roads,delay\r\n" % number


@pytest.mark.parametrize("coding", AT_ONCE)
def test_a_table_that_is_made_while_it_is_sent_is_compressed_in_parts(coding: str) -> None:
    answer = ask(
        StreamingResponse(_lines(), headers={"content-length": "99999"}, media_type="text/csv; charset=utf-8"),
        accept_encoding=coding,
    )
    assert answer.headers.get("content-length") != "99999"
    content = DECODERS[coding](answer.content)
    assert content.count(b"\r\n") == 400
    assert len(answer.content) < len(content) // 4


def test_the_public_is_sent_what_was_compressed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    encode = content_coding.encode

    def noted(coding: str, content: bytes, *, best: bool = False) -> bytes:
        made.append(coding)
        return encode(coding, content, best=best)

    monkeypatch.setattr("gateway.edge.representation.encode", noted)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope[FAST_PATH] = "/v1/office"
        await long_json(cache_control="public, max-age=60")(scope, receive, send)

    middleware = RepresentationMiddleware(app)
    answers = [send_to(middleware, "GET", {"accept_encoding": "br"}) for _ in range(3)]
    assert {brotli.decompress(answer.content) for answer in answers} == {LONG}
    assert made == ["br"]


# --- conditions ---


def test_json_has_an_etag_and_is_not_sent_twice() -> None:
    first = ask(long_json(cache_control="no-store", vary="Accept-Language"))
    again = ask(long_json(cache_control="no-store", vary="Accept-Language"), if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert (again.headers["cache-control"], again.headers["vary"]) == ("no-store", "Accept-Language, Accept-Encoding")
    assert not {"content-length", "content-type", "x-coding"} & again.headers.keys()


def test_a_version_alone_does_not_say_that_nothing_changed() -> None:
    first = ask(long_json(etag='"7"'))
    assert re.fullmatch(r'"7-[0-9a-f]{16}"', first.headers["etag"])
    assert version_of(first.headers["etag"]) == 7
    other = Response(LONG + b" ", 200, {"etag": '"7"'}, "application/json")
    assert ask(other, if_none_match=first.headers["etag"]).status_code == 200
    assert ask(long_json(etag='"7"'), if_none_match=first.headers["etag"]).status_code == 304


def test_a_compressed_answer_has_a_weak_etag_that_is_understood_everywhere() -> None:
    compressed = ask(long_json(etag='"7"'), accept_encoding="gzip")
    etag = compressed.headers["etag"]
    assert etag.startswith('W/"7-')
    assert version_of(etag) == 7
    again = ask(long_json(etag='"7"'), if_none_match=etag)
    assert (again.status_code, again.headers["etag"]) == (304, etag)


@pytest.mark.parametrize(
    ("if_none_match", "expected"),
    [
        ("", None),
        ('"a"', '"a"'),
        ('W/"a"', 'W/"a"'),
        ('"b", W/"a"', 'W/"a"'),
        ("*", '"a"'),
        ('"b"', None),
        ("a", None),
        ('"x,*,y"', None),
    ],
)
def test_an_etag_is_found_among_those_that_were_given(if_none_match: str, expected: str | None) -> None:
    assert matching(if_none_match, '"a"') == expected


# --- the whole application ---

_SECRETS = re.compile(
    r"token|password|secret$|tracking_code|recovery|otpauth|mobile|national_id|one_time|csrf|upload_id"
)
"""Fields that hold what only their reader may know, by their names."""
_HARMLESS = frozenset({"one_time_code_digits", "tracking_code_digits", "verified_mobile", "national_id", "mobile"})
"""Of /v1/office: rules, not values."""


def _fields(schemas: dict[str, Any], schema: dict[str, Any], seen: set[str]) -> Iterator[str]:
    reference = schema.get("$ref", "").rpartition("/")[2]
    if reference:
        if reference not in seen:
            seen.add(reference)
            yield from _fields(schemas, schemas[reference], seen)
        return
    parts = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
    parts += [schema["items"]] if "items" in schema else []
    for name, part in schema.get("properties", {}).items():
        yield name
        parts.append(part)
    for part in parts:
        yield from _fields(schemas, part, seen)


def test_whatever_gives_a_secret_is_not_compressed(unlimited_gateway: Gateway) -> None:
    document = unlimited_gateway.app.openapi()
    giving: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for status, answer in item.get("get", {}).get("responses", {}).items():
            for content in answer.get("content", {}).values() if status == "200" else ():
                fields = _fields(document["components"]["schemas"], content.get("schema", {}), set())
                secrets = {name for name in fields if _SECRETS.search(name)}
                if path == "/v1/office":
                    secrets -= _HARMLESS
                if secrets:
                    giving[path] = sorted(secrets)
    assert giving.keys() <= UNCOMPRESSED, giving
    assert {path for path in UNCOMPRESSED if "{secret}" not in path} <= giving.keys()


def _get(gateway: Gateway, path: str, **headers: str) -> httpx.Response:
    return gateway.send("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("path", ["/v1/openapi.json"])
def test_what_everybody_reads_is_small_and_read_once(unlimited_gateway: Gateway, path: str) -> None:
    plain = _get(unlimited_gateway, path, accept_encoding="identity")
    for coding in AT_ONCE:
        answer = _get(unlimited_gateway, path, accept_encoding=coding)
        assert answer.headers["content-encoding"] == coding
        assert answer.json() == plain.json()
        again = _get(unlimited_gateway, path, if_none_match=answer.headers["etag"])
        assert (again.status_code, again.content) == (304, b"")


def test_a_page_with_a_form_is_sent_as_it_is_and_its_style_compressed(unlimited_gateway: Gateway) -> None:
    for path in ("/follow", "/file/kind", "/file/unit", "/sign-in", "/verify"):
        assert "content-encoding" not in _get(unlimited_gateway, path, accept_encoding="gzip, br").headers, path
    home = _get(unlimited_gateway, "/", accept_encoding="gzip, br")
    assert home.headers["content-encoding"] == "br" or len(home.content) < SMALLEST
    style = re.search(r'href="(/pages/[^"]+\.css)"', home.text)
    assert style is not None
    assert _get(unlimited_gateway, style.group(1), accept_encoding="gzip, br").headers["content-encoding"] == "br"

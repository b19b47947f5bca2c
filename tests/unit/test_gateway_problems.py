"""Every error is a problem in the caller's language, and every answer carries the security headers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from contracts.errors import PeygirError, StaleVersion
from contracts.vocabulary import Language
from gateway.edge import language
from tests.support.gateway import UNLIMITED, Gateway, bearer, refusing

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return Gateway(tmp_path_factory.mktemp("state"), **UNLIMITED)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "fa"),
        ("fa-IR,fa;q=0.9", "fa"),
        ("en", "en"),
        ("en-GB,en;q=0.9,fa;q=0.8", "en"),
        ("de, en;q=0.5, fa;q=0.7", "fa"),
        ("de", "fa"),
        ("en;q=0", "fa"),
        ("en;q=x", "fa"),
        ("*", "fa"),
        (",;,;q", "fa"),
    ],
)
def test_the_language_is_that_of_the_caller(header: str, expected: str) -> None:
    assert language.preferred(header) is Language(expected)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("PUT", "/v1/submissions", 405, "method_not_allowed"),
        ("GET", "/v1/submissions", 405, "method_not_allowed"),
        ("GET", "/v1/catalogue", 503, "unavailable"),
        ("GET", "/v1/cases/not-a-uuid", 401, "not_authenticated"),
        ("GET", "/v1/figures?by=nothing", 422, "invalid_field"),
        ("GET", "/v1/figures?unknown=1", 422, "invalid_field"),
    ],
)
def test_an_error_is_a_problem_in_both_languages(
    gateway: Gateway, method: str, path: str, status: int, code: str
) -> None:
    fa = gateway.send(method, path, headers={"traceparent": TRACE})
    en = gateway.send(method, path, headers={"accept-language": "en"})

    for answer, lang in ((fa, "fa"), (en, "en")):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-language"] == lang
        body = answer.json()
        assert {"type", "title", "status", "detail", "code", "instance"} <= set(body)
        assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:peygir:problem:{code}")
        assert body["title"].isascii() is (lang == "en")
    assert fa.json()["instance"] == "urn:trace:4bf92f3577b34da6a3ce929d0e0e4736"
    assert fa.headers["x-request-id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/cases/counts", "POST"),
        ("PATCH", "/v1/searches/pins", "PUT"),
        ("GET", f"/v1/me/cases/{UUID(int=7)}/attachments/withdrawal", "POST"),
    ],
)
def test_405_is_that_of_the_path_and_not_of_one_that_also_matches(
    gateway: Gateway, method: str, path: str, allowed: str
) -> None:
    answer = gateway.send(method, path)
    assert (answer.status_code, answer.json()["code"], answer.headers["Allow"]) == (405, "method_not_allowed", allowed)


def test_405_lists_the_allowed_methods(gateway: Gateway) -> None:
    assert gateway.send("PUT", "/v1/submissions").headers["allow"] == "POST"


def test_each_field_has_its_message_in_both_languages(gateway: Gateway) -> None:
    body = {"kind": "x", "unit": "U", "ground": "waste", "text": "کم", "consent": False, "more": 1}
    for lang, short in (("fa", "دست‌کم ۱۰ نویسه لازم است."), ("en", "At least 10 characters are needed.")):
        problem = gateway.file(body, **{"accept-language": lang}).json()
        sentences = {error["field"]: error["message"] for error in problem["errors"]}
        assert set(sentences) == {"kind", "unit", "text", "consent", "more"}
        assert sentences["text"] == short
        assert all(sentence.isascii() is (lang == "en") for sentence in sentences.values())


def test_no_input_is_quoted(gateway: Gateway) -> None:
    answer = gateway.file({"kind": "my secret", "text": "my secret\x00"})

    assert "my secret" not in answer.text


def test_an_unexpected_error_is_500_without_details(gateway: Gateway) -> None:
    def broken(_: Any) -> Any:
        raise RuntimeError("a citizen wrote this")

    headers = bearer(gateway.keys.staff("head"))
    for answerer in (broken, refusing(PeygirError())):
        gateway.rabbit.answers["tracking.list_cases"] = answerer
        answer = gateway.send("GET", "/v1/cases", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert "citizen" not in answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_stale_version_error_contains_the_current_one(gateway: Gateway) -> None:
    gateway.rabbit.answers["tracking.execute"] = refusing(StaleVersion(current=9, changes=["note_added"]))
    answer = gateway.send(
        "POST",
        "/v1/cases/0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11/notes",
        json={"text": "یادداشت"},
        headers={**bearer(gateway.keys.staff("head")), "If-Match": '"8"', "Idempotency-Key": "once-and-once"},
    )

    assert (answer.status_code, answer.json()["params"]) == (412, {"current": 9, "changes": ["note_added"]})


@pytest.mark.parametrize("path", ["/v1/nothing", "/healthz", "/v1/openapi.json", "/"])
def test_every_answer_carries_the_security_headers(gateway: Gateway, path: str) -> None:
    headers = gateway.send("GET", path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "unsafe" not in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers
    assert len(headers["x-request-id"]) == 32


def test_other_origins_are_allowed_only_when_configured(
    gateway: Gateway, tmp_path_factory: pytest.TempPathFactory
) -> None:
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    closed = gateway.send("OPTIONS", "/v1/submissions", headers=headers)
    assert "access-control-allow-origin" not in closed.headers

    friendly = Gateway(tmp_path_factory.mktemp("state"), cors_origins="https://app.example", **UNLIMITED)
    preflight = friendly.send("OPTIONS", "/v1/submissions", headers=headers)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "https://app.example"
    assert "tracking-code" in preflight.headers["access-control-allow-headers"]
    other = friendly.send("GET", "/healthz", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


def test_the_public_port_has_no_metrics(gateway: Gateway) -> None:
    assert gateway.send("GET", "/metrics").status_code == 404
    assert gateway.send("GET", "/healthz").text == "alive\n"
    assert gateway.send("GET", "/readyz").text == "ready\n"


def test_a_gateway_that_cannot_publish_gives_the_reason(tmp_path_factory: pytest.TempPathFactory) -> None:
    made = Gateway(tmp_path_factory.mktemp("state"), **UNLIMITED)
    made.rabbit.up = False
    answer = made.send("GET", "/readyz")
    assert (answer.status_code, answer.text) == (503, "missing: broker\n")
    made.rabbit.takes_nothing = True
    answer = made.send("GET", "/readyz")
    assert (answer.status_code, answer.text) == (503, "broker blocks publishers\n")


def test_an_unchanged_catalogue_is_not_sent_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.support.gateway import CATALOGUE

    folder = tmp_path_factory.mktemp("state")
    made = Gateway(folder, **UNLIMITED)
    made.container.catalogue_cache.put(CATALOGUE)
    first = made.send("GET", "/v1/catalogue")
    assert (first.status_code, first.headers["etag"]) == (200, '"7"')
    again = made.send("GET", "/v1/catalogue", headers={"If-None-Match": '"7"'})
    assert (again.status_code, again.content) == (304, b"")
    assert made.send("GET", "/v1/catalogue", headers={"If-None-Match": '"6"'}).status_code == 200

    after_a_restart = Gateway(folder, **UNLIMITED)
    after_a_restart.container.catalogue_cache.load()
    assert after_a_restart.send("GET", "/v1/catalogue").json() == first.json()


def test_a_damaged_copy_of_the_catalogue_is_ignored(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("state")
    (folder / "catalogue.json").write_text('{"version": 3, "un')
    made = Gateway(folder, **UNLIMITED)
    made.container.catalogue_cache.load()

    assert made.container.catalogue_cache.current is None

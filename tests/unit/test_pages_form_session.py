"""The form session: which requests change it, what its cookies and its store show, how long it lives."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from contracts.vocabulary import Kind
from gateway.pages import routes
from gateway.pages.draft import Draft, OpenCase
from gateway.pages.form_session_store import FileStore
from gateway.pages.sign_in import PendingCode
from tests.support.gateway import Gateway
from tests.support.page_visitors import (
    MOBILE,
    TEXT,
    Clock,
    address,
    answers_well,
    at_every_page,
    code,
    cookie,
    draft,
    make,
    post,
)
from tests.support.pages import ELSEWHERE, OWN, Browser


def everything(gateway: Gateway) -> dict[str, bytes]:
    folder = gateway.settings.gateway_state_dir / "form-sessions"
    return {file.name: file.read_bytes() for file in sorted(folder.glob("[0-9a-f]*"))}


@pytest.mark.parametrize("headers", [ELSEWHERE, {"sec-fetch-site": "same-site"}, OWN, {}])
@pytest.mark.parametrize("path", list(routes.PAGES))
def test_reading_a_page_changes_nothing(gateway: Gateway, path: str, headers: dict[str, str]) -> None:
    browser = at_every_page(gateway, path)
    browser.open("/case/object")
    post(browser, "/case/object", {"text": "x" * 20_000})
    before = everything(gateway)
    assert before
    for query in ("", "?lang=en", "?note=withdraw.x"):
        for sent in (cookie(browser), ""):
            given = {**headers, "cookie": f"{sent}; peygir-language=fa" if sent else ""}
            answer = gateway.send("GET", address(path) + query, headers=given)
            assert answer.status_code != 500
            lines = answer.headers.get_list("set-cookie")
            sessions = [line for line in lines if "peygir-form-session" in line]
            foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
            assert not (sessions and (sent or foreign)), "a session replaces another"
            assert not (lines and sent and foreign), "another site's link changes something"
            assert everything(gateway) == before


@pytest.mark.parametrize("headers", [ELSEWHERE, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}])
@pytest.mark.parametrize("path", list(routes.PAGES))
def test_no_form_from_another_site_is_accepted_even_with_a_valid_token(
    gateway: Gateway, path: str, headers: dict[str, str]
) -> None:
    browser = at_every_page(gateway, path)
    browser.open("/case" if path.startswith("/case") else "/file/kind")
    token, before, calls_before = browser.token, everything(gateway), len(gateway.rabbit.calls)
    browser.open(address(path), "POST", headers, data={"token": token, "text": TEXT, "consent": "yes"})
    assert browser.answer.status_code == 403
    assert "سایت دیگری" in browser.text
    assert TEXT not in browser.source
    assert (everything(gateway), len(gateway.rabbit.calls)) == (before, calls_before)
    # A browser sends none of its cookies along there: the answer must not set others over them.
    for given in (headers, {}):
        without = gateway.send("POST", address(path), headers=given, data={"token": token, "text": TEXT})
        assert without.status_code == 403 or (path in routes.WITH_FILES and not given)
        assert "set-cookie" not in without.headers
    assert everything(gateway) == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),  # loaded again by the visitor
        ({"origin": "http://gateway"}, 200),
        ({"origin": "null"}, 200),
        ({}, 200),
        ({"origin": "http://gateway.evil.example"}, 403),
        ({"origin": "http://gateway", "sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_the_origin_sent_by_the_browser_decides(gateway: Gateway, headers: dict[str, str], status: int) -> None:
    browser = Browser(gateway)
    browser.open("/follow")
    browser.open("/follow", "POST", headers, data={"token": browser.token, "code": code(gateway)})
    assert browser.answer.status_code == status


def test_a_session_started_by_a_link_from_another_site_works(gateway: Gateway) -> None:
    browser = Browser(gateway)
    browser.open("/file/information/start", headers=ELSEWHERE)
    assert not browser.cookies
    browser.open("/file/information/start", "POST", OWN, data={"token": browser.token, "unit": "parks"})
    assert browser.answer.url.path == "/file/ground"
    browser.send("/file/ground", ground="waste")
    assert browser.answer.url.path == "/file/text"


# --- cookies ---


def test_with_https_cookies_are_bound_to_this_host(tmp_path: Path) -> None:
    gateway = make(tmp_path, public_url="https://peygir.qazvin.example")
    answers_well(gateway)
    browser = Browser(gateway)
    browser.open("/?lang=en")
    lines = browser.answer.history[0].headers.get_list("set-cookie") if browser.answer.history else []
    lines += gateway.send("GET", "/?lang=en").headers.get_list("set-cookie")
    assert {line.partition("=")[0] for line in lines} == {"__Host-peygir-form-session", "__Host-peygir-language"}
    for line in lines:
        attributes = {part.strip().lower() for part in line.split(";")[1:]}
        assert attributes == {"secure", "httponly", "path=/", "samesite=lax"}
    browser.open("/follow")
    browser.open(
        "/follow",
        "POST",
        {"origin": "https://peygir.qazvin.example", "host": "127.0.0.1:8000"},
        data={"token": browser.token, "code": code(gateway)},
    )
    assert browser.answer.url.path == "/case"


def test_without_https_they_have_plain_names(gateway: Gateway) -> None:
    [line] = gateway.send("GET", "/").headers.get_list("set-cookie")
    assert line.startswith("peygir-form-session=")
    assert "Secure" not in line


def test_a_reader_of_the_store_learns_nothing(gateway: Gateway) -> None:
    browser = Browser(gateway).given(draft=draft(text=TEXT, name="شاکی نمونه"), case=OpenCase(code="4821093755182604"))
    [(name, content)] = everything(gateway).items()
    assert browser.cookies["peygir-form-session"] not in name + content.decode()
    for secret in (TEXT, "شاکی", "4821093755182604", "parks", "complaint"):
        assert secret.encode() not in content
    stranger = Browser(gateway)
    stranger.cookies = {"peygir-form-session": name}
    assert stranger.holds().read("draft", Draft) is None
    # Put under another session's record, it cannot be opened either.
    other = Browser(gateway).given(mobile=PendingCode(mobile=MOBILE))
    folder = gateway.settings.gateway_state_dir / "form-sessions"
    [theirs] = [file for file in folder.glob("[0-9a-f]*") if file.name != name]
    theirs.write_bytes(content)
    assert other.holds().read("draft", Draft) is None


def test_everything_is_deleted_a_day_after_its_last_change(gateway: Gateway, clock: Clock) -> None:
    Browser(gateway).given(draft=draft(text=TEXT))
    assert everything(gateway)
    clock.ahead = 24 * 3600 + 60
    store = FileStore(gateway.settings.gateway_state_dir / "form-sessions", 1000, 10_000_000, clock=time.time)
    store.sweep()
    assert not everything(gateway)


def test_deleting_a_session_deletes_unsent_input_too(gateway: Gateway) -> None:
    browser = Browser(gateway).given(draft=draft(Kind.INFORMATION, ground="waste", done=["unit", "ground"]))
    browser.open("/file/text")
    browser.send("/file/text", text="کوتاه")
    browser.open("/file/kind")
    browser.send("/file/forget")
    assert not browser.holds().names("")
    asyncio.run(browser.holds().load())

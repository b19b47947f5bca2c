"""What is typed into a page is there afterwards, whatever the answer was; over every page that has a field for text."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import (
    Conflict,
    DeadlinePassed,
    NotAllowed,
    NotAuthenticated,
    PeygirError,
    TooMany,
    Unavailable,
    WrongStage,
)
from contracts.vocabulary import Kind
from gateway.pages import evidence, routes
from gateway.pages.draft import OpenCase, SignedIn
from gateway.pages.form_session_store import FileStore, StoreUnavailable
from gateway.pages.page_context import Page, PageContext
from tests.support.gateway import CATALOGUE, UNLIMITED, Gateway
from tests.support.page_visitors import (
    CODE_FIELDS,
    MOBILE,
    TEXT,
    Clock,
    address,
    answers_well,
    at_every_page,
    code,
    draft,
    fill,
    make,
    post,
    shows,
    signed_in,
)
from tests.support.pages import OWN, Browser, multipart
from texts.errors import error_text


def test_the_pages_with_text_input_are_all_listed(text_pages: dict[str, list[str]]) -> None:
    wanted = {"/file/{kind:str}/start", "/file/mobile", "/file/name", "/file/text", "/case/answer"}
    wanted |= {f"/file/{step}" for step in ("questions/{code:str}", "place", "date", "people", "reference")}
    assert wanted | {"/case/object", "/case/withdraw", "/case/write", "/verify", "/sign-in"} | CODE_FIELDS <= set(
        text_pages
    )


def failing(page: Page, raise_it: Callable[[], None]) -> Page:
    """The page as it is, whose command fails when it is posted to."""

    async def failing_page(context: PageContext) -> Any:
        if context.request.method != "POST":
            return await page(context)
        if context.path in routes.WITH_FILES:
            assert await evidence.read_form_with_file(context, [])
        raise_it()
        raise AssertionError

    return failing_page


ERRORS: list[PeygirError] = [
    Unavailable(retry_after=5),
    DeadlinePassed(retry_after=5),
    TooMany(retry_after=7),
    Conflict(),
    WrongStage(),
    NotAllowed(),
    NotAuthenticated(),
    PeygirError(),
]


class Failing:
    """A gateway whose every page with text raises `error` when it is posted to."""

    def __init__(self, folder: Path, pages: Iterable[str]) -> None:
        self.error: Exception = PeygirError()
        with pytest.MonkeyPatch.context() as patched:
            for path in pages:
                patched.setitem(routes.PAGES, path, failing(routes.PAGES[path], self._raise))
            self.gateway = make(folder)
        answers_well(self.gateway)

    def _raise(self) -> None:
        raise self.error


@pytest.fixture(scope="module")
def failure(tmp_path_factory: pytest.TempPathFactory, text_pages: dict[str, list[str]]) -> Failing:
    return Failing(tmp_path_factory.mktemp("failing"), text_pages)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_after_any_error_the_text_is_in_the_answer_and_on_the_page(
    failure: Failing, text_pages: dict[str, list[str]], error: PeygirError
) -> None:
    gateway, failure.error = failure.gateway, error
    for path, fields in text_pages.items():
        browser = at_every_page(gateway, path)
        browser.open(address(path))
        typed = fill(browser, fields)
        post(browser, address(path), typed)
        assert browser.answer.status_code == error.status, path
        assert error_text(error, "fa") in browser.source
        shows(browser, typed)
        if "retry_after" in error.params:
            assert browser.answer.headers["retry-after"] == str(error.params["retry_after"])
        if path not in CODE_FIELDS:
            browser.open("/")
            browser.open(address(path))
            assert browser.answer.status_code == 200
            shows(browser, typed)


def test_after_an_unexpected_error_the_text_is_on_the_page(failure: Failing, text_pages: dict[str, list[str]]) -> None:
    gateway, failure.error = failure.gateway, RuntimeError("nobody foresaw it")
    kept = {path: fields for path, fields in text_pages.items() if path not in CODE_FIELDS}
    for path, fields in kept.items():
        browser = at_every_page(gateway, path)
        browser.open(address(path))
        typed = fill(browser, fields)
        post(browser, address(path), typed)
        assert browser.answer.status_code == 500
        browser.open(address(path))
        shows(browser, typed)


def sent_with_a_false_token(
    gateway: Gateway, path: str, fields: list[str], **headers: str
) -> tuple[Browser, dict[str, str]]:
    """A visitor whose form was refused for its token, and what they had typed into it."""
    browser = at_every_page(gateway, path)
    browser.open(address(path))
    typed = fill(browser, fields)
    post(browser, address(path), {**typed, "token": "." + "0" * 40}, **headers)
    assert browser.answer.status_code == 403, path
    return browser, typed


def test_a_form_of_an_earlier_session_is_shown_again_with_its_text(
    gateway: Gateway, text_pages: dict[str, list[str]]
) -> None:
    for path, fields in text_pages.items():
        browser, typed = sent_with_a_false_token(gateway, path, fields, **OWN)
        assert "دوباره بفرستید" in browser.text
        shows(browser, typed)
        # And the form that is shown works.
        assert browser.token != "." + "0" * 40


def test_a_possibly_forged_form_is_shown_and_neither_stored_nor_offered(
    gateway: Gateway, text_pages: dict[str, list[str]]
) -> None:
    for path, fields in text_pages.items():
        browser, typed = sent_with_a_false_token(gateway, path, fields)
        if path not in CODE_FIELDS:
            shows(browser, typed)
        assert not browser.hidden
        browser.open(address(path))
        assert not any(value in browser.source for value in typed.values())


class Away(FileStore):
    """A store that can be told to take nothing."""

    away = False

    async def change(self, *what: Any) -> None:
        if self.away:
            raise StoreUnavailable
        await super().change(*what)


def test_without_storage_the_text_stays_on_the_page_with_a_notice(
    tmp_path: Path, text_pages: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Away(tmp_path / "form-sessions", 1000, 10_000_000)
    monkeypatch.setattr("gateway.app.make_store", lambda _: store)
    gateway = make(tmp_path)
    answers_well(gateway)
    browser = Browser(gateway).given(draft=draft(done=["name", "unit", "ground"]), citizen=signed_in(gateway))
    browser.open("/file/text")
    store.away = True
    long = "پرونده من سه ماه است که مانده است. " * 200
    post(browser, "/file/text", {"text": long})
    assert (browser.answer.status_code, browser.answer.headers["retry-after"]) == (503, "30")
    assert "نمی‌تواند نوشته شما را نگه دارد" in browser.text
    assert long in browser.source
    store.away = False
    post(browser, "/file/text", {"text": long})
    assert browser.answer.status_code == 200
    browser.open("/file/text")
    assert long.strip() in browser.source


def test_a_code_is_shown_even_without_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Away(tmp_path / "form-sessions", 1000, 10_000_000)
    monkeypatch.setattr("gateway.app.make_store", lambda _: store)
    gateway = make(tmp_path)
    filing = draft(Kind.CRITICISM, ground="delay", anonymous=True, text="چراغ‌های بوستان ملت خاموش است.")
    browser = Browser(gateway).given(draft=filing)
    browser.open("/file/review")
    store.away = True
    post(browser, "/file/review", {"consent": "yes"})
    assert browser.answer.status_code == 200
    assert 'class="code"' in browser.answer.text
    assert len(gateway.rabbit.published) == 1


# --- time ---


@pytest.mark.parametrize("minutes", [62, 121, 23 * 60])
def test_a_text_written_past_the_session_returns_after_signing_in(gateway: Gateway, clock: Clock, minutes: int) -> None:
    browser = Browser(gateway).given(draft=draft(done=["name", "unit", "ground"]), citizen=signed_in(gateway))
    browser.open("/file/text")
    clock.ahead = minutes * 60
    post(browser, "/file/text", {"text": TEXT})
    assert browser.answer.url.path == "/file/mobile"
    assert "آنچه نوشته‌اید نگه داشته شده است" in browser.text
    browser.send("/file/mobile", mobile=MOBILE)
    browser.send("/file/code", code="123456")
    assert browser.answer.url.path == "/file/text"
    assert "پیش‌تر اینجا نوشته‌اید" in browser.text
    assert TEXT in browser.source
    post(browser, "/file/text", {"text": TEXT})
    assert browser.answer.url.path != "/file/text"
    assert "آنچه نوشته‌اید نگه داشته شده است" not in browser.text


def test_a_deleted_draft_is_reported_and_the_last_input_kept(gateway: Gateway, clock: Clock) -> None:
    filing = draft(Kind.INFORMATION, ground="waste", done=["unit", "ground"])
    browser = Browser(gateway).given(draft=filing)
    browser.open("/file/text")
    clock.ahead = 24 * 3600 + 60
    post(browser, "/file/text", {"text": TEXT})
    assert browser.answer.url.path == "/file/kind"
    assert "پیش‌نویسی از شما اینجا نیست" in browser.text
    assert "آنچه نوشته‌اید نگه داشته شده است" in browser.text
    browser.send("/file/kind", kind="information")
    browser.send("/file/unit", unit="parks")
    browser.send("/file/ground", ground="waste")
    assert TEXT in browser.source


@pytest.mark.parametrize("form", ["/case/object", "/case/answer", "/case/withdraw"])
def test_text_is_kept_when_its_case_times_out_and_is_opened_again(gateway: Gateway, clock: Clock, form: str) -> None:
    browser, mine = Browser(gateway), code(gateway)
    browser.open("/follow")
    browser.send("/follow", code=mine)
    browser.open(form)
    clock.ahead = 62 * 60
    post(browser, form, {"text": TEXT})
    assert browser.answer.url.path == "/follow"
    assert "آنچه نوشته‌اید نگه داشته شده است" in browser.text
    # Another case shows nothing of it.
    browser.send("/follow", code=code(gateway))
    assert browser.answer.url.path == "/case"
    assert TEXT not in browser.source
    browser.open(form)
    assert TEXT not in browser.source
    browser.open("/follow")
    browser.send("/follow", code=mine)
    assert browser.answer.url.path == form
    assert TEXT in browser.source


def test_a_form_over_the_general_budget_is_shown_with_its_text_and_stored(
    tmp_path: Path, text_pages: dict[str, list[str]], clock: Clock
) -> None:
    gateway = Gateway(tmp_path, **{**UNLIMITED, "limit_anonymous": "3/minute"})
    gateway.container.catalogue_cache.put(CATALOGUE)
    answers_well(gateway)
    for path, fields in text_pages.items():
        if path in CODE_FIELDS:
            continue
        clock.ahead += 3600
        browser = at_every_page(gateway, path)
        browser.open(address(path))
        typed, form = fill(browser, fields), browser.hidden
        while gateway.send("GET", "/").status_code != 429:
            pass
        sent = {**form, **typed}
        more: dict[str, Any] = multipart(sent) if path in routes.WITH_FILES else {"headers": {}, "data": sent}
        browser.open(address(path), "POST", **more)
        assert browser.answer.status_code == 429, path
        shows(browser, typed)
        clock.ahead += 3600
        kept = browser.holds()
        if opened := kept.read("case", OpenCase):
            browser.given(case=opened)
        if citizen := kept.read("citizen", SignedIn):
            browser.given(citizen=citizen.model_copy(update={"expires_at": time.time() + 900}))
        browser.open(address(path))
        shows(browser, typed)

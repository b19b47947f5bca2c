"""What is typed into a page is there afterwards, whatever the answer was; over every page that has a field for text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from contracts import tracking_codes
from contracts.accounts import OtpSent, Tokens
from contracts.base import now
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
from contracts.tracking import ExecuteCitizenCommand, OpenQuestion, PublicCase
from contracts.vocabulary import Kind, Stage
from gateway.pages import evidence, routes
from gateway.pages.draft import Draft, OpenCase, SignedIn
from gateway.pages.signing_in import Pending
from gateway.pages.visit import Page, Visit
from gateway.pages.visit_store import FileStore, StoreUnavailable
from tests.support.gateway import CATALOGUE, UNLIMITED, Gateway, refusing
from tests.support.pages import ELSEWHERE, OWN, Browser, multipart

MOBILE = "+989121234567"
CODE_FIELDS = {"/follow", "/file/code", "/sign-in/code", "/file/unit"}
"""Codes are secrets and a search is quickly typed again: these are shown again, and not kept."""


def public_case(**more: Any) -> PublicCase:
    known: dict[str, Any] = {
        "case_id": uuid4(),
        "kind": Kind.CRITICISM,
        "stage": Stage.AWAITING_CITIZEN,
        "unit_name_fa": "پارک‌ها",
        "unit_name_en": "Parks",
        "ground": "delay",
        "filed_at": now(),
        "expected_on": None,
        "question": OpenQuestion(question_id=uuid4(), text="نخستین بار چه روزی بود؟", asked_at=now()),
        "can": ["answer_question", "rate", "object", "withdraw"],
        "timeline": [],
        "version": 5,
    }
    return PublicCase(**{**known, **more})


def draft(kind: Kind = Kind.COMPLAINT, **more: Any) -> Draft:
    done = ["mobile", "code", "name", "unit", "ground", "text", "place", "date", "people", "reference"]
    done += ["questions/day", "questions/times", "questions/what", "evidence", "identity"]
    ground = "delay" if kind is Kind.COMPLAINT else "conduct"
    known = {"unit": "parks", "ground": ground, "name": "شاکی نمونه", "done": done, "anonymous": False}
    return Draft(kind=kind, **{**known, **more})


def make(folder: Path, **settings: Any) -> Gateway:
    made = Gateway(folder, **UNLIMITED, **settings)
    made.container.catalogue_cache.put(CATALOGUE)
    return made


@pytest.fixture(scope="module")
def only_one(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return make(tmp_path_factory.mktemp("state"))


@pytest.fixture
def gateway(only_one: Gateway) -> Gateway:
    """It keeps nothing of the test before."""
    folder = only_one.settings.gateway_state_dir / "visits"
    for file in folder.glob("[0-9a-f]*"):
        file.unlink()
    only_one.rabbit.asked.clear()
    only_one.rabbit.published.clear()
    answers_well(only_one)
    return only_one


def answers_well(gateway: Gateway) -> None:
    case = public_case()
    gateway.rabbit.answers["tracking.view_by_code"] = lambda _: case
    gateway.rabbit.answers["tracking.execute_citizen"] = lambda _: case
    gateway.rabbit.answers["accounts.request_otp"] = lambda _: OtpSent(resend_after=60, expires_in=300)
    gateway.rabbit.answers["accounts.verify_otp"] = lambda _: tokens(gateway)


def tokens(gateway: Gateway) -> Tokens:
    return Tokens(access_token=gateway.keys.citizen(MOBILE), refresh_token="r" * 40, expires_in=900)


def signed_in(gateway: Gateway) -> SignedIn:
    given = tokens(gateway)
    return SignedIn(
        access_token=given.access_token, refresh_token=given.refresh_token, mobile=MOBILE, expires_at=time.time() + 900
    )


def code(gateway: Gateway) -> str:
    return tracking_codes.mint(gateway.container.mac_keys)


def at_every_page(gateway: Gateway, path: str) -> Browser:
    """A visitor who may see this page: a full draft, an opened case, signed in where the page needs it or must not have it."""
    browser = Browser(gateway).given(case=OpenCase(code=code(gateway)))
    if path in ("/file/mobile", "/file/code", "/sign-in", "/sign-in/code") or "{kind" in path:
        return browser.given(mobile=Pending(mobile=MOBILE), **({} if "{kind" in path else {"draft": draft()}))
    kind = Kind.CRITICISM if path == "/file/questions/{code:str}" else Kind.COMPLAINT
    return browser.given(draft=draft(kind), citizen=signed_in(gateway))


def address(path: str) -> str:
    return path.replace(":str", "").format(
        kind="complaint", code="day", media_id="m" * 22, variant="thumbnail", seal="x"
    )


@pytest.fixture(scope="module")
def text_pages(only_one: Gateway) -> dict[str, list[str]]:
    """Pages with fields for text, and those fields."""
    gateway = only_one
    answers_well(gateway)
    found = {}
    for path in routes.PAGES:
        browser = at_every_page(gateway, path)
        answer = gateway.send("GET", address(path), headers={"cookie": cookie(browser)})
        if answer.status_code == 200 and "text/html" in answer.headers.get("content-type", ""):
            browser.answer = answer
            if browser.typable:
                found[path] = browser.typable
    return found


def cookie(browser: Browser) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def test_the_pages_with_text_are_those_that_are_known(text_pages: dict[str, list[str]]) -> None:
    wanted = {"/file/{kind:str}/start", "/file/mobile", "/file/name", "/file/text", "/case/answer"}
    wanted |= {f"/file/{step}" for step in ("questions/{code:str}", "place", "date", "people", "reference")}
    assert wanted | {"/case/object", "/case/withdraw", "/verify", "/sign-in"} | CODE_FIELDS <= set(text_pages)


def failing(page: Page, raise_it: Callable[[], None]) -> Page:
    """The page as it is, whose command fails when it is posted to."""

    async def failing_page(visit: Visit) -> Any:
        if visit.request.method != "POST":
            return await page(visit)
        if visit.path in routes.WITH_FILES:
            assert await evidence.read_form_with_file(visit, [])
        raise_it()
        raise AssertionError

    return failing_page


def fill(browser: Browser, fields: list[str]) -> dict[str, str]:
    return {name: f"«{name}» نوشته شد & <b>" for name in fields}


def post(browser: Browser, path: str, typed: dict[str, str], **headers: str) -> str:
    fields = {**browser.hidden, **typed}
    if path in routes.WITH_FILES:
        form = multipart(fields)
        return browser.open(path, "POST", {**headers, **form["headers"]}, content=form["content"])
    return browser.open(path, "POST", headers, data=fields)


def shows(browser: Browser, typed: dict[str, str]) -> None:
    for value in typed.values():
        assert value in browser.source, browser.text


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
        assert error.text("fa") in browser.source
        shows(browser, typed)
        if "retry_after" in error.params:
            assert browser.answer.headers["retry-after"] == str(error.params["retry_after"])
        if path not in CODE_FIELDS:
            browser.open("/")
            browser.open(address(path))
            assert browser.answer.status_code == 200
            shows(browser, typed)


def test_after_an_error_that_nobody_foresaw_the_text_is_on_the_page(
    failure: Failing, text_pages: dict[str, list[str]]
) -> None:
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


def test_a_form_of_an_earlier_visit_is_shown_again_with_its_text(
    gateway: Gateway, text_pages: dict[str, list[str]]
) -> None:
    for path, fields in text_pages.items():
        browser = at_every_page(gateway, path)
        browser.open(address(path))
        typed = fill(browser, fields)
        post(browser, address(path), {**typed, "token": "." + "0" * 40}, **OWN)
        assert browser.answer.status_code == 403, path
        assert "دوباره بفرستید" in browser.text
        shows(browser, typed)
        # And the form that is shown works.
        assert browser.token != "." + "0" * 40


def test_a_form_that_may_be_forged_is_shown_and_neither_kept_nor_offered(
    gateway: Gateway, text_pages: dict[str, list[str]]
) -> None:
    for path, fields in text_pages.items():
        browser = at_every_page(gateway, path)
        browser.open(address(path))
        typed = fill(browser, fields)
        post(browser, address(path), {**typed, "token": "." + "0" * 40})
        assert browser.answer.status_code == 403, path
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


def test_while_nothing_can_be_kept_the_text_stays_on_the_page_and_is_said_to(
    tmp_path: Path, text_pages: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Away(tmp_path / "visits", 1000, 10_000_000)
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


def test_a_code_is_shown_even_where_nothing_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Away(tmp_path / "visits", 1000, 10_000_000)
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


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead, real = 0.0, time.time
        monkeypatch.setattr(time, "time", lambda: real() + self.ahead)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


TEXT = "پرونده پایان کار من سه ماه است که مانده و هر بار می‌گویند هفته دیگر بیایید."


@pytest.mark.parametrize("minutes", [62, 121, 23 * 60])
def test_after_long_writing_the_text_comes_back_once_one_is_signed_in_again(
    gateway: Gateway, clock: Clock, minutes: int
) -> None:
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


def test_a_draft_that_is_gone_is_said_to_be_and_what_was_just_typed_is_kept(gateway: Gateway, clock: Clock) -> None:
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
def test_what_was_written_is_there_after_its_case_was_closed_by_time_and_opened_again(
    gateway: Gateway, clock: Clock, form: str
) -> None:
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


def test_a_form_over_the_general_budget_is_shown_with_its_text_and_kept(
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


# --- answers ---


@pytest.fixture
def following(gateway: Gateway) -> Browser:
    browser = Browser(gateway)
    browser.open("/follow")
    browser.send("/follow", code=code(gateway))
    return browser


@pytest.mark.parametrize("path", ["/case/answer", "/case/object", "/case/withdraw"])
def test_try_again_finds_the_text_and_its_key_and_success_forgets_it(
    gateway: Gateway, following: Browser, path: str
) -> None:
    well = gateway.rabbit.answers["tracking.execute_citizen"]
    gateway.rabbit.answers["tracking.execute_citizen"] = refusing(DeadlinePassed(retry_after=5))
    following.open(path)
    key = following.hidden["key"]
    post(following, path, {"text": TEXT})
    assert following.answer.status_code == 504
    assert TEXT in following.source
    following.open(path)
    assert TEXT in following.source
    assert following.hidden["key"] == key, "the second try could have its effect twice"
    gateway.rabbit.answers["tracking.execute_citizen"] = well
    post(following, path, {"text": TEXT})
    assert following.answer.url.path == "/case"
    assert TEXT not in following.source
    sent = [asked for name, asked in gateway.rabbit.asked if name == "tracking.execute_citizen"]
    assert {asked.idempotency_key for asked in sent if isinstance(asked, ExecuteCitizenCommand)} == {key}
    following.open(path)
    assert TEXT not in following.source


def test_what_can_no_longer_be_sent_is_shown_with_the_case(gateway: Gateway, following: Browser) -> None:
    following.open("/case/object")
    gateway.rabbit.answers["tracking.execute_citizen"] = refusing(WrongStage())
    moved_on = public_case(can=[], stage=Stage.CLOSED, question=None)
    gateway.rabbit.answers["tracking.view_by_code"] = lambda _: moved_on
    post(following, "/case/object", {"text": TEXT})
    assert following.answer.url.path == "/case"
    assert TEXT in following.source
    assert "فرستاده نشده است" in following.text


def test_a_second_click_is_no_text_that_was_not_sent(gateway: Gateway, following: Browser) -> None:
    following.open("/case/object")
    form = {**following.hidden, "text": TEXT}
    following.open("/case/object", "POST", data=form)
    assert "اعتراض شما ثبت شد" in following.text
    gateway.rabbit.answers["tracking.execute_citizen"] = refusing(WrongStage())
    following.open("/case/object", "POST", data=form)
    assert TEXT not in following.source


def test_a_form_of_one_case_is_not_sent_to_another_that_was_opened_meanwhile(
    gateway: Gateway, following: Browser
) -> None:
    following.open("/case/object")
    form = {**following.hidden, "text": TEXT}
    following.open("/follow")
    following.send("/follow", code=code(gateway))
    following.open("/case/object", "POST", data=form)
    assert following.answer.status_code == 403
    assert "پرونده دیگری" in following.text
    assert TEXT in following.source
    assert not [name for name, _ in gateway.rabbit.asked if name == "tracking.execute_citizen"]
    following.open("/case/object")
    assert TEXT not in following.source


def test_a_form_that_breaks_off_on_the_way_keeps_what_arrived(gateway: Gateway, following: Browser) -> None:
    following.open("/case/answer")
    form = multipart({**following.hidden, "text": TEXT}, b"x" * 5000, "photo.jpg")
    cut = {**form["headers"], "content-length": str(len(form["content"]))}
    following.open("/case/answer", "POST", cut, content=form["content"][:-4000])
    assert TEXT in following.source
    following.open("/case/answer")
    assert TEXT in following.source


# --- size ---


def test_the_longest_text_goes_through_with_small_cookies(gateway: Gateway) -> None:
    text = ("😀" * 4990 + "پایان نوشته بلند من").ljust(10_000, "۵")
    assert len(text) == 10_000
    browser = Browser(gateway)
    browser.open("/file/information/start")
    browser.send("/file/unit", unit="parks")
    browser.send("/file/ground", ground="waste")
    browser.send("/file/text", text=text)
    for _ in range(12):
        if browser.answer.url.path == "/file/review":
            break
        post(browser, browser.answer.url.path, {"identity": "anonymous"})
    assert text in browser.source
    browser.send("/file/review", consent="yes")
    assert browser.answer.url.path == "/file/done"
    assert gateway.last().text == text
    assert len(cookie(browser)) < 200
    browser.send("/file/done", saved="yes")
    browser.open("/case/answer")
    post(browser, "/case/answer", {"text": text[1:]})
    assert len(cookie(browser)) < 200


def test_a_text_that_is_too_long_is_told_beside_its_field_and_stays(gateway: Gateway) -> None:
    browser = Browser(gateway).given(draft=draft(Kind.INFORMATION, ground="waste", done=["unit", "ground"]))
    browser.open("/file/text")
    text = "😀" * 10_001
    browser.send("/file/text", text=text)
    assert browser.answer.status_code == 422
    assert 'id="text-error"' in browser.answer.text
    assert text in browser.source


# --- two pages at once ---


def test_two_pages_of_one_draft_keep_both_their_texts(gateway: Gateway) -> None:
    done = draft(Kind.CRITICISM, ground="delay").done
    browser = Browser(gateway).given(draft=draft(Kind.CRITICISM, ground="delay", done=done))
    browser.open("/file/text")
    text_form = browser.hidden
    browser.open("/file/name")
    name_form = browser.hidden
    browser.open("/file/text", "POST", data={**text_form, "text": TEXT})
    browser.open("/file/name", "POST", data={**name_form, "name": "نام تازه من"})
    kept = browser.holds().read("draft", Draft)
    assert kept is not None
    assert (kept.text, kept.name) == (TEXT, "نام تازه من")


def test_signing_in_changes_the_visit_and_takes_the_draft_along(gateway: Gateway) -> None:
    browser = Browser(gateway).given(draft=draft(done=["name", "unit", "ground"], text=TEXT))
    planted = dict(browser.cookies)
    browser.open("/file/mobile")
    browser.send("/file/mobile", mobile=MOBILE)
    browser.send("/file/code", code="123456")
    assert browser.cookies["peygir-visit"] != planted["peygir-visit"]
    assert TEXT in browser.open("/file/text")
    other = Browser(gateway)
    other.cookies = planted
    assert other.holds().read("citizen", SignedIn) is None
    assert other.holds().read("draft", Draft) is None
    # Out again: another visit, and the draft goes along.
    signed = dict(browser.cookies)
    browser.open("/mine/leave", "POST", data={"token": browser.token})
    assert browser.cookies["peygir-visit"] != signed["peygir-visit"]
    assert browser.holds().read("citizen", SignedIn) is None
    kept = browser.holds().read("draft", Draft)
    assert kept is not None
    assert kept.text == TEXT
    other.cookies = signed
    assert other.holds().read("citizen", SignedIn) is None


# --- other sites ---


def everything(gateway: Gateway) -> dict[str, bytes]:
    folder = gateway.settings.gateway_state_dir / "visits"
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
            visits = [line for line in lines if "peygir-visit" in line]
            foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
            assert not (visits and (sent or foreign)), "a visit is begun over another"
            assert not (lines and sent and foreign), "another site's link changes something"
            assert everything(gateway) == before


@pytest.mark.parametrize("headers", [ELSEWHERE, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}])
@pytest.mark.parametrize("path", list(routes.PAGES))
def test_no_form_of_another_site_is_taken_even_with_a_good_token(
    gateway: Gateway, path: str, headers: dict[str, str]
) -> None:
    browser = at_every_page(gateway, path)
    browser.open("/case" if path.startswith("/case") else "/file/kind")
    token, before, asked = browser.token, everything(gateway), len(gateway.rabbit.asked)
    browser.open(address(path), "POST", headers, data={"token": token, "text": TEXT, "consent": "yes"})
    assert browser.answer.status_code == 403
    assert "سایت دیگری" in browser.text
    assert TEXT not in browser.source
    assert (everything(gateway), len(gateway.rabbit.asked)) == (before, asked)
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
        ({"origin": "http://door"}, 200),
        ({"origin": "null"}, 200),
        ({}, 200),
        ({"origin": "http://door.evil.example"}, 403),
        ({"origin": "http://door", "sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_what_the_browser_says_of_its_origin_decides(gateway: Gateway, headers: dict[str, str], status: int) -> None:
    browser = Browser(gateway)
    browser.open("/follow")
    browser.open("/follow", "POST", headers, data={"token": browser.token, "code": code(gateway)})
    assert browser.answer.status_code == status


def test_a_first_visit_that_begins_by_a_link_of_another_site_works(gateway: Gateway) -> None:
    browser = Browser(gateway)
    browser.open("/file/information/start", headers=ELSEWHERE)
    assert not browser.cookies
    browser.open("/file/information/start", "POST", OWN, data={"token": browser.token, "unit": "parks"})
    assert browser.answer.url.path == "/file/ground"
    browser.send("/file/ground", ground="waste")
    assert browser.answer.url.path == "/file/text"


# --- cookies ---


def test_where_citizens_come_by_https_cookies_are_bound_to_this_host(tmp_path: Path) -> None:
    gateway = make(tmp_path, public_url="https://peygir.qazvin.example")
    answers_well(gateway)
    browser = Browser(gateway)
    browser.open("/?lang=en")
    lines = browser.answer.history[0].headers.get_list("set-cookie") if browser.answer.history else []
    lines += gateway.send("GET", "/?lang=en").headers.get_list("set-cookie")
    assert {line.partition("=")[0] for line in lines} == {"__Host-peygir-visit", "__Host-peygir-language"}
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
    assert line.startswith("peygir-visit=")
    assert "Secure" not in line


def test_who_reads_the_store_learns_nothing(gateway: Gateway) -> None:
    browser = Browser(gateway).given(draft=draft(text=TEXT, name="شاکی نمونه"), case=OpenCase(code="4821093755182604"))
    [(name, content)] = everything(gateway).items()
    assert browser.cookies["peygir-visit"] not in name + content.decode()
    for secret in (TEXT, "شاکی", "4821093755182604", "parks", "complaint"):
        assert secret.encode() not in content
    stranger = Browser(gateway)
    stranger.cookies = {"peygir-visit": name}
    assert stranger.holds().read("draft", Draft) is None
    # Put under another visit's record, it cannot be opened either.
    other = Browser(gateway).given(mobile=Pending(mobile=MOBILE))
    folder = gateway.settings.gateway_state_dir / "visits"
    [theirs] = [file for file in folder.glob("[0-9a-f]*") if file.name != name]
    theirs.write_bytes(content)
    assert other.holds().read("draft", Draft) is None


def test_everything_is_gone_a_day_after_its_last_change(gateway: Gateway, clock: Clock) -> None:
    Browser(gateway).given(draft=draft(text=TEXT))
    assert everything(gateway)
    clock.ahead = 24 * 3600 + 60
    store = FileStore(gateway.settings.gateway_state_dir / "visits", 1000, 10_000_000, clock=time.time)
    store.sweep()
    assert not everything(gateway)


def test_forgetting_forgets_what_was_not_sent_too(gateway: Gateway) -> None:
    browser = Browser(gateway).given(draft=draft(Kind.INFORMATION, ground="waste", done=["unit", "ground"]))
    browser.open("/file/text")
    browser.send("/file/text", text="کوتاه")
    browser.open("/file/kind")
    browser.send("/file/forget")
    assert not browser.holds().names("")
    asyncio.run(browser.holds().load())

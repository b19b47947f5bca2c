"""Forms of an open case and long texts: sent once, kept until sent, never sent to another case."""

from __future__ import annotations

import pytest

from contracts.errors import (
    DeadlinePassed,
    WrongStage,
)
from contracts.tracking import ExecuteCitizenCommand, SendMessage
from contracts.vocabulary import Kind, Stage
from gateway.pages.draft import Draft, SignedIn
from tests.support.gateway import Gateway, refusing
from tests.support.page_visitors import MOBILE, TEXT, code, cookie, draft, post, public_case
from tests.support.pages import Browser, multipart


@pytest.fixture
def following(gateway: Gateway) -> Browser:
    browser = Browser(gateway)
    browser.open("/follow")
    browser.send("/follow", code=code(gateway))
    return browser


@pytest.mark.parametrize("path", ["/case/answer", "/case/object", "/case/withdraw", "/case/write"])
def test_a_retry_keeps_text_and_key_and_success_clears_them(gateway: Gateway, following: Browser, path: str) -> None:
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
    sent = [request for name, request in gateway.rabbit.calls if name == "tracking.execute_citizen"]
    assert {request.idempotency_key for request in sent if isinstance(request, ExecuteCitizenCommand)} == {key}
    following.open(path)
    assert TEXT not in following.source


def test_text_that_can_no_longer_be_sent_is_shown_with_the_case(gateway: Gateway, following: Browser) -> None:
    following.open("/case/object")
    gateway.rabbit.answers["tracking.execute_citizen"] = refusing(WrongStage())
    moved_on = public_case(can=[], stage=Stage.CLOSED, question=None)
    gateway.rabbit.answers["tracking.view_by_code"] = lambda _: moved_on
    post(following, "/case/object", {"text": TEXT})
    assert following.answer.url.path == "/case"
    assert TEXT in following.source
    assert "فرستاده نشده است" in following.text


def test_a_second_click_leaves_no_unsent_text(gateway: Gateway, following: Browser) -> None:
    following.open("/case/object")
    form = {**following.hidden, "text": TEXT}
    following.open("/case/object", "POST", data=form)
    assert "اعتراض شما ثبت شد" in following.text
    gateway.rabbit.answers["tracking.execute_citizen"] = refusing(WrongStage())
    following.open("/case/object", "POST", data=form)
    assert TEXT not in following.source


def test_a_form_of_one_case_is_not_sent_to_another_opened_meanwhile(gateway: Gateway, following: Browser) -> None:
    following.open("/case/object")
    form = {**following.hidden, "text": TEXT}
    following.open("/follow")
    following.send("/follow", code=code(gateway))
    following.open("/case/object", "POST", data=form)
    assert following.answer.status_code == 403
    assert "پرونده دیگری" in following.text
    assert TEXT in following.source
    assert not [name for name, _ in gateway.rabbit.calls if name == "tracking.execute_citizen"]
    following.open("/case/object")
    assert TEXT not in following.source


def test_an_interrupted_form_keeps_what_arrived(gateway: Gateway, following: Browser) -> None:
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


def test_a_text_that_is_too_long_is_reported_at_its_field_and_kept(gateway: Gateway) -> None:
    browser = Browser(gateway).given(draft=draft(Kind.INFORMATION, ground="waste", done=["unit", "ground"]))
    browser.open("/file/text")
    text = "😀" * 10_001
    browser.send("/file/text", text=text)
    assert browser.answer.status_code == 422
    assert 'id="text-error"' in browser.answer.text
    assert text in browser.source


# --- two pages at once ---


def test_two_pages_of_one_draft_keep_both_texts(gateway: Gateway) -> None:
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


def test_signing_in_renews_the_session_and_keeps_the_draft(gateway: Gateway) -> None:
    browser = Browser(gateway).given(draft=draft(done=["name", "unit", "ground"], text=TEXT))
    planted = dict(browser.cookies)
    browser.open("/file/mobile")
    browser.send("/file/mobile", mobile=MOBILE)
    browser.send("/file/code", code="123456")
    assert browser.cookies["peygir-form-session"] != planted["peygir-form-session"]
    assert TEXT in browser.open("/file/text")
    other = Browser(gateway)
    other.cookies = planted
    assert other.holds().read("citizen", SignedIn) is None
    assert other.holds().read("draft", Draft) is None
    # Out again: another session, and the draft goes along.
    signed = dict(browser.cookies)
    browser.open("/mine/leave", "POST", data={"token": browser.token})
    assert browser.cookies["peygir-form-session"] != signed["peygir-form-session"]
    assert browser.holds().read("citizen", SignedIn) is None
    kept = browser.holds().read("draft", Draft)
    assert kept is not None
    assert kept.text == TEXT
    other.cookies = signed
    assert other.holds().read("citizen", SignedIn) is None


def test_a_message_is_written_from_the_case_page_while_the_case_takes_one(gateway: Gateway, following: Browser) -> None:
    following.open("/case")
    assert "/case/write" in following.source
    post(following, "/case/write", {"text": TEXT})
    assert "پیام شما فرستاده شد." in following.text
    [request] = [request for name, request in gateway.rabbit.calls if name == "tracking.execute_citizen"]
    assert isinstance(request, ExecuteCitizenCommand)
    assert request.command == SendMessage(text=TEXT)


def test_no_message_is_offered_for_a_case_that_takes_none(gateway: Gateway) -> None:
    gateway.rabbit.answers["tracking.view_by_code"] = lambda _: public_case(messages_left=0)
    browser = Browser(gateway)
    browser.open("/follow")
    browser.send("/follow", code=code(gateway))
    browser.open("/case/write")
    assert browser.answer.url.path == "/case"
    assert "/case/write" not in browser.source

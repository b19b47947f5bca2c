"""What an operator filed for a citizen, on the page of their own cases: it is theirs, or it is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from contracts.desk import FiledForMe, FiledForMeItem
from contracts.errors import AlreadyDecided, Unavailable
from contracts.notify import MessagePage
from contracts.tracking import OwnCases
from tests.support.gateway import Gateway, refusing
from tests.support.page_visitors import MOBILE, post, signed_in
from tests.support.pages import Browser

WAITING = FiledForMeItem(
    case_id=uuid4(),
    kind="complaint",
    unit_name_fa="پارک‌ها",
    unit_name_en="Parks",
    channel="counter",
    filed_at=datetime(2026, 11, 23, 8, 30, tzinfo=UTC),
)


@pytest.fixture
def browser(gateway: Gateway) -> Browser:
    gateway.rabbit.answers["tracking.list_own_cases"] = lambda _: OwnCases(items=[])
    gateway.rabbit.answers["notify.list_messages"] = lambda _: MessagePage(items=[])
    gateway.rabbit.answers["intake.list_filed_for_me"] = lambda _: FiledForMe(items=[WAITING])
    gateway.rabbit.answers["intake.answer_filed_for_me"] = lambda _: FiledForMe(items=[])
    return Browser(gateway).given(citizen=signed_in(gateway))


@pytest.mark.parametrize(("button", "mine"), [("mine", True), ("not_mine", False)])
def test_it_is_shown_and_answered(gateway: Gateway, browser: Browser, button: str, mine: bool) -> None:
    browser.open("/mine")
    assert "ثبت‌شده برای شما" in browser.source
    assert "پارک‌ها" in browser.source
    post(browser, "/mine/filed", {button: str(WAITING.case_id)})
    requests: list[Any] = [request for name, request in gateway.rabbit.calls if name == "intake.answer_filed_for_me"]
    [request] = requests
    assert (request.case_id, request.mine) == (WAITING.case_id, mine)
    assert request.mobile_hash == gateway.container.filing.mobile_hash(MOBILE)


def test_an_answer_that_was_given_already_shows_what_is_left(gateway: Gateway, browser: Browser) -> None:
    gateway.rabbit.answers["intake.answer_filed_for_me"] = refusing(AlreadyDecided())
    browser.open("/mine")
    post(browser, "/mine/filed", {"mine": str(WAITING.case_id)})
    assert "ثبت‌شده برای شما" in browser.source


def test_own_cases_are_shown_while_intake_is_away(gateway: Gateway, browser: Browser) -> None:
    gateway.rabbit.answers["intake.list_filed_for_me"] = refusing(Unavailable(retry_after=5))
    browser.open("/mine")
    assert browser.answer.status_code == 200
    assert "ثبت‌شده برای شما" not in browser.source

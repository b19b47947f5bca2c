"""The plain pages where something is away or wrong: what the visitor reads, and what they need not do again."""

from __future__ import annotations

import html
import re
from uuid import uuid4

import pytest

from contracts import tracking_codes
from contracts.base import now
from contracts.errors import DeadlinePassed, UnknownCase
from contracts.tracking import OpenQuestion, PublicCase
from contracts.vocabulary import Kind, Stage
from tests.support.gateway import Gateway, refusing
from tests.support.pages import Browser


@pytest.fixture
def gateway(unlimited_gateway: Gateway) -> Gateway:
    unlimited_gateway.rabbit.reset()
    return unlimited_gateway


@pytest.fixture
def browser(gateway: Gateway) -> Browser:
    return Browser(gateway)


def test_an_unavailable_status_is_explained_and_shown_later(gateway: Gateway, browser: Browser) -> None:
    gateway.rabbit.answers["tracking.view_by_code"] = refusing(DeadlinePassed(retry_after=5))
    browser.open("/follow")
    page_text = browser.send("/follow", code=tracking_codes.mint(gateway.container.mac_keys))

    assert (browser.answer.status_code, browser.answer.headers["retry-after"]) == (503, "5")
    assert "وضعیت اکنون خوانده نمی‌شود" in page_text
    assert "آنچه ثبت کرده‌اید محفوظ است" in page_text
    assert "در حال ثبت" not in page_text
    # The code need not be typed again.
    gateway.rabbit.answers["tracking.view_by_code"] = refusing(UnknownCase())
    assert "در حال ثبت است" in browser.open("/case")


# --- a form that came as another type than was asked for ---


@pytest.fixture
def at_evidence(browser: Browser) -> Browser:
    """At the step of the form where files are chosen."""
    browser.goes_to_evidence()
    assert 'action="/file/evidence"' in browser.answer.text
    return browser


BROKEN = "فایل کامل نرسید؛ دوباره بفرستید"


def file_error(browser: Browser) -> str:
    """What is said beside the field for the file."""
    match = re.search(r'id="file-error">.*?</span>(.*?)</span>', browser.answer.text, re.DOTALL)
    return html.unescape(match.group(1)) if match else ""


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "multipart/form-data", "image/jpeg", ""])
@pytest.mark.parametrize("path", ["/file/evidence", "/file/evidence/more"])
def test_a_wrong_content_type_is_reported_at_the_file_field(at_evidence: Browser, path: str, content_type: str) -> None:
    at_evidence.open(path, "POST", {"content-type": content_type}, content=b"\xff\xd8 no form at all")

    assert at_evidence.answer.status_code == 422
    assert BROKEN in file_error(at_evidence)
    assert 'action="/file/evidence"' in at_evidence.answer.text
    # The form that is shown works, and nothing typed before is lost.
    at_evidence.open("/file/text")
    assert "پرونده سه ماه مانده است." in at_evidence.text


def test_a_form_without_its_file_is_reported_at_the_file_field(at_evidence: Browser) -> None:
    at_evidence.send("/file/evidence", file="photo.jpg")
    assert (at_evidence.answer.status_code, BROKEN in file_error(at_evidence)) == (422, True)


def test_such_a_form_from_a_foreign_page_is_refused(at_evidence: Browser) -> None:
    at_evidence.open("/file/evidence", "POST", data={"token": "x" * 40, "file": "photo.jpg"})
    assert at_evidence.answer.status_code == 403


def test_an_answer_that_came_as_another_type_keeps_its_text(gateway: Gateway, browser: Browser) -> None:
    gateway.rabbit.answers["tracking.view_by_code"] = lambda _: PublicCase(
        case_id=uuid4(),
        kind=Kind.CRITICISM,
        stage=Stage.AWAITING_CITIZEN,
        unit_name_fa="پارک‌ها",
        unit_name_en="Parks",
        ground="delay",
        filed_at=now(),
        expected_on=None,
        question=OpenQuestion(question_id=uuid4(), text="نخستین بار چه روزی بود؟", asked_at=now()),
        can=["answer_question"],
        timeline=[],
        version=5,
    )
    browser.open("/follow")
    browser.send("/follow", code=tracking_codes.mint(gateway.container.mac_keys))
    browser.open("/case/answer")
    browser.send("/case/answer", text="دوم شهریور")
    assert (browser.answer.status_code, BROKEN in file_error(browser)) == (422, True)
    assert "دوم شهریور" in browser.text

    browser.open("/case/answer", "POST", {"content-type": "text/plain"}, content=b"nothing of the form")
    assert (browser.answer.status_code, BROKEN in file_error(browser)) == (422, True)
    assert "دوم شهریور" in browser.text

"""The plain form, page by page: one question on each, as many parts from the first to the last, whatever is typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from backbone.persian import jalali
from contracts import tracking_codes
from contracts.base import now
from contracts.intake import Catalogue, Condition, Ground, Option, Question, QuestionType
from contracts.media import UploadState
from contracts.tracking import FiledText, PublicCase, SentAttachment
from contracts.vocabulary import Kind, Stage
from tests.support.gateway import CATALOGUE, UNLIMITED, Gateway
from tests.support.page_visitors import public_case
from tests.support.pages import Browser

TEXT = "پرونده سه ماه مانده است."
QUESTIONS = [
    Question(code="day", type=QuestionType.DATE, name_fa="روز مراجعه", name_en="Day of the visit", required=True),
    Question(
        code="where",
        type=QuestionType.CHOICE,
        name_fa="کجا",
        name_en="Where",
        options=[
            Option(value="desk", name_fa="پیشخوان", name_en="Counter"),
            Option(value="phone", name_fa="تلفن", name_en="Phone"),
        ],
    ),
    Question(
        code="counter",
        type=QuestionType.TEXT,
        name_fa="کدام پیشخوان",
        name_en="Which counter",
        required=True,
        when=Condition(question="where", values=["desk"]),
    ),
    Question(code="times", type=QuestionType.NUMBER, name_fa="چند بار", name_en="How often"),
]
ASKING = Ground(code="asking", kinds=[Kind.CRITICISM], name_fa="پرسنده", name_en="Asking", questions=QUESTIONS)
FORM = Catalogue(version=9, units=CATALOGUE.units, grounds=[*CATALOGUE.grounds, ASKING])
PAGES = {"fa": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "en": "text/html"}


@pytest.fixture(scope="module")
def module_gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    made = Gateway(tmp_path_factory.mktemp("state"), **UNLIMITED)
    made.container.catalogue_cache.put(FORM)
    return made


@pytest.fixture
def gateway(module_gateway: Gateway) -> Gateway:
    module_gateway.rabbit.answers.clear()
    module_gateway.rabbit.published.clear()
    return module_gateway


class Reader(Browser):
    """Whoever reads the pages in a language."""

    def __init__(self, gateway: Gateway, language: str) -> None:
        super().__init__(gateway)
        self.language = language
        self.open(f"/?lang={language}")


@pytest.fixture(params=["fa", "en"])
def browser(gateway: Gateway, request: pytest.FixtureRequest) -> Reader:
    return Reader(gateway, request.param)


def page_of(browser: Browser) -> str:
    """The address that the shown form is posted to."""
    return str(browser.answer.url.path)


def step_of(browser: Reader) -> tuple[str, str]:
    """Which part of how many, in the digits of the page."""
    match = re.search(r'class="step">\D*([0-9۰-۹]+)\D+([0-9۰-۹]+)', browser.answer.text)
    assert match, browser.text
    return match.group(1), match.group(2)


def questions_on(browser: Reader) -> int:
    """How many things are asked for: fields, and groups of boxes or choices as one each."""
    main = browser.answer.text.split("<main", 1)[1].split("</main>", 1)[0]
    groups = re.findall(r"<fieldset.*?</fieldset>", main, re.DOTALL)
    rest = re.sub(r"<fieldset.*?</fieldset>", "", main, flags=re.DOTALL)
    single = re.findall(r"<(?:textarea|input)(?![^>]*type=\"hidden\")[^>]*>", rest)
    return len(groups) + len(single)


def walked(browser: Reader, kind: str = "criticism") -> Iterator[str]:
    """Goes through the whole form; each page's path, while it is shown."""
    browser.open(f"/file/{kind}/start")
    typed = {
        "unit": {"unit": "parks"},
        "ground": {"ground": "asking"},
        "questions/day": {"q_day": "۲۹ / ۸ / ۱۴۰۵"},
        "questions/where": {"q_where": "desk"},
        "questions/counter": {"q_counter": "۳"},
        "questions/times": {"q_times": "۴"},
        "text": {"text": TEXT},
        "place": {"address": "خیابان سپه"},
        "date": {"day": "29", "month": "8", "year": "1405"},
        "people": {"people": "کارمند باجه ۳\n\u200c\nمدیر"},
        "reference": {"reference": "۱۴۰۵-۱۲"},
        "evidence": None,
        "identity": {"identity": "anonymous"},
    }
    for step, fields in typed.items():
        yield step
        if fields is None:
            token = {"token": (None, browser.token)}
            browser.open("/file/evidence", "POST", files={**token, "file": ("", b"", "application/octet-stream")})
        else:
            browser.send(f"/file/{step}", **fields)
    yield "review"


def test_every_page_asks_one_question_and_the_number_of_steps_is_constant(browser: Reader) -> None:
    seen, parts = [], []
    for step in walked(browser):
        if step != "unit":  # a search and a list are two ways to say one thing
            assert page_of(browser) == f"/file/{step}"
            assert questions_on(browser) == 1, step
        assert len(re.findall(r"<h1", browser.answer.text)) == 1
        seen.append(step)
        parts.append(step_of(browser))
    assert {total for _, total in parts} == {"۵" if browser.language == "fa" else "5"}
    assert [part for part, _ in parts] == sorted(part for part, _ in parts)
    assert parts[0][0] in ("۱", "1")
    assert parts[-1][0] == parts[-1][1]
    assert len(seen) == 14


def test_input_from_all_pages_is_filed_completely(gateway: Gateway, browser: Reader) -> None:
    for _ in walked(browser):
        pass
    for text in (TEXT, "خیابان سپه", "کارمند باجه", "۱۴۰۵-۱۲", "پیشخوان" if browser.language == "fa" else "Counter"):
        assert text in browser.text
    browser.send("/file/review", consent="yes")
    filed = gateway.last()
    assert filed.answers == {"day": "2026-11-20", "where": "desk", "counter": "۳", "times": 4}
    assert (filed.happened_on, filed.reference) == ("2026-11-20", "۱۴۰۵-۱۲")
    assert filed.place is not None
    assert filed.place.address == "خیابان سپه"
    assert filed.people == ["کارمند باجه ۳", "مدیر"]


def test_a_conditional_question_is_asked_only_after_its_answer(gateway: Gateway, browser: Reader) -> None:
    browser.open("/file/criticism/start")
    browser.send("/file/unit", unit="parks")
    browser.send("/file/ground", ground="asking")
    browser.send("/file/questions/day", q_day="2026-11-20")
    browser.send("/file/questions/where", q_where="phone")
    assert page_of(browser) == "/file/questions/times"
    browser.open("/file/questions/where")
    browser.send("/file/questions/where", q_where="desk")
    assert page_of(browser) == "/file/questions/counter"
    assert browser.send("/file/questions/counter", q_counter="\u200c\u2800")
    assert browser.answer.status_code == 422
    browser.send("/file/questions/counter", q_counter="۳")
    # And away again: its answer is no more, and would be asked anew.
    browser.open("/file/questions/where")
    browser.send("/file/questions/where", q_where="phone")
    browser.open("/file/questions/where")
    browser.send("/file/questions/where", q_where="desk")
    assert page_of(browser) == "/file/questions/counter"
    assert 'value="۳"' not in browser.answer.text


@pytest.mark.parametrize("step", ["questions/times", "place", "date", "people", "reference"])
def test_an_optional_question_is_skipped_by_its_button(browser: Reader, step: str) -> None:
    for at in walked(browser):
        if at == step:
            break
    browser.send(f"/file/{step}", skip="yes", address="x", q_times="3", day="31", people="x", reference="x")
    assert browser.answer.status_code == 200
    assert page_of(browser) != f"/file/{step}"
    browser.open(f"/file/{step}")
    assert not re.search(r'value="(?:x|3|۳|31)"', browser.answer.text)


def test_a_required_question_has_no_skip_button(browser: Reader) -> None:
    for at in walked(browser):
        if at == "questions/day":
            break
    assert 'name="skip"' not in browser.answer.text
    browser.send("/file/questions/day", skip="yes")
    assert browser.answer.status_code == 422


# --- days ---


@pytest.fixture
def at_date(browser: Reader) -> Reader:
    for step in walked(browser):
        if step == "date":
            return browser
    raise AssertionError


HINTS = {"fa": "۲ / ۹ / ۱۴۰۵", "en": "23 / 11 / 2026"}


def test_the_hint_is_shown_and_its_example_is_accepted(at_date: Reader) -> None:
    hint = HINTS[at_date.language]
    assert hint in at_date.text
    for boxes in ({"day": hint}, dict(zip(("day", "month", "year"), hint.split(" / "), strict=True))):
        at_date.open("/file/date")
        at_date.send("/file/date", **boxes)
        assert at_date.answer.status_code == 200, at_date.text
        at_date.open("/file/review")
        at_date.open("/file/date")
        shown = dict(re.findall(r'name="(day|month|year)"[^>]*?value="([^"]*)"', at_date.answer.text))
        assert " / ".join(shown[part] for part in ("day", "month", "year")) == hint


@pytest.mark.parametrize(
    ("day", "month", "year", "taken"),
    [
        ("1405", "9", "2", True),  # the year first
        ("2", "آذر", "1405", True),
        ("3", "4", "2026", True),  # the boxes say which is the month
        ("2", "9", "26", False),
        ("2", "9", "202", False),
        ("۲", "۹", "۱۴۰", False),
        ("2", "9", "05", False),
        ("31", "13", "1405", False),
        ("1", "1", "1379", False),
        ("1", "1", "0001", False),
        ("1", "1", "1450", False),
        ("2", "9", "", False),
        ("3/4/2026", "", "", False),
        ("دیروز", "", "", False),
    ],
)
def test_a_day_is_accepted_or_refused_with_its_reason_and_kept(
    at_date: Reader, day: str, month: str, year: str, taken: bool
) -> None:
    at_date.send("/file/date", day=day, month=month, year=year)
    assert at_date.answer.status_code == (200 if taken else 422)
    if not taken:
        assert 'id="day-error"' in at_date.answer.text
        shown = dict(re.findall(r'name="(day|month|year)"[^>]*?value="([^"]*)"', at_date.answer.text))
        assert shown == {"day": day, "month": month, "year": year}


def test_tomorrow_is_refused_and_today_accepted(at_date: Reader) -> None:
    today = jalali.today(now())
    for day, status in ((today + timedelta(days=1), 422), (today, 200)):
        at_date.open("/file/date")
        at_date.send("/file/date", day=day.isoformat())
        assert at_date.answer.status_code == status


# --- what cannot be seen ---


@pytest.mark.parametrize("typed", ["   ", "\u200c" * 12, "\u2800" * 12, "\u3164" * 12, "\u00ad" * 12, "\u064e" * 12])
def test_an_invisible_text_counts_as_missing(browser: Reader, typed: str) -> None:
    for step in walked(browser):
        if step == "text":
            break
    browser.send("/file/text", text=typed)
    assert browser.answer.status_code == 422
    assert 'id="text-error"' in browser.answer.text


# --- codes ---


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "پیگیر\nکد رهگیری شکایت شما:\n{}\nتلفن ۰۲۸۳۳۲۲۱۱۰۰",
        "کد {} شماره من 0912 345 6789",
        "ثبت در ۱۴۰۵/۰۹/۰۲ ساعت ۱۴:۰۵ کد: {}",
    ],
)
@pytest.mark.parametrize("mark", [" ", "-", "/", ".", "_", "–", "\u00a0"])
def test_a_code_is_found_in_pasted_text(gateway: Gateway, around: str, mark: str) -> None:
    browser = Browser(gateway)
    code = tracking_codes.mint(gateway.container.mac_keys)
    gateway.rabbit.answers["tracking.view_by_code"] = lambda _: a_case()
    browser.open("/follow")
    browser.send("/follow", code=around.format(mark.join(code[at : at + 4] for at in (0, 4, 8, 12))))
    assert page_of(browser) == "/case", browser.text


# --- an address that is none ---


def a_case(**more: object) -> PublicCase:
    investigating: dict[str, object] = {"stage": Stage.INVESTIGATING, "ground": "asking", "question": None, "can": []}
    return public_case(**(investigating | more))


WROTE = FiledText(
    text="آسفالت کوچه ما\nسه بار کنده شد.",
    answers={"day": "2026-11-20", "where": "desk", "gone": "پاسخ پرسشی که نیست"},
    happened_on="2026-11-19",
    address="خیابان سپه",
    reference="۱۴۰۵-۱۲",
    people=["کارمند باجه"],
)


def opened(gateway: Gateway, browser: Reader, case: PublicCase) -> str:
    """What the case's page says."""
    gateway.rabbit.answers["tracking.view_by_code"] = lambda _: case
    browser.open("/follow")
    return browser.send("/follow", code=tracking_codes.mint(gateway.container.mac_keys))


def test_the_case_page_shows_the_text_of_the_citizen(gateway: Gateway, browser: Reader) -> None:
    page_text = opened(gateway, browser, a_case(filed=WROTE))
    persian = browser.language == "fa"
    assert "آسفالت کوچه ما سه بار کنده شد." in page_text
    for part in ("خیابان سپه", "۱۴۰۵-۱۲", "کارمند باجه", "پاسخ پرسشی که نیست"):
        assert part in page_text
    assert ("۲۹ آبان ۱۴۰۵" if persian else "20 November 2026") in page_text
    assert ("پیشخوان" if persian else "Counter") in page_text


def test_an_answer_keeps_the_label_of_its_question_when_the_question_is_removed(
    gateway: Gateway, browser: Reader
) -> None:
    old_question = Question(
        code="gone", type=QuestionType.TEXT, name_fa="پرسش آن روز", name_en="The question of that day"
    )
    page_text = opened(gateway, browser, a_case(filed=WROTE.model_copy(update={"answered_questions": [old_question]})))
    assert (old_question.name_fa if browser.language == "fa" else old_question.name_en) in page_text
    assert "پاسخ پرسشی که نیست" in page_text


def test_a_case_with_erased_texts_shows_none(gateway: Gateway, browser: Reader) -> None:
    page_text = opened(gateway, browser, a_case(filed=None))
    assert browser.answer.status_code == 200
    assert ("آنچه نوشته‌اید" if browser.language == "fa" else "What you wrote") not in page_text


def test_attachments_are_named_by_their_type(gateway: Gateway, browser: Reader) -> None:
    types = ("image/jpeg", "audio/mpeg", "video/mp4", "application/pdf")
    sent = [
        SentAttachment(media_id=f"{at:022d}", state=UploadState.ACCEPTED, media_type=kind, size=2048, number=at + 1)
        for at, kind in enumerate(types)
    ]
    waiting = SentAttachment(media_id="w" * 22, state=UploadState.PROCESSING, number=5)
    page_text = opened(gateway, browser, a_case(attachments=[*sent, waiting]))
    names = {
        "fa": ("عکس ۱ ۲ کیلوبایت", "صدای ۲", "فیلم ۳", "سند ۴", "فایل ۵ : در حال بررسی"),
        "en": ("Photo 1 2 KB", "Recording 2", "Film 3", "Document 4", "File 5 : being checked"),
    }
    for name in names[browser.language]:
        assert name in page_text


def test_a_day_is_shown_as_it_is_in_tehran(gateway: Gateway, browser: Reader) -> None:
    """A quarter to midnight UTC is the next morning there."""
    filed_at = datetime(2026, 11, 22, 23, 45, tzinfo=UTC)
    page_text = opened(gateway, browser, a_case(filed_at=filed_at))
    assert ("۲ آذر ۱۴۰۵، ساعت ۰۳:۱۵" if browser.language == "fa" else "23 November 2026, 03:15") in page_text


@pytest.mark.parametrize("path", ["/nowhere", "/file/nowhere", "/case/files/", "/index.php", "/v2/things", "/%00"])
@pytest.mark.parametrize("language", ["fa", "en"])
def test_an_unknown_address_is_a_page_for_a_browser(gateway: Gateway, path: str, language: str) -> None:
    headers = {"accept": PAGES[language], "accept-language": language}
    answer = gateway.send("GET", path, headers=headers)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<html lang="{language}" dir="{"rtl" if language == "fa" else "ltr"}">' in answer.text
    assert ("این صفحه پیدا نشد" if language == "fa" else "This page was not found") in answer.text
    assert 'href="/"' in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "Accept" in answer.headers["vary"]


def test_the_chosen_language_overrides_that_of_the_browser(gateway: Gateway) -> None:
    headers = {"accept": "text/html", "accept-language": "fa", "cookie": "peygir-language=en"}
    assert '<html lang="en"' in gateway.send("GET", "/nowhere", headers=headers).text


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json", "application/json, text/html;q=0.5", "text/html;q=0"]
)
def test_an_unknown_address_is_a_problem_for_a_program(gateway: Gateway, accept: str) -> None:
    answer = gateway.send("GET", "/nowhere", headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1", "/v1/cases"])
def test_the_api_answers_browsers_with_problems_too(gateway: Gateway, path: str) -> None:
    answer = gateway.send("GET", path, headers={"accept": "text/html"})
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_unsupported_method_is_reported_on_a_page(gateway: Gateway) -> None:
    answer = gateway.send("PUT", "/follow", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (405, "text/html; charset=utf-8")
    assert "GET" in answer.headers["allow"]


def test_a_failure_of_ours_is_a_page_without_a_trace(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("gateway.pages.page_context.style_path", fails)
    answer = gateway.send("GET", "/follow", headers={"accept": "text/html", "accept-language": "en"})
    assert (answer.status_code, answer.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "Something went wrong on our side" in answer.text
    assert "secret" not in answer.text

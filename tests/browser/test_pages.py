"""A real browser walks the plain pages, in Persian and English, without script."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.demo import evidence
from deploy.demo.phones import Phone
from tests.browser.conftest import Walker
from tests.e2e.people import Case, Town
from tests.support.processes import eventually

Walk = Callable[..., Walker]
TEXT = "مصالح بازسازی بوستان شبانه با خودروی شخصی برده می‌شود."
WORDS = {
    "fa": {
        "search": "جست‌وجو",
        "send": "ثبت می‌کنم",
        "follow": "پیگیری پرونده",
        "registered": "ثبت شد",
        "answer": "پاسخ را بفرست",
        "arrived": "پاسخ شما رسید.",
        "investigating": "در دست بازرس",
        "problem": "ایرادی هست",
        "anonymous": "بی‌نام",
        "skip": "این پرسش را رد می‌کنم",
        "wrote": "آنچه نوشته‌اید",
        "choose": "انتخاب فایل",
    },
    "en": {
        "search": "Search",
        "send": "Send it",
        "follow": "Follow up a case",
        "registered": "Registered",
        "answer": "Send the answer",
        "arrived": "Your answer has arrived.",
        "investigating": "Being investigated",
        "problem": "There is a problem",
        "anonymous": "Anonymous",
        "skip": "Skip this question",
        "wrote": "What you wrote",
        "choose": "Choose a file",
    },
}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "street.jpg"
    file.write_bytes(evidence.photo())
    return file


def code_on(walker: Walker) -> str:
    """The 16 digits that the page shows in four groups."""
    shown = walker.page.locator(".code").inner_text()
    digits = re.sub(r"\s", "", shown).translate(str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789"))
    assert re.fullmatch(r"\d{16}", digits), shown
    return digits


def choose_unit(walker: Walker, words: dict[str, str], name: str, code: str) -> None:
    walker.page.fill("#search", name)
    walker.next(words["search"])
    walker.shot("units-found")
    walker.page.locator(f'button[name=unit][value="{code}"]').first.click()


DETAILS = ("place", "date", "people", "reference")


def answer_questions(walker: Walker, values: dict[str, str]) -> None:
    """Every question of the ground, one a page: with one of these values, or left out."""
    while "/file/questions/" in walker.page.url:
        for field, value in values.items():
            if walker.page.locator(field).count():
                walker.page.fill(field, value)
        walker.shot("question-of-a-ground")
        walker.next()


def skip_details(walker: Walker) -> None:
    """Past place, day, people and file number, none of which has to be given."""
    for step in DETAILS:
        assert walker.page.url.endswith(f"/file/{step}"), walker.page.url
        walker.next()


def until(walker: Walker, text: str) -> None:
    """Loads the case again until the page says this."""

    def page_says_so() -> bool:
        walker.open("/case")
        return walker.shows(text)

    eventually(page_says_so, why=f"the page does not say {text}")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_an_anonymous_report_with_a_photo_is_filed_followed_and_answered(
    walk: Walk, town: Town, photo: Path, language: str
) -> None:
    words, walker = WORDS[language], walk()
    walker.open("/" if language == "fa" else "/?lang=en")
    page = walker.page
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("html").get_attribute("dir") == ("rtl" if language == "fa" else "ltr")
    walker.shot("home")
    page.click('a[href="/file/information/start"]')
    walker.shot("unit")
    choose_unit(walker, words, "بوستان" if language == "fa" else "parks", "org.green.parks")
    page.check("input[value=waste]")
    walker.shot("ground")
    walker.next()
    page.fill("#text", TEXT)
    walker.shot("text")
    walker.next()
    page.fill("#address", "بوستان ملت")
    walker.shot("place")
    walker.next()
    for part, value in (("day", "۲"), ("month", "۸"), ("year", "۱۴۰۵")) if language == "fa" else ():
        page.fill(f"#{part}", value)
    walker.shot("date")
    walker.next()
    page.fill("#people", "نگهبان بوستان")
    walker.shot("people")
    walker.next()
    walker.shot("reference")
    walker.next(words["skip"])
    # The control speaks the page's language until a file is chosen, and then tells which.
    assert page.locator(".file label").inner_text() == words["choose"]
    assert page.locator("#file").bounding_box() == {
        **(page.locator("#file").bounding_box() or {}),
        "width": 1,
        "height": 1,
    }
    page.set_input_files("#file", photo)
    assert (page.locator("#file").bounding_box() or {"width": 0})["width"] > 150
    page.locator("button[formaction]").click()
    assert page.locator(".files li").count() == 1
    walker.shot("evidence")
    walker.next()
    walker.shot("identity")
    walker.next()
    walker.shot("review")
    assert walker.shows(TEXT)
    assert walker.shows(words["anonymous"])
    assert language == "en" or walker.shows("۲ آبان ۱۴۰۵")
    page.check("#consent")
    walker.next(words["send"])
    code = code_on(walker)
    walker.shot("code")
    walker.next()
    assert walker.shows(words["problem"]), "the page goes on without the code being saved"
    page.click('a[href="/file/receipt"]')
    walker.shot("receipt")
    assert code_on(walker) == code
    walker.back()
    page.check("#saved")
    walker.next()
    until(walker, words["registered"])
    page.locator(".wrote summary", has_text=words["wrote"]).click()
    assert page.locator(".wrote .typed").inner_text() == TEXT
    assert page.locator(".wrote").get_by_text("نگهبان بوستان").is_visible()
    walker.shot("case")

    case = Case(code, town.caller(code=code), "", {})
    case_id = case.view()["case_id"]
    town.assigned(case).do(case_id, "citizen-questions", text="شماره خودرو چه بود؟")
    until(walker, "شماره خودرو چه بود؟")
    walker.shot("question")
    page.click('a[href="/case/answer"]')
    page.fill("#text", "۱۲ ایران ۳۴۵")
    page.set_input_files("#file", photo)
    walker.next(words["answer"])
    assert walker.shows(words["arrived"])
    assert walker.shows(words["investigating"])
    walker.shot("answered")
    answered = case.view()
    assert answered["timeline"][-1]["text"] == "۱۲ ایران ۳۴۵"
    assert len(answered["attachments"]) == 2

    # Another browser follows by the code, typed as a Persian keyboard types it.
    other = walk()
    other.open("/follow" if language == "fa" else "/follow?lang=en")
    assert other.shows(words["follow"])
    other.page.fill("#code", " ".join(code[at : at + 4] for at in (0, 4, 8, 12)).translate(PERSIAN))
    other.next()
    assert other.shows(words["investigating"])
    eventually(lambda: _pictures(other) == 2, timeout=60)
    other.shot("followed")
    link = other.page.locator(".files a").first.get_attribute("href")
    downloaded = other.page.request.get(other.base + str(link))
    assert downloaded.ok
    assert evidence.has_gps(photo.read_bytes())
    assert not evidence.has_gps(downloaded.body())
    for address in (*walker.addresses, *other.addresses):
        assert code not in address
        assert not re.search(r"\d{16}", address)


PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def _pictures(walker: Walker) -> int:
    walker.open("/case")
    return walker.page.locator(".files img").count()


def test_a_complaint_with_a_one_time_code_is_filed_decided_objected_to_and_found_again_by_its_mobile(
    walk: Walk, town: Town
) -> None:
    walker, phone, words = walk(), town.phone(), WORDS["fa"]
    page = walker.page
    walker.open("/")
    page.click('a[href="/file/complaint/start"]')
    page.fill("#mobile", "0" + phone.mobile[3:])
    walker.next()
    walker.shot("one-time-code")
    page.fill("#code", "0")
    walker.next()
    assert walker.shows("کد یک‌بارمصرف درست نیست یا زمان آن گذشته است.")
    walker.shot("wrong-one-time-code")
    page.fill("#code", one_time_code(phone).translate(PERSIAN))
    walker.next()
    page.fill("#name", "شاکی نمونه")
    walker.shot("name")
    walker.next()
    page.locator('button[name=under][value="dep.urb"]').click()
    walker.shot("unit-level")
    page.locator('button[name=unit][value="dep.urb.permits"]').click()
    page.check("input[value=delay]")
    walker.next()
    answer_questions(walker, {"#q_file_number": "۱۴۰۵-۱۲"})
    page.fill("#text", "پرونده من سه ماه است که مانده و هر بار می‌گویند هفته دیگر بیایید.")
    walker.next()
    skip_details(walker)
    walker.next()
    walker.shot("review")
    assert walker.shows("شاکی نمونه")
    page.check("#consent")
    walker.next(words["send"])
    code = code_on(walker)
    assert "-".join(code[at : at + 4] for at in (0, 4, 8, 12)) in phone.next(wait=90)
    page.check("#saved")
    walker.next()
    case = Case(code, town.caller(code=code), "", {})
    inspector = town.assigned(case)
    inspector.do(case.view()["case_id"], "decision", outcome="not_upheld", reasons="دلیلی یافت نشد.")
    until(walker, "دلیلی یافت نشد.")
    walker.shot("decided")
    page.click('a[href="/case/rate"]')
    walker.shot("rate")
    walker.next()
    assert walker.shows("یک نمره برگزینید")
    page.check("input[name=score][value='2']")
    page.check("#on_time-no")
    walker.next()
    assert walker.shows("نمره شما: ۲ از ۵")
    page.click('a[href="/case/object"]')
    page.fill("#text", "به مدرک من توجه نشد.")
    walker.shot("object")
    walker.next()
    assert walker.shows("در حال بازنگری اعتراض")
    page.click('a[href="/case/messages"]')
    eventually(lambda: _reload(walker, "اعتراض شما ثبت شد"))
    walker.shot("messages")

    # A code lost: the mobile finds the case again.
    other = walk()
    other.open("/mine")
    other.page.fill("#mobile", phone.mobile)
    other.next()
    other.page.fill("#code", one_time_code(phone))
    other.next()
    other.shot("mine")
    assert other.shows("اداره صدور پروانه")
    assert other.shows("اعتراض شما ثبت شد")
    other.next()
    assert other.shows("در حال بازنگری اعتراض")
    other.page.click('a[href="/case/withdraw"]')
    other.shot("withdraw")
    other.page.locator("main form button").click()
    assert other.shows("پس گرفته شد")
    assert case.view()["stage"] == "withdrawn"


def _reload(walker: Walker, text: str) -> bool:
    walker.page.reload()
    return walker.shows(text)


def one_time_code(phone: Phone) -> str:
    """The next one to arrive, other messages passed over."""
    while True:
        if match := re.search(r"\d{6}", phone.next()):
            return match.group()


@pytest.mark.parametrize("language", ["fa", "en"])
def test_errors_appear_at_their_fields_and_keep_the_typed_input(walk: Walk, language: str) -> None:
    walker = walk()
    page = walker.page
    walker.open("/file/information/start" if language == "fa" else "/file/information/start?lang=en")
    if language == "en":
        walker.open("/file/information/start")
    page.locator('button[name=unit][value="d1"]').click()
    walker.next()
    assert page.title().startswith("خطا: " if language == "fa" else "Error: ")
    walker.shot("no-ground")
    page.locator(".errors a").first.click()
    assert page.evaluate("document.activeElement.id") == "ground"
    page.check("input[value=other]")
    walker.next()
    page.fill("#text", "کوتاه")
    walker.next()
    assert page.input_value("#text") == "کوتاه"
    assert page.locator("#text").get_attribute("aria-invalid") == "true"
    described_by = page.locator("#text").get_attribute("aria-describedby") or ""
    assert page.locator(f"#{described_by.split()[-1]}").is_visible()
    walker.shot("too-short")
    page.fill("#text", TEXT)
    walker.next()
    walker.next()
    page.fill("#day", "31")
    page.fill("#month", "13")
    page.fill("#year", "1405")
    walker.next()
    assert page.input_value("#month") == "13"
    assert page.input_value("#year") == "1405"
    assert page.locator("#day-error").is_visible()
    walker.shot("wrong-date")
    walker.open("/follow")
    page.fill("#code", "1234 5678 9012 3456")
    walker.next()
    assert page.input_value("#code") == "1234 5678 9012 3456"
    assert page.locator("#code-error").is_visible()
    walker.shot("wrong-code")


def test_going_back_and_clicking_twice_files_one_report(walk: Walk, town: Town, photo: Path) -> None:
    walker = walk()
    page = walker.page
    walker.open("/file/information/start")
    page.locator('button[name=unit][value="d2"]').click()
    page.check("input[value=other]")
    walker.next()
    page.fill("#text", "نخستین نوشته من این است.")
    with page.expect_navigation():
        walker.next()
    walker.back()
    assert page.input_value("#text") == "نخستین نوشته من این است."
    page.fill("#text", "نوشته درست‌شده من این است و دو بار فرستاده می‌شود.")
    walker.next()
    skip_details(walker)
    walker.next()
    walker.next()
    assert walker.shows("نوشته درست‌شده من")
    page.check("#consent")
    page.get_by_role("button", name=WORDS["fa"]["send"]).dblclick()
    code = code_on(walker)
    page.wait_for_load_state("networkidle")  # the answer to the second click may still be on its way to the screen
    walker.back()
    assert not page.locator("#consent").count(), "the review is offered again after filing"
    walker.open("/file/done")
    assert code_on(walker) == code
    Case(code, town.caller(code=code), "", {}).view()
    head = town.officer("screener").caller
    items = head.get("/v1/cases", text="درست‌شده من این است و دو بار").json()["items"]
    assert len(items) == 1


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_is_wider_than_its_window(walk: Walk, width: int, language: str) -> None:
    walker = walk(width=width)
    page = walker.page
    walker.open("/" if language == "fa" else "/?lang=en")
    seen: list[str] = []

    def check(name: str) -> None:
        walker.shot(name)
        seen.append(name)
        assert walker.width_beyond() <= 0, f"{name} is {walker.width_beyond()} px too wide at {width} px"

    check("home")
    for path in ("/follow", "/sign-in", "/file/kind", "/file/criticism/start"):
        walker.open(path)
        check(path.strip("/").replace("/", "-"))
    page.locator('button[name=unit][value="dep.urb"]').click()
    check("ground")
    page.check("input[value=conduct]")
    walker.next()
    while "/file/questions/" in page.url:
        check(page.url.rsplit("/", 1)[1])
        walker.next()
    page.fill("#text", "واژه‌ای‌بسیار‌درازکه‌شکسته‌نمی‌شود" * 4 + " https://example.org/" + "a" * 120)
    check("text")
    walker.next()
    for step in DETAILS:
        check(step)
        walker.next()
    check("evidence")
    walker.next()
    page.check("#identity")
    check("identity")
    walker.next()
    check("review")
    page.check("#consent")
    walker.next(WORDS[language]["send"])
    check("code")
    page.click('a[href="/file/receipt"]')
    check("receipt")
    walker.back()
    page.check("#saved")
    walker.next()
    until(walker, WORDS[language]["registered"])
    page.locator(".wrote summary").click()
    check("case")
    assert len(seen) >= 18


def test_a_file_that_is_too_large_or_empty_is_refused_with_a_message(walk: Walk, tmp_path: Path) -> None:
    walker = walk()
    page = walker.page
    walker.open("/file/information/start")
    page.locator('button[name=unit][value="d2"]').click()
    page.check("input[value=other]")
    walker.next()
    page.fill("#text", TEXT)
    walker.next()
    skip_details(walker)
    empty = tmp_path / "empty.jpg"
    empty.write_bytes(b"")
    page.set_input_files("#file", empty)
    walker.next()
    assert walker.shows("این فایل خالی است")
    huge = tmp_path / "huge.bin"
    with huge.open("wb") as file:
        file.truncate(201 * 1024 * 1024)
    page.set_input_files("#file", huge)
    page.context.set_default_timeout(60_000)
    walker.next()
    assert walker.shows("این فایل بزرگ‌تر از ۲۰۰ مگابایت است")
    walker.shot("too-large")
    walker.next()
    assert walker.page.url.endswith("/file/identity")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_an_unknown_address_shows_a_page_with_links(walk: Walk, language: str) -> None:
    walker = walk(expected=(404,))
    walker.open("/" if language == "fa" else "/?lang=en")
    walker.open("/no/such/page?x=1")
    assert walker.page.locator("html").get_attribute("lang") == language
    assert walker.shows("این صفحه پیدا نشد" if language == "fa" else "This page was not found")
    walker.shot("unknown")
    assert walker.width_beyond() <= 0
    walker.page.locator('main a[href="/follow"]').click()
    assert walker.shows(WORDS[language]["follow"])


def test_a_form_from_another_site_is_refused(walk: Walk, town: Town) -> None:
    walker = walk()
    walker.open("/follow")
    forged = walker.page.request.post(walker.base + "/follow", form={"code": "1", "token": "0" * 40})
    assert forged.status == 403
    cookies = walker.page.context.cookies()
    assert cookies
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in cookies)
    policy = walker.page.request.get(walker.base + "/").headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; form-action 'self'"
    )

"""A real browser with long texts, two tabs, and links and forms of another site: nothing that was typed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Request, Route

from deploy.demo import evidence
from tests.browser.conftest import Walker
from tests.browser.test_pages import TEXT, code_on
from tests.e2e.people import Case, Town

Walk = Callable[..., Walker]
HEADERS_MOST = 4 * 1024
"""Octets: what the default buffers of common proxies take in one request."""
ELSEWHERE = "http://elsewhere.example/"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "street.jpg"
    file.write_bytes(evidence.photo())
    return file


def size_of(request: Request) -> int:
    """Octets of a request's line and headers."""
    headers = request.all_headers()
    return len(request.url) + sum(len(name) + len(value) + 4 for name, value in headers.items())


def to_text(walker: Walker) -> None:
    """To the page for the text of a report."""
    walker.open("/file/information/start")
    walker.page.locator('button[name=unit][value="d2"]').click()
    walker.page.check("input[value=other]")
    walker.next()
    walker.page.locator("textarea#text").wait_for()


def to_review(walker: Walker) -> None:
    for _ in range(12):
        if walker.page.url.endswith("/file/review"):
            return
        walker.next()
    raise AssertionError(walker.page.url)


def test_the_longest_submission_is_filed_with_small_request_headers(walk: Walk, town: Town, photo: Path) -> None:
    walker = walk()
    page, sizes = walker.page, list[int]()
    page.on("requestfinished", lambda request: sizes.append(size_of(request)))
    text = (TEXT + "\n" + "هر شب همین است و پاسخی نمی‌دهند. " * 400)[:10_000].strip()
    to_text(walker)
    page.fill("#text", text)
    walker.next()
    assert not walker.shows("ایرادی هست")
    while not page.locator("#file").count():
        for field in page.locator("main input[type=text]:not([inputmode=numeric])").all():
            field.fill("نشانی بلند " * 9)
        walker.next()
    page.set_input_files("#file", photo)
    page.locator("button[formaction]").click()
    page.locator(".files li").wait_for()
    to_review(walker)
    assert text.split("\n")[0] in page.locator("body").inner_text()
    page.check("#consent")
    walker.next("ثبت می‌کنم")
    code = code_on(walker)
    page.check("#saved")
    walker.next()
    case = Case(code, town.caller(code=code), "", {})
    assert case.view()["stage"]
    assert sizes
    assert max(sizes) < HEADERS_MOST
    cookies = page.context.cookies()
    assert sum(len(cookie["name"]) + len(cookie["value"]) + 2 for cookie in cookies) < 1024


def test_two_tabs_editing_one_draft_lose_no_input(walk: Walk, town: Town) -> None:
    walker = walk()
    page = walker.page
    to_text(walker)
    page.fill("#text", TEXT)
    walker.next()
    second = page.context.new_page()
    second.goto(walker.base + "/file/text")
    assert second.input_value("#text") == TEXT
    changed = TEXT + " در برگه دوم درست شد."
    second.fill("#text", changed)
    second.locator("main form button[type=submit]:not(.quiet)").first.click()
    second.wait_for_load_state()
    to_review(walker)
    assert walker.shows(changed)
    page.check("#consent")
    walker.next("ثبت می‌کنم")
    code_on(walker)
    # The second tab's draft was filed meanwhile: it is told where the visitor is, and its text is not lost.
    second.goto(walker.base + "/file/text")
    assert second.url.endswith("/file/done")


def test_a_form_left_open_while_another_case_is_opened_reaches_neither_case(walk: Walk, town: Town) -> None:
    first, other = (decided(town) for _ in range(2))
    walker = walk()
    page = walker.page
    follow(walker, first.code)
    page.click('a[href="/case/object"]')
    second = page.context.new_page()
    second.goto(walker.base + "/follow")
    second.fill("#code", other.code)
    second.locator("main form button[type=submit]").first.click()
    second.locator(".timeline").wait_for()
    page.fill("#text", "به مدرک من توجه نشد.")
    walker.troubles.clear()
    walker.next()
    assert walker.shows("پرونده دیگری")
    assert walker.shows("به مدرک من توجه نشد.")
    walker.shot("another-case")
    assert {first.view()["stage"], other.view()["stage"]} == {"decided"}
    follow(walker, first.code)
    assert page.url.split("?")[0].endswith("/case/object")
    assert page.input_value("#text") == "به مدرک من توجه نشد."
    walker.shot("unsent")
    walker.next()
    assert walker.shows("در حال بازنگری اعتراض")
    walker.troubles[:] = [trouble for trouble in walker.troubles if "403" not in trouble]


def decided(town: Town) -> Case:
    case, _, _ = town.complaint()
    town.assigned(case).do(case.view()["case_id"], "decision", outcome="not_upheld", reasons="دلیلی یافت نشد.")
    return case


def follow(walker: Walker, code: str) -> None:
    walker.open("/follow")
    walker.page.fill("#code", code)
    walker.next()


def test_a_link_from_another_site_shows_the_draft_but_its_form_is_refused(walk: Walk) -> None:
    walker = walk()
    page = walker.page
    to_text(walker)
    page.fill("#text", TEXT)
    walker.next()
    before = sorted((cookie["name"], cookie["value"]) for cookie in page.context.cookies(walker.base))

    def elsewhere(route: Route) -> None:
        links = "".join(
            f'<a id="{name}" href="{walker.base}{path}">{name}</a>'
            for name, path in (
                ("text", "/file/text"),
                ("start", "/file/complaint/start"),
                ("forget", "/file/forget"),
                ("leave", "/mine/leave"),
                ("english", "/?lang=en"),
            )
        )
        form = f'<form method="post" action="{walker.base}/file/forget"><button>win</button></form>'
        route.fulfill(body=f"<!doctype html><h1>elsewhere</h1>{links}{form}", content_type="text/html")

    page.route(ELSEWHERE + "**", elsewhere)
    for name in ("start", "forget", "leave", "english", "text"):
        page.goto(ELSEWHERE)
        page.click(f"#{name}")
        page.wait_for_load_state()
        after = sorted((cookie["name"], cookie["value"]) for cookie in page.context.cookies(walker.base))
        assert [cookie for cookie in after if cookie[0] != "peygir-language"] == before, name
    assert page.input_value("#text") == TEXT
    page.goto(ELSEWHERE)
    with page.expect_response(re.compile("/file/forget")) as answered:
        page.click("button")
    assert answered.value.status == 403
    walker.open("/file/text")
    assert page.input_value("#text") == TEXT
    # Who comes by a link for the first time can file.
    newcomer = walk()
    newcomer.page.route(ELSEWHERE + "**", elsewhere)
    newcomer.page.goto(ELSEWHERE)
    newcomer.page.click("#start")
    newcomer.page.fill("#mobile", "1")
    newcomer.next()
    assert newcomer.page.input_value("#mobile") == "1"
    assert newcomer.page.locator("#mobile-error").is_visible()
    walker.troubles[:] = [trouble for trouble in walker.troubles if "403" not in trouble]

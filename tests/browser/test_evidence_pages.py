"""Evidence on the plain pages: refused where it is chosen, shown by its own name, sent to a case that is open already."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from deploy.demo import evidence
from tests.browser.conftest import Walker
from tests.e2e.people import Case, Town
from tests.support.processes import eventually

Walk = Callable[..., Walker]
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "کوچه ما.jpg"
    file.write_bytes(evidence.photo())
    return file


@pytest.fixture
def page_of_html(tmp_path: Path) -> Path:
    file = tmp_path / "نامه.jpg"
    file.write_bytes(b"<html><script>alert(1)</script></html>")
    return file


def shown(walker: Walker, text: str, path: str = "/case") -> bool:
    walker.open(path)
    return walker.shows(text)


def opens(walker: Walker, name: str) -> bool:
    """Whether the case page has a file by this name that can be opened."""
    walker.open("/case")
    return bool(walker.page.locator("a", has_text=name).count())


def at_the_evidence(walker: Walker) -> None:
    """A report, as far as the step of the form where files are chosen."""
    walker.open("/file/information/start")
    walker.page.fill("#search", "بوستان")
    walker.next("جست‌وجو")
    walker.page.locator('button[name=unit][value="org.green.parks"]').click()
    walker.page.check("input[value=waste]")
    walker.next()
    walker.page.fill("#text", "درخت‌های بوستان را شبانه بریده‌اند.")
    walker.next()
    for _ in range(6):
        if walker.page.locator("#file").count():
            return
        walker.next()


def test_a_refused_file_is_reported_beside_its_file_field(walk: Walk, photo: Path, page_of_html: Path) -> None:
    walker = walk()
    at_the_evidence(walker)

    walker.page.set_input_files("#file", page_of_html)
    walker.page.locator("button[formaction]").click()
    walker.shot("refused")
    assert walker.shows("«نامه.jpg» پذیرفته نشد")
    assert walker.shows("PDF")
    assert walker.page.locator(".files li").count() == 0

    walker.page.set_input_files("#file", photo)
    walker.page.locator("button[formaction]").click()
    assert walker.page.locator(".files li").count() == 1
    assert walker.shows("کوچه ما.jpg")
    eventually(partial(shown, walker, "بررسی شد و پذیرفته است", "/file/evidence"), timeout=60)
    walker.shot("accepted")
    walker.page.locator("button[name=remove]").click()
    assert walker.page.locator(".files li").count() == 0


def test_an_open_case_accepts_and_lists_more_evidence(walk: Walk, town: Town, photo: Path, page_of_html: Path) -> None:
    case: Case = town.report(uploads=[town.caller().upload(page_of_html.read_bytes(), "نامه.jpg")])
    case.view()
    walker = walk()
    walker.open("/follow")
    walker.page.fill("#code", case.code)
    walker.next()
    eventually(partial(shown, walker, "پذیرفته نشد"), timeout=60)
    assert walker.shows("نامه.jpg")
    walker.shot("case")

    walker.page.click('a[href="/case/evidence"]')
    walker.next()
    assert walker.shows("فایلی برگزینید")
    walker.page.set_input_files("#file", page_of_html)
    walker.next()
    assert walker.shows("«نامه.jpg» پذیرفته نشد")
    walker.shot("refused-again")
    walker.page.set_input_files("#file", photo)
    walker.next()
    assert walker.shows("فایل شما رسید")
    assert walker.shows("مدرک تازه فرستادید")
    eventually(partial(opens, walker, "کوچه ما.jpg"), timeout=60)
    walker.shot("better")

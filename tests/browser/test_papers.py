"""Letter and receipt in a real browser without script: saved by a link, and checked by the address in their QR code."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from backbone.persian.normalisation import persian_digits
from tests.browser.conftest import Walker
from tests.browser.test_pages import WORDS, answer_questions, code_on, skip_details
from tests.e2e.people import Town
from tests.support.papers import ReadPdf, read

Walk = Callable[..., Walker]
SENTENCES = {
    "fa": {"letter": "این نامه درست است", "receipt": "این رسید درست است", "bad": "درستی این نوشته تأیید نمی‌شود"},
    "en": {"letter": "This letter is genuine", "receipt": "This receipt is genuine", "bad": "could not be confirmed"},
}


def saved(walker: Walker, link: str) -> tuple[str, ReadPdf]:
    """What a link saves: its name and what is on it."""
    with walker.page.expect_download() as download:
        walker.page.click(f'a[href="{link}"]')
    return download.value.suggested_filename, read(Path(download.value.path()).read_bytes())


def scanned(walker: Walker, paper: ReadPdf) -> str:
    """Opens what the paper's QR code holds; the seal in it."""
    [address] = paper.codes
    assert address.startswith(f"{walker.base}/verify/")
    path = httpx.URL(address).path
    walker.open(path)
    return path.rsplit("/", 1)[1]


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_letter_is_saved_from_the_page_of_the_case_and_its_code_confirms_it(
    walk: Walk, town: Town, language: str
) -> None:
    case = town.report()
    case_id = case.view()["case_id"]
    town.assigned(case)
    walker = walk()
    walker.open("/follow" if language == "fa" else "/follow?lang=en")
    walker.page.fill("#code", case.dashed)
    walker.next()
    assert walker.page.locator('a[href="/case/letter"]').count() == 0
    walker.open("/case/letter")  # before there is one, the case itself
    assert walker.page.url.endswith("/case")
    reasons = "خودرو شهرداری در ساعت اداری دیده شد."
    town.officer("inspector").do(case_id, "decision", outcome="upheld", reasons=reasons, root_causes=["people"])
    case.view_at("decided")
    walker.open("/case")
    walker.shot("decided")
    assert walker.width_beyond() <= 0
    name, letter = saved(walker, "/case/letter")
    assert re.fullmatch(rf"peygir-letter-\d{{4}}-\d{{6}}-1-{language}\.pdf", name)
    assert reasons in letter.content

    # Whoever is shown the letter scans it: in a browser that knows nothing of the case.
    other = walk()
    seal = scanned(other, letter)
    assert other.shows(SENTENCES["fa"]["letter"])
    other.open(f"/verify/{seal}?lang={language}")
    assert other.shows(SENTENCES[language]["letter"])
    number = name.removeprefix("peygir-letter-").removesuffix(f"-{language}.pdf")
    assert other.shows(persian_digits(number) if language == "fa" else number)
    assert not other.shows(reasons)
    other.shot("genuine")
    assert other.width_beyond() <= 0
    # Typed instead of scanned, and with one thing changed.
    other.page.fill("#seal", f"{seal[:80]}\n{seal[80:]}")
    other.next()
    assert other.page.url.endswith(seal)
    assert other.shows(SENTENCES[language]["letter"])
    other.page.fill("#seal", seal.replace("~upheld~", "~not_upheld~"))
    other.next()
    assert other.shows(SENTENCES[language]["bad"])
    other.shot("not-genuine")
    other.page.fill("#seal", " ")
    other.next()
    assert other.shows(WORDS[language]["problem"])
    assert case.code not in "".join(walker.addresses + other.addresses)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_receipt_is_saved_after_filing_and_its_code_confirms_it(walk: Walk, language: str) -> None:
    walker, words = walk(), WORDS[language]
    page = walker.page
    walker.open("/file/criticism/start" if language == "fa" else "/?lang=en")
    walker.open("/file/criticism/start")
    page.locator('button[name=unit][value="dep.urb"]').click()
    page.check("input[value=conduct]")
    walker.next()
    answer_questions(walker, {})
    page.fill("#text", "پیشخوان این اداره هر روز یک ساعت دیر باز می‌شود.")
    walker.next()
    skip_details(walker)
    walker.next()
    page.check("#identity")
    walker.next()
    page.check("#consent")
    walker.next(words["send"])
    code = code_on(walker)
    page.click('a[href="/file/receipt"]')
    walker.shot("receipt")
    name, receipt = saved(walker, "/file/receipt/pdf")
    assert re.fullmatch(rf"peygir-receipt-[0-9a-f]{{8}}-{language}\.pdf", name)
    assert code not in receipt.content + receipt.text
    shown = page.locator("dd.finger").all_inner_texts()
    assert shown[0] in receipt.content  # its number
    assert shown[1] in receipt.content  # and its hash
    scanned(walker, receipt)
    assert walker.shows(SENTENCES[language]["receipt"])
    assert walker.shows(shown[0])

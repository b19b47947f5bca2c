"""docs/how-to/add-a-page.md followed literally: its page is written, registered and opened."""

from __future__ import annotations

import importlib.util
import re
import textwrap
from datetime import date
from pathlib import Path

import pytest
from jinja2 import ChoiceLoader, FileSystemLoader

from gateway.pages import formatting, page_context, routes
from tests.support.gateway import CATALOGUE, Gateway
from tests.support.page_visitors import make
from tests.support.pages import Browser
from texts.loading import FOLDER, Area, area, read

PAGE = (FOLDER.parent / "docs" / "how-to" / "add-a-page.md").read_text(encoding="utf-8")
HOLIDAY = date(2026, 11, 24)


def block(language: str, beginning: str) -> str:
    """The block of code that begins so."""
    blocks = re.findall(rf"^( *)```{language}\n(.*?)^\1```", PAGE, flags=re.MULTILINE | re.DOTALL)
    [code] = [text for text in (textwrap.dedent(block) for _, block in blocks) if text.startswith(beginning)]
    return code


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """A gateway with the page of the guide."""
    file = tmp_path / "opening_days.py"
    file.write_text(block("python", '"""Whether the office'), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("opening_days", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "opening_days.html").write_text(block("html", "{% extends"), encoding="utf-8")
    environment = page_context._environment()
    assert environment.loader is not None
    monkeypatch.setattr(environment, "loader", ChoiceLoader([environment.loader, FileSystemLoader(tmp_path)]))
    texts = read(block("toml", "[opening_days_title]"), "add-a-page.md")
    monkeypatch.setattr(formatting, "TEXTS", Area("pages", {**area("pages"), **texts}))
    names = {"PAGES": dict(routes.PAGES), "opening_days": module}
    exec(block("python", "PAGES |="), names)  # noqa: S102  # of this repository's own page
    monkeypatch.setattr(routes, "PAGES", names["PAGES"])
    made = make(tmp_path)
    made.container.catalogue_cache.put(CATALOGUE.model_copy(update={"version": 8, "holidays": [HOLIDAY]}))
    return made


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("۲ آذر ۱۴۰۵", "۲ آذر ۱۴۰۵ باز است."),
        ("1405/9/3", "۳ آذر ۱۴۰۵ تعطیل است."),  # a holiday
        ("6 آذر 1405", "۶ آذر ۱۴۰۵ تعطیل است."),  # a Friday
    ],
)
def test_the_page_of_the_guide_answers(gateway: Gateway, typed: str, answer: str) -> None:
    browser = Browser(gateway)
    assert "بازرسی چه روزهایی باز است؟" in browser.open("/opening-days")
    assert answer in browser.send("/opening-days", day=typed)
    assert browser.answer.status_code == 200


def test_it_is_in_both_languages_and_keeps_what_was_typed_wrong(gateway: Gateway) -> None:
    browser = Browser(gateway)
    browser.open("/opening-days?lang=en")
    assert "Enter a day" in browser.send("/opening-days", day="some day")
    assert browser.answer.status_code == 422
    assert 'value="some day"' in browser.source
    assert "It is open on 23 November 2026." in browser.send("/opening-days", day="23 November 2026")
    browser.open("/opening-days/nonsense")
    assert browser.answer.status_code == 404

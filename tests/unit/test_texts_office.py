"""The office is configuration: another city's file changes what pages and papers show, and a wrong one is not taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import ValidationError

from contracts.vocabulary import Kind, Language
from gateway.papers.receipts import receipt_paper
from gateway.papers.signatures import SignedReceipt
from tests.support.gateway import Gateway, Keys
from tests.support.pages import Browser
from texts.office import SAMPLE, office, read

NAME = '[name]\nfa = "بازرسی شهرداری نمونه"\nen = "Sample Town Inspection"\n'
TOWN = (
    'phone = "021 0000 0000"\nsms_number = "1000123"\nemblem = "own.svg"\n'
    f'{NAME}[hours]\nfa = "هر روز"\nen = "Every day"\n[address]\nfa = "میدان نمونه"\nen = "Sample Square"\n'
)
FILED = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation of another city."""
    file = tmp_path / "office.toml"
    file.write_text(TOWN)
    (tmp_path / "own.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    monkeypatch.setenv("OFFICE_FILE", str(file))
    office.cache_clear()
    yield file
    office.cache_clear()


def test_without_a_configured_file_it_is_the_sample() -> None:
    assert office() == read(SAMPLE)
    assert office().name["en"] == "Qazvin Municipality Inspection"


def test_the_pages_show_the_office_of_the_installation(town: Path, gateway: Gateway) -> None:
    browser = Browser(gateway)
    browser.cookies["peygir-language"] = "en"
    home = browser.open("/")
    assert "Sample Town Inspection" in home
    assert "Text the tracking code to 1000123" in home
    assert "Address: Sample Square · Opening hours: Every day · Telephone: 021 0000 0000" in home
    assert "Qazvin" not in home
    browser.cookies["peygir-language"] = "fa"
    assert "به شماره ۱۰۰۰۱۲۳ بفرستید" in browser.open("/")


def test_missing_values_of_an_office_are_not_shown(gateway: Gateway) -> None:
    browser = Browser(gateway)
    browser.cookies["peygir-language"] = "en"
    home = browser.open("/")
    assert "Text the tracking code to the inspection office's number" in home
    assert not any(word in home for word in ("Address:", "Opening hours:", "Telephone:"))


def test_papers_show_the_office_of_the_installation(town: Path) -> None:
    seal = SignedReceipt(uuid4(), FILED, Kind.CRITICISM, "0" * 64)
    assert receipt_paper(seal, Language.FA).office == "بازرسی شهرداری نمونه"
    assert "<svg" in office().emblem


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is no TOML file that can be read"),
        ("name = ", "is no TOML file that can be read"),
        ("", "has no name"),
        ('[name]\nfa = "یک"', "needs name in fa and en"),
        (f'{NAME}[hours]\nfa = "هر روز"', "needs hours in fa and en"),
        (f"phone = 21\n{NAME}", "needs one line for phone"),
        (f'sms_number = "1\\n2"\n{NAME}', "needs one line for sms_number"),
        (f'emblem = "none.svg"\n{NAME}', "has an emblem that is no SVG"),
        (f'colour = "blue"\n{NAME}', "has colour; known are name, sms_name, hours"),
    ],
)
def test_an_invalid_file_is_refused(tmp_path: Path, content: str | None, reason: str) -> None:
    file = tmp_path / "office.toml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=reason):
        read(file)


@pytest.mark.parametrize("content", [None, b"", b"\x89PNG", b"<svg>" + b" " * 300_000])
def test_an_invalid_emblem_fails_at_the_start(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "emblem.svg").write_bytes(content)
    file = tmp_path / "office.toml"
    file.write_text(f'emblem = "emblem.svg"\n{NAME}')
    with pytest.raises(ValidationError, match="emblem"):
        Keys().settings(tmp_path, office_file=file)

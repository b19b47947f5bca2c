"""The office's name ends every SMS: one with which an SMS would take a third part is refused at the start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from backbone.process import keys
from services.notify.settings import Settings
from texts.office import SAMPLE

LONGEST = 22
"""Letters of a Persian name that fit into every SMS."""


def settings(office: Path) -> Settings:
    environment = {name.lower(): value for name, value in keys.generate().items()}
    return Settings.model_validate(
        {**environment, "amqp_url": "amqp://nowhere", "database_url": "postgresql://nowhere", "office_file": office}
    )


def office_file(folder: Path, fa: str, en: str, more: str = "") -> Path:
    file = folder / "office.toml"
    file.write_text(f'[name]\nfa = "{fa}"\nen = "{en}"\n{more}')
    return file


def refusal(office: Path) -> str:
    with pytest.raises(ValidationError) as refused:
        settings(office)
    [problem] = refused.value.errors()
    assert problem["loc"] == ("office_file",)
    return problem["msg"]


def test_the_shipped_office_and_the_longest_name_fit(tmp_path: Path) -> None:
    assert settings(SAMPLE).office_file == SAMPLE
    settings(office_file(tmp_path, "ب" * LONGEST, "B" * 100))


def test_a_longer_name_is_refused_with_the_texts_their_parts_and_what_fits(tmp_path: Path) -> None:
    message = refusal(office_file(tmp_path, "ب" * (LONGEST + 1), "B"))

    assert f"a name in fa of {LONGEST + 1} characters" in message
    assert re.search(r"more than 2 parts: (\w+ \(3\)(, )?)+; at most 22 characters fit", message)


def test_a_latin_name_with_a_letter_that_makes_sms_longer_is_refused(tmp_path: Path) -> None:
    assert "a name in en of 30 characters" in refusal(office_file(tmp_path, "ب", "Ş" + "B" * 29))


def test_a_shorter_name_for_sms_is_taken_instead(tmp_path: Path) -> None:
    short = '[sms_name]\nfa = "بازرسی"\nen = "Inspection"\n'

    settings(office_file(tmp_path, "ب" * 80, "B" * 300, short))

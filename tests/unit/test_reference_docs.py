"""What docs/reference says is what the code has."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest

from contracts import vocabulary
from deploy import reference

GLOSSARY = (reference.ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
VOCABULARIES = [
    vocabulary.Kind,
    vocabulary.Stage,
    vocabulary.Outcome,
    vocabulary.RootCause,
    vocabulary.RefusalReason,
    vocabulary.KeptPart,
    vocabulary.Channel,
    vocabulary.ConsentForm,
    vocabulary.ConsentTo,
]


@pytest.mark.parametrize("file", sorted(reference.files()), ids=lambda file: file.name)
def test_a_generated_file_is_up_to_date(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == reference.files()[file], "run: ./peygir docs"


def test_every_setting_is_listed_with_its_readers() -> None:
    listed = reference.settings_text()
    assert "| `CODE_MAC_KEYS` | gateway, intake, notify | required |" in listed
    assert "| `AMQP_URL` | all | required |" in listed


def test_a_docstring_explains_the_fields_that_it_names() -> None:
    gateway = reference.settings_classes()["gateway"]
    assert reference.explanations(gateway)["public_url"].startswith("scheme and host under which citizens")


@pytest.mark.parametrize("values", VOCABULARIES, ids=lambda values: values.__name__)
def test_the_glossary_has_every_value_of_a_vocabulary(values: type[StrEnum]) -> None:
    assert [value for value in values if f"`{value}`" not in GLOSSARY] == []


def test_the_glossary_has_each_term_once() -> None:
    terms = re.findall(r"^\| ([a-z][^|]*?) \|", GLOSSARY, flags=re.MULTILINE)
    assert len(terms) > 80
    assert sorted({term for term in terms if terms.count(term) > 1 and term != "term"}) == []

"""The papers' words, numbers and days in the language of the paper."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from backbone.persian import normalisation as persian
from contracts.vocabulary import Language


@cache
def texts() -> dict[str, dict[str, str]]:
    """Every text by key and language."""
    return tomllib.loads((Path(__file__).parent / "texts.toml").read_text("utf-8"))


def text(language: Language, key: str, **values: str) -> str:
    """The words for `key`."""
    template = texts()[key][language]
    return template.format(**values) if values else template


def digits(language: Language, shown: str) -> str:
    return persian.persian_digits(shown) if language is Language.FA else shown

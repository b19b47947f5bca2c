"""The papers' texts and digits in the language of the paper."""

from __future__ import annotations

from backbone.persian import normalisation as persian
from contracts.vocabulary import Language
from texts.loading import area

TEXTS = area("papers")


def text(language: Language, key: str, /, **values: str) -> str:
    return TEXTS.text(language, key, **values)


def digits(language: Language, shown: str) -> str:
    return persian.persian_digits(shown) if language is Language.FA else shown

"""The library of regulations in the cached catalogue, found by words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from backbone.persian.normalisation import normalise
from contracts.errors import InvalidField
from contracts.intake import Article


def found(library: Sequence[Article], text: str, day: date | None = None, after: str | None = None) -> list[Article]:
    """Articles that hold each word of `text`, in the library's order. `day`: only those in force on it; `after`: only those
    that come after the one of this code. InvalidField when there is none: articles are never removed."""
    words = normalise(text).split()
    codes = [article.code for article in library]
    if after is not None and after not in codes:
        raise InvalidField(fields=[{"field": "after", "reason": "not_a_cursor"}])
    first = 0 if after is None else codes.index(after) + 1
    return [
        article
        for article in library[first:]
        if (day is None or article.is_in_force(day)) and all(word in _searched(article) for word in words)
    ]


def _searched(article: Article) -> str:
    return _normalised(
        f"{article.title_fa}\n{article.title_en}\n{article.number}\n{article.text_fa}\n{article.text_en}"
    )


@lru_cache(maxsize=1024)  # more than a library holds: each text once for all searches
def _normalised(text: str) -> str:
    return normalise(text)

"""Reads the files of texts: `area("pages").text(Language.FA, "next")`.

A file that is malformed, or has a text in one language alone, is an error when it is loaded, with every mistake in it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

LANGUAGES = ("fa", "en")
FOLDER = Path(__file__).parent


class BadTexts(ValueError):
    """What is wrong with a file of texts: every mistake of it."""


@dataclass(frozen=True)
class Text:
    """One sentence in both languages. `placeholders`: the names that it has in braces."""

    fa: str
    en: str
    placeholders: frozenset[str]

    def in_language(self, language: str) -> str:
        """The text with its placeholders; Persian for a language that there is none of."""
        return self.en if language == "en" else self.fa


class Area(Mapping[str, Text]):
    """The texts of one file by key; a key of a group has the group's name before it, as in `stage.closed`."""

    def __init__(self, name: str, texts: Mapping[str, Text]) -> None:
        self.name, self._texts = name, texts

    def text(self, language: str, key: str, /, **values: object) -> str:
        """The text with its placeholders filled. KeyError for an unknown key or a value that is missing."""
        template = self[key].in_language(language)
        return template.format(**values) if "{" in template else template

    def __getitem__(self, key: str) -> Text:
        return self._texts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


@cache
def area(name: str) -> Area:
    """The texts of one area. BadTexts."""
    return Area(name, read((FOLDER / f"{name}.toml").read_text("utf-8"), f"{name}.toml"))


def read(toml: str, file: str) -> dict[str, Text]:
    """The texts in a file's content; `file` is named in BadTexts."""
    try:
        entries = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise BadTexts(f"{file}: {error}") from None
    texts: dict[str, Text] = {}
    mistakes: list[str] = []
    for key, value in entries.items():
        _read_entry(key, value, texts, mistakes)
    if mistakes:
        raise BadTexts(f"{file}: " + "; ".join(mistakes))
    return texts


def placeholders(template: str) -> frozenset[str]:
    """The names in a template's braces. ValueError for a brace without a partner, or with more than a name in it."""
    names = set()
    for _, name, form, conversion in Formatter().parse(template):
        if name is None:
            continue
        if form or conversion or not name.isidentifier():
            raise ValueError(f"{{{name}}} is not a name")
        names.add(name)
    return frozenset(names)


def _read_entry(key: str, value: Any, texts: dict[str, Text], mistakes: list[str]) -> None:
    if not isinstance(value, dict) or not value:
        mistakes.append(f"{key} is neither a text nor a group of texts")
    elif all(isinstance(inner, dict) for inner in value.values()):
        for name, inner in value.items():
            _read_entry(f"{key}.{name}", inner, texts, mistakes)
    elif set(value) != set(LANGUAGES) or not all(isinstance(value[language], str) for language in LANGUAGES):
        mistakes.append(f"{key} needs fa and en, and nothing else")
    else:
        try:
            names = {language: placeholders(value[language]) for language in LANGUAGES}
        except ValueError as error:
            mistakes.append(f"{key}: {error}")
            return
        if names["fa"] != names["en"]:
            mistakes.append(f"{key} has other placeholders in fa than in en")
        texts[key] = Text(value["fa"], value["en"], names["fa"])

"""The routing table and the words, read from routes.toml and templates.toml and checked as they are read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

LANGUAGES = ("fa", "en")
CHANNELS = ("sms", "inbox")
AUDIENCES = ("citizen", "handset", "inspector", "liaison", "head")
VALUES = frozenset({"code", "date", "kind", "stage", "outcome", "reason", "otp", "number", "office", "when", "place"})


class BadTable(ValueError):
    """A mistake in routes.toml or templates.toml; the service does not start with one."""


@dataclass(frozen=True)
class Route:
    """One line of routes.toml."""

    event: str
    audience: str
    channel: str
    template: str
    kinds: frozenset[str] | None = None
    when: str | None = None
    urgent: bool = False
    stages: frozenset[str] | None = None
    reply: bool = False


@dataclass(frozen=True)
class Lookup:
    """A text as the provider approved it: its name there, and which of our values fills which of its tokens."""

    template: str
    tokens: Mapping[str, str]


@dataclass(frozen=True)
class Words:
    """One text in one language. `needs`: the values it names."""

    text: str
    needs: frozenset[str]
    lookup: Lookup | None = None


@dataclass(frozen=True)
class Table:
    """The whole of it. Texts by (channel, template, language)."""

    routes: tuple[Route, ...]
    texts: Mapping[tuple[str, str, str], Words]
    office: Mapping[str, str]
    kind_words: Mapping[str, Mapping[str, str]]

    def routes_for(self, event: str, *, kind: str | None = None, when: frozenset[str] = frozenset()) -> list[Route]:
        """Whom this event tells; `when`: the conditions that hold for it."""
        return [
            route
            for route in self.routes
            if route.event == event
            and (route.kinds is None or kind in route.kinds)
            and (route.when is None or route.when in when)
        ]

    def words(self, channel: str, template: str, language: str, values: Mapping[str, str]) -> Words:
        """The text that fits what is known: without a date, the one that names none. Raises KeyError."""
        found = self.texts[channel, template, language if language in LANGUAGES else "fa"]
        if "date" in found.needs and not values.get("date"):
            found = self.texts[channel, f"{template}_undated", language if language in LANGUAGES else "fa"]
        return found

    def render(self, channel: str, template: str, language: str, values: Mapping[str, str]) -> str:
        """The message as its reader sees it. Raises KeyError for a missing value: half a sentence is never sent."""
        language = language if language in LANGUAGES else "fa"
        words = self.words(channel, template, language, values)
        return words.text.format_map({**values, "office": self.office[language]})


def read_table(routes_toml: str, templates_toml: str) -> Table:
    """Raises BadTable with every mistake at once."""
    routes_file, words_file = tomllib.loads(routes_toml), tomllib.loads(templates_toml)
    problems: list[str] = []
    texts: dict[tuple[str, str, str], Words] = {}
    for channel in CHANNELS:
        for name, entry in words_file.get(channel, {}).items():
            problems += _read_words(channel, name, entry, texts)
    routes = []
    for number, entry in enumerate(routes_file.get("route", []), start=1):
        try:
            route = _read_route(entry)
        except (TypeError, BadTable) as error:
            problems.append(f"route {number}: {error}")
            continue
        routes.append(route)
        problems += [
            f"route {number}: no {language} text {route.channel}.{route.template}"
            for language in LANGUAGES
            if (route.channel, route.template, language) not in texts
        ]
    for (channel, name, language), words in texts.items():
        undated = (channel, f"{name}_undated", language)
        if "date" in words.needs and undated not in texts and f"{channel}.{name}" not in _ALWAYS_DATED:
            problems.append(f"{channel}.{name} names a date and there is no {name}_undated")
    if problems:
        raise BadTable("; ".join(problems))
    return Table(tuple(routes), texts, words_file["office"], words_file["kind_words"])


_ALWAYS_DATED = {"inbox.unit_asked"}  # its event cannot lack the date


def _read_route(entry: dict[str, Any]) -> Route:
    sets: dict[str, Any] = {name: frozenset(entry[name]) for name in ("kinds", "stages") if name in entry}
    route = Route(**{**entry, **sets})
    if route.channel not in CHANNELS:
        raise BadTable(f"unknown channel {route.channel}")
    if route.audience not in AUDIENCES:
        raise BadTable(f"unknown audience {route.audience}")
    return route


def _read_words(channel: str, name: str, entry: dict[str, Any], texts: dict[tuple[str, str, str], Words]) -> list[str]:
    problems = []
    for language in LANGUAGES:
        if not isinstance(entry.get(language), str):
            problems.append(f"{channel}.{name} has no {language}")
            continue
        text = entry[language].strip()
        needs = frozenset(field for _, field, _, _ in Formatter().parse(text) if field is not None)
        problems += [f"{channel}.{name}.{language}: unknown value {one}" for one in sorted(needs - VALUES)]
        lookup = entry.get("lookup", {}).get(language)
        found = Lookup(lookup["template"], lookup["tokens"]) if lookup else None
        if found is not None and frozenset(found.tokens.values()) != needs:
            problems.append(f"{channel}.{name}.{language}: its lookup does not give the values of its text")
        texts[channel, name, language] = Words(text, needs, found)
    both = [texts[channel, name, language].needs for language in LANGUAGES if (channel, name, language) in texts]
    if len(set(both)) > 1:
        problems.append(f"{channel}.{name}: fa and en name different values")
    return problems


@cache
def table() -> Table:
    """The product's own table."""
    here = files(__name__)
    return read_table(
        (here / "routes.toml").read_text(encoding="utf-8"),
        (here / "templates.toml").read_text(encoding="utf-8"),
    )


def lookup_texts() -> dict[str, str]:
    """Texts to be approved in the provider's panel, by their name there, with the provider's %token marks."""
    approved = {}
    for words in table().texts.values():
        if words.lookup is not None:
            marks = {value: f"%{token}" for token, value in words.lookup.tokens.items()}
            approved[words.lookup.template] = words.text.format_map(marks)
    return approved

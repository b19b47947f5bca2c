"""The routing table and the words, read from routes.toml and templates.toml and checked as they are read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

LANGUAGES = ("fa", "en")
CHANNELS = ("sms", "inbox")
AUDIENCES = (
    "citizen",
    "handset",
    "inspector",
    "screener",
    "liaison",
    "head",
    "mayor",
    "mentioned",
    "custodian",
    "asker",
    "administrator",
    "account_owner",
)
VALUES = frozenset(
    {"code", "date", "kind", "stage", "outcome", "reason", "otp", "number", "office", "when", "place"}
    | {"account", "roles", "asker", "decider"}
)


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
    """One text in one language. `needs`: the values it names. `fixed`: the office cannot word it anew."""

    text: str
    needs: frozenset[str]
    lookup: Lookup | None = None
    fixed: bool = False


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

    def with_texts(self, texts: Mapping[tuple[str, str, str], str]) -> Table:
        """The same with other words for some texts. One that is not there any more is passed over."""
        other = {
            key: Words(text, needs_of(text))
            for key, text in texts.items()
            if key in self.texts and not self.texts[key].fixed
        }
        return replace(self, texts={**self.texts, **other}) if other else self

    def offers(self, channel: str, name: str) -> frozenset[str]:
        """The values that a text may name: those which every event that is told in its words brings.

        A date may be named where there is another text for the day on which none is known, or it is always known.
        """
        told = name.removesuffix("_undated")
        offered = [_offered(route) for route in self.routes if (route.channel, route.template) == (channel, told)]
        values = frozenset.intersection(*offered) if offered else frozenset()
        undated = (channel, f"{told}_undated", LANGUAGES[0]) in self.texts
        if name != told or not (undated or f"{channel}.{name}" in _ALWAYS_DATED):
            values -= {"date"}
        return values | {"office"}

    def render(self, channel: str, template: str, language: str, values: Mapping[str, str]) -> str:
        """The message as its reader sees it. Raises KeyError for a missing value: half a sentence is never sent."""
        language = language if language in LANGUAGES else "fa"
        words = self.words(channel, template, language, values)
        return words.text.format_map({**values, "office": self.office[language]})


_ALWAYS = {"submission.registered.v1": {"kind", "date"}, "submission.recoded.v1": {"kind"}, "otp.requested.v1": {"otp"}}
_TIMED = {"when", "place"}
_OF_CASES = {
    "case.decided.v1": {"outcome"},
    "case.joined_decided.v1": {"outcome"},
    "case.joined_refused.v1": {"reason"},
    "case.refused.v1": {"reason"},
    "visit.booked.v1": _TIMED,
    "visit.moved.v1": _TIMED,
    "visit.cancelled.v1": _TIMED,
    "visit.reminded.v1": _TIMED,
}
_OF_TEXTED_CODES = {"known": {"stage", "date"}, "decided": {"outcome"}}


def _offered(route: Route) -> frozenset[str]:
    """What handlers put into a message of this route. The code stands in an SMS to who filed alone, the case's number in
    what those of the office read who see cases, and a unit reads nothing of the case (templates.toml)."""
    if route.event.startswith("staff_change."):
        known = {"account", "roles"} if route.when == "on_server" else {"account", "roles", "asker"}
        return frozenset(known | ({"decider"} if route.when in ("confirmed", "denied") else set()))
    if route.audience == "liaison":
        return frozenset({"date"})
    if route.audience == "account_owner":
        return frozenset()
    if route.audience in ("custodian", "asker"):
        return frozenset({"kind"})
    if route.event.startswith(("case.", "visit.")):
        values = {"kind", "date"} | _OF_CASES.get(route.event, set())
    elif route.event == "sms.code_sent":
        values = _OF_TEXTED_CODES.get(route.when or "", set())
    else:
        values = _ALWAYS.get(route.event, set())
    if route.audience not in ("citizen", "handset"):
        values = values | {"number"}
    if (route.audience, route.channel) == ("citizen", "sms"):
        values = values | {"code"}
    return frozenset(values)


def needs_of(text: str) -> frozenset[str]:
    """The values that a text names in braces. ValueError when a brace has no partner, or holds more than a name."""
    found = set()
    for _, name, form, conversion in Formatter().parse(text):
        if name is not None:
            if form or conversion or not name.isidentifier():
                raise ValueError(f"{{{name}}} is more than a name")
            found.add(name)
    return frozenset(found)


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


# Their events cannot lack the date.
_ALWAYS_DATED = {
    f"inbox.{name}"
    for name in (
        "unit_asked",
        "deadline_near",
        "reading_near",
        "answer_near",
        "deadline_passed",
        "unit_late",
        "sent_up",
        "recommendation_late",
        "recommendation_overdue",
    )
}


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
        needs = needs_of(text)
        problems += [f"{channel}.{name}.{language}: unknown value {one}" for one in sorted(needs - VALUES)]
        lookup = entry.get("lookup", {}).get(language)
        found = Lookup(lookup["template"], lookup["tokens"]) if lookup else None
        if found is not None and frozenset(found.tokens.values()) != needs:
            problems.append(f"{channel}.{name}.{language}: its lookup does not give the values of its text")
        texts[channel, name, language] = Words(text, needs, found, bool(entry.get("fixed", False)))
    both = [texts[channel, name, language].needs for language in LANGUAGES if (channel, name, language) in texts]
    if len(set(both)) > 1:
        problems.append(f"{channel}.{name}: fa and en name different values")
    return problems


@cache
def table() -> Table:
    """The product's own table."""
    here = files("services.notify.wording")
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

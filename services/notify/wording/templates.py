"""The texts of messages, read from templates.toml and checked as they are read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from contracts.vocabulary import Language
from services.notify.wording.rules import CHANNELS, LANGUAGES, Names, Value, placeholders
from texts.office import office

OFFICE = "office"
"""The value that every text may name: the office's name."""
UNDATED = "_undated"
"""The end of the name of a text that says the same without a date."""

TextKey = tuple[str, str, str]
"""Channel, name, language."""


class InvalidTemplates(ValueError):
    """Mistakes in templates.toml, or in how notifications use it; the service does not start with one."""


@dataclass(frozen=True)
class ApprovedTemplate:
    """A text as the SMS provider approved it: its name there, and which of our values fills which of its tokens."""

    name: str
    tokens: Mapping[str, str]


@dataclass(frozen=True)
class Template:
    """One text in one language. `placeholders`: the values it names. `fixed`: the administrator cannot change it."""

    text: str
    placeholders: frozenset[str]
    approved: ApprovedTemplate | None = None
    fixed: bool = False


@dataclass(frozen=True)
class Templates:
    """All texts, and the words that values are written with."""

    texts: Mapping[TextKey, Template]
    office: Mapping[str, str]
    names: Names

    def find(self, channel: str, name: str, language: str, values: Mapping[str, str]) -> Template:
        """The text that fits the values: without a date, the one that names none. Raises KeyError."""
        language = language if language in LANGUAGES else Language.FA
        template = self.texts[channel, name, language]
        if "date" in template.placeholders and not values.get("date"):
            template = self.texts[channel, name + UNDATED, language]
        return template

    def render(self, channel: str, name: str, language: str, values: Mapping[str, str]) -> str:
        """The message as its reader sees it. Raises KeyError for a missing value: half a sentence is never sent."""
        language = language if language in LANGUAGES else Language.FA
        template = self.find(channel, name, language, values)
        return template.text.format_map({**values, OFFICE: self.office[language]})

    def write(self, params: Mapping[str, str], language: str, values: Mapping[str, Value]) -> dict[str, str]:
        """Stored parameters → every value that a text may name, as it is read in `language`."""
        read_in = Language(language)
        return {name: value.write(params, read_in, self.names) for name, value in values.items() if value.is_in(params)}

    def with_texts(self, texts: Mapping[TextKey, str]) -> Templates:
        """The same with other words for some texts. One that does not exist any more is ignored."""
        changed = {
            key: Template(text, placeholders(text))
            for key, text in texts.items()
            if key in self.texts and not self.texts[key].fixed
        }
        return replace(self, texts={**self.texts, **changed}) if changed else self


def read_templates(toml: str) -> Templates:
    """Raises InvalidTemplates with every mistake at once."""
    content = tomllib.loads(toml)
    problems: list[str] = []
    texts: dict[TextKey, Template] = {}
    for channel in CHANNELS:
        for name, entry in content.get(channel, {}).items():
            problems += _read_entry(channel, name, entry, texts)
    if problems:
        raise InvalidTemplates("; ".join(problems))
    return Templates(texts, office().name, Names(content["kind_words"]))


def _read_entry(channel: str, name: str, entry: dict[str, Any], texts: dict[TextKey, Template]) -> list[str]:
    """Adds both languages of one text; its mistakes."""
    problems = []
    for language in LANGUAGES:
        if not isinstance(entry.get(language), str):
            problems.append(f"{channel}.{name} has no {language}")
            continue
        text = entry[language].strip()
        named = placeholders(text)
        lookup = entry.get("lookup", {}).get(language)
        approved = ApprovedTemplate(lookup["template"], lookup["tokens"]) if lookup else None
        if approved is not None and frozenset(approved.tokens.values()) != named:
            problems.append(f"{channel}.{name}.{language}: its lookup does not give the values of its text")
        texts[channel, name, language] = Template(text, named, approved, bool(entry.get("fixed", False)))
    both = [texts[channel, name, language].placeholders for language in LANGUAGES if (channel, name, language) in texts]
    if len(set(both)) > 1:
        problems.append(f"{channel}.{name}: fa and en name different values")
    return problems


@cache
def shipped_templates() -> Templates:
    """The texts that Peygir comes with."""
    return read_templates((files("services.notify.wording") / "templates.toml").read_text(encoding="utf-8"))


def approved_texts() -> dict[str, str]:
    """Texts to be approved in the provider's panel, by their name there, with the provider's %token marks."""
    approved = {}
    for template in shipped_templates().texts.values():
        if template.approved is not None:
            marks = {value: f"%{token}" for token, value in template.approved.tokens.items()}
            approved[template.approved.name] = template.text.format_map(marks)
    return approved

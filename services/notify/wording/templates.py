"""The texts of messages, of texts/messages.toml, with what the provider approved and what nobody changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from contracts.vocabulary import Language
from services.notify.wording.rules import LANGUAGES, Names, Value
from texts.loading import Text, area, placeholders
from texts.office import office

OFFICE = "office"
"""The value that every text may name: the office's name, as messages give it."""
UNDATED = "_undated"
"""The end of the name of a text that says the same without a date."""

TextKey = tuple[str, str, str]
"""Channel, name, language."""


class InvalidTemplates(ValueError):
    """Mistakes in texts/messages.toml, or in how notifications use it; the service does not start with one."""


@dataclass(frozen=True)
class ApprovedTemplate:
    """A text as the SMS provider approved it: its name there, and which of our values fills which of its tokens."""

    name: str
    tokens: Mapping[str, str]


APPROVED: Mapping[TextKey, ApprovedTemplate] = {
    ("sms", "one_time_code", "fa"): ApprovedTemplate("peygir-otp-fa", {"token": "otp"}),
    ("sms", "one_time_code", "en"): ApprovedTemplate("peygir-otp-en", {"token": "otp"}),
}
"""Texts that the provider's panel has approved: it fills their tokens."""
FIXED = frozenset(
    ("inbox", name)
    for name in (
        "staff_grant_requested",
        "staff_reset_requested",
        "staff_change_waits",
        "staff_change_confirmed",
        "staff_change_denied",
        "staff_change_dropped",
        "staff_change_on_server",
    )
)
"""To custodians, about roles that open identities. Nobody changes these: who is watched must not choose the words."""


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


@cache
def shipped_templates() -> Templates:
    """The texts that Peygir comes with."""
    return templates_of(area("messages"))


def templates_of(content: Mapping[str, Text]) -> Templates:
    """The templates of an area of texts. InvalidTemplates with every mistake at once."""
    problems: list[str] = []
    texts: dict[TextKey, Template] = {}
    kinds: dict[str, Mapping[str, str]] = {}
    for key, text in content.items():
        group, _, name = key.partition(".")
        if group == "kind":
            kinds[name] = {language: text.in_language(language) for language in LANGUAGES}
            continue
        for language in LANGUAGES:
            approved = APPROVED.get((group, name, language))
            if approved is not None and frozenset(approved.tokens.values()) != text.placeholders:
                problems.append(f"{key}.{language}: the approved text does not give the values of its text")
            texts[group, name, language] = Template(
                text.in_language(language).strip(), text.placeholders, approved, (group, name) in FIXED
            )
    if problems:
        raise InvalidTemplates("; ".join(problems))
    return Templates(texts, office().sms_name, Names(kinds))


def approved_texts() -> dict[str, str]:
    """Texts to be approved in the provider's panel, by their name there, with the provider's %token marks."""
    approved = {}
    for template in shipped_templates().texts.values():
        if template.approved is not None:
            marks = {value: f"%{token}" for token, value in template.approved.tokens.items()}
            approved[template.approved.name] = template.text.format_map(marks)
    return approved

"""What texts may name, and whether notifications, texts and the office's name fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from contracts.notify import MessageChannel
from contracts.vocabulary import Language
from services.notify.notifications.registry import shipped_registry
from services.notify.notifications.rules import NotificationRegistry
from services.notify.wording.rules import LANGUAGES, MAX_SMS_PARTS, Names, is_gsm, sms_parts
from services.notify.wording.templates import OFFICE, UNDATED, InvalidTemplates, Templates, shipped_templates

_OFFICE_MARK = "{office}"


def offered_values(registry: NotificationRegistry, templates: Templates, channel: str, name: str) -> frozenset[str]:
    """The values that a text may name: those which every notification in its words brings.

    A date may be named where there is a twin without one for the case that it is unknown, or it is always known.
    """
    template = name.removesuffix(UNDATED)
    dated = name == template and (channel, template + UNDATED, LANGUAGES[0]) in templates.texts
    values = registry.offered_if_dated(channel, template) if dated else registry.offered(channel, template)
    if name != template:
        values -= {"date"}
    return values | {OFFICE}


def problems(registry: NotificationRegistry, templates: Templates) -> Iterator[str]:
    """Every mistake in how notifications and texts fit together."""
    for notification in registry:
        for channel in notification.channels:
            for language in LANGUAGES:
                if (channel, notification.template, language) not in templates.texts:
                    yield f"{notification.event.name}: no {language} text {channel}.{notification.template}"
    for (used_in, name, language), template in templates.texts.items():
        for value in sorted(template.placeholders - offered_values(registry, templates, used_in, name)):
            yield f"{used_in}.{name}.{language}: no notification brings the value {value}"


def check(registry: NotificationRegistry, templates: Templates) -> None:
    """Raises InvalidTemplates with every mistake at once."""
    if mistakes := list(problems(registry, templates)):
        raise InvalidTemplates("; ".join(mistakes))


def longest_values(registry: NotificationRegistry, language: Language, names: Names) -> dict[str, str]:
    """Every value that a text may name but the office's name, as long as it can be."""
    return {name: value.longest(language, names) for name, value in registry.values.items()}


def office_name_problems(
    registry: NotificationRegistry, templates: Templates, office_name: Mapping[str, str]
) -> Iterator[str]:
    """For each language in which the office's name is too long: the SMS that take more parts than they may with it, and how
    many characters fit."""
    for language in LANGUAGES:
        name = office_name[language]
        texts = _longest_sms(registry, templates, Language(language))
        parts = {key: sms_parts(text.replace(_OFFICE_MARK, name)) for key, text in texts.items()}
        too_many = {key: count for key, count in parts.items() if count > MAX_SMS_PARTS}
        if too_many:
            fitting = _longest_fitting([texts[key] for key in too_many], name)
            counts = ", ".join(f"{key} ({count})" for key, count in too_many.items())
            yield (
                f"has a name in {language} of {len(name)} characters, with which an SMS takes more than {MAX_SMS_PARTS} parts: "
                f"{counts}; at most {fitting} characters fit, and sms_name may be a shorter one"
            )


def _longest_sms(registry: NotificationRegistry, templates: Templates, language: Language) -> dict[str, str]:
    """Every SMS with the office's name in it, by its key, with its longest values and a mark in place of that name."""
    values = {**longest_values(registry, language, templates.names), OFFICE: _OFFICE_MARK}
    return {
        key: template.text.format_map(values)
        for (channel, key, of_language), template in templates.texts.items()
        if channel == MessageChannel.SMS and of_language == language and OFFICE in template.placeholders
    }


def _longest_fitting(texts: Sequence[str], name: str) -> int:
    """How many characters a name as this one may have. A letter that is not of the GSM alphabet makes every one of an SMS
    longer, so the letters are such ones where the name has any."""
    letter = next((letter for letter in name if not is_gsm(letter)), "x")
    for length in range(len(name), 0, -1):
        if all(sms_parts(text.replace(_OFFICE_MARK, letter * length)) <= MAX_SMS_PARTS for text in texts):
            return length
    return 0


@cache
def check_shipped() -> None:
    check(shipped_registry(), shipped_templates())

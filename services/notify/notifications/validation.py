"""What texts may name, and whether notifications and texts fit together."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from services.notify.notifications.registry import shipped_registry
from services.notify.notifications.rules import NotificationRegistry
from services.notify.wording.rules import LANGUAGES
from services.notify.wording.templates import OFFICE, UNDATED, InvalidTemplates, Templates, shipped_templates


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


@cache
def check_shipped() -> None:
    check(shipped_registry(), shipped_templates())

"""What is wrong with one field, in a sentence a person can act on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from backbone.persian.date_text import day_text, digits
from contracts.vocabulary import Language
from texts.loading import area

TEXTS = area("fields")
_SAME_AS: Mapping[str, str] = {"literal_error": "enum", "union_tag_invalid": "enum"}
_TYPES = tuple(key.removeprefix("type.") for key in TEXTS if key.startswith("type."))
_QUOTED = re.compile("'([^']*)'")
"""The values in pydantic's "'fa' or 'en'"."""
_DAYS = frozenset({"earliest", "latest", "meanings"})


def field_text(field: Mapping[str, Any], language: Language) -> str:
    """The sentence for one entry of an error's `fields`: its reason, and the limits that the sentence names."""
    values = {name: _shown(name, value, language) for name, value in field.items() if name not in ("field", "reason")}
    key = _key(str(field.get("reason", "")))
    if key == "enum" and (permitted := _QUOTED.findall(str(field.get("expected", "")))):
        key, values["expected"] = "one_of", ("، " if language is Language.FA else ", ").join(permitted)
    try:
        return TEXTS.text(language, key, **values)
    except KeyError:
        return TEXTS.text(language, "otherwise")


def _key(reason: str) -> str:
    reason = _SAME_AS.get(reason, reason)
    if reason in TEXTS and "." not in reason and reason not in ("or", "otherwise"):
        return reason
    return next((f"type.{name}" for name in _TYPES if reason.startswith(name)), "otherwise")


def _shown(name: str, value: object, language: Language) -> str:
    if name in _DAYS:
        return TEXTS.text(language, "or").join(
            day_text(date.fromisoformat(day), language) for day in str(value).split()
        )
    return digits(str(value), language)

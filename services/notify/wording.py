"""Turns a stored message, which is a template and codes, into the words its reader sees."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from backbone.persian import jalali
from backbone.persian import normalisation as persian
from contracts.characters import latin_digits
from contracts.vocabulary import Language, Outcome, RefusalReason, Role, Stage
from services.notify.domain import code_for_sms
from services.notify.routing import Lookup, Table
from texts.vocabulary import OUTCOME_NAMES, REFUSAL_NAMES, ROLE_NAMES, STAGE_NAMES

_ISOLATED = "\u2066{}\u2069"  # left to right: after Persian letters 1405-000123 would be shown as 000123-1405


_AT = {Language.FA: " ساعت ", Language.EN: " at "}


def _digits(text: str, language: Language) -> str:
    return persian.persian_digits(text) if language is Language.FA else text


def _shipped_reason(code: str, language: Language) -> str:
    """Of a refusal that was told before its event carried the name."""
    return REFUSAL_NAMES[RefusalReason(code)][language] if code in set(RefusalReason) else code


def day_text(day: date, language: str) -> str:
    """The Jalali day, in the digits of the language."""
    text = jalali.short(day)
    return text if language == Language.FA else latin_digits(text)


def values(params: Mapping[str, str], language: str, words: Table, *, code: str | None = None) -> dict[str, str]:
    """Every value a template may name, as it is read in `language`."""
    spoken = Language(language)
    found = dict(params)
    if "kind" in found:
        found["kind"] = words.kind_words[found["kind"]][spoken]
    if "outcome" in found:
        found["outcome"] = OUTCOME_NAMES[Outcome(found["outcome"])][spoken]
    if "reason" in found:
        found["reason"] = found.get(f"reason_{spoken}") or _shipped_reason(found["reason"], spoken)
    if "stage" in found:
        found["stage"] = STAGE_NAMES[Stage(found["stage"])][spoken]
    if "date" in found:
        found["date"] = day_text(date.fromisoformat(found["date"]), spoken)
    if "when" in found:
        at = datetime.fromisoformat(found["when"]).astimezone(jalali.TEHRAN)
        found["when"] = f"{day_text(at.date(), spoken)}{_AT[spoken]}{_digits(f'{at:%H:%M}', spoken)}"
        found["place"] = found["place_fa" if spoken is Language.FA else "place_en"]
    if "roles" in found:
        separator = "، " if spoken is Language.FA else ", "
        found["roles"] = separator.join(ROLE_NAMES[Role(role)][spoken] for role in found["roles"].split())
    if "account" in found and spoken is Language.FA:
        found["account"] = _ISOLATED.format(found["account"])
    if "number" in found and spoken == Language.FA:
        found["number"] = _ISOLATED.format(found["number"])
    if code is not None:
        found["code"] = code_for_sms(code)
    return found


def lookup_of(words: Table, channel: str, template: str, language: str, filled: Mapping[str, str]) -> Lookup | None:
    """How the provider knows this text, when it has approved it."""
    return words.words(channel, template, language, filled).lookup

"""Every value that a text may name: where an event has it, how it is stored, how its reader sees it, how long it can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from backbone.persian import jalali
from backbone.persian.date_text import digits, short_day_text
from contracts.notify import MessageChannel
from contracts.vocabulary import Language, Outcome, RefusalReason, Role, Stage
from services.notify.wording.rules import Names, Value, code_for_sms
from texts.loading import area
from texts.vocabulary import OUTCOME_NAMES, REFUSAL_NAMES, ROLE_NAMES, STAGE_NAMES

_FORMATS = area("formats")
_ISOLATED = "\u2066{}\u2069"  # left to right: after Persian letters 1405-000123 would be shown as 000123-1405
_SMS = frozenset({MessageChannel.SMS.value})
ENDING_DIGITS = 4
MOST_ENDINGS = 4
"""Codes that one message names the last digits of."""
_LONGEST_PLACE = 40  # contracts.visits.PlaceName
_LONGEST_STAFF_NAME = 100


def _attribute(name: str) -> Callable[[Any], Mapping[str, str]]:
    """The event's attribute of this name, stored under the same name; nothing when it is None."""

    def extract(event: Any) -> Mapping[str, str]:
        value = getattr(event, name)
        return {} if value is None else {name: str(value)}

    return extract


def _stored(name: str) -> Callable[[Mapping[str, str], Language, Names], str]:
    """The stored parameter as it is."""
    return lambda params, language, names: params[name]


def _nothing(event: Any) -> Mapping[str, str]:
    """Of a value that is not in the event: it is added when the message is sent, or by the use case."""
    return {}


def _iso(day: date | None) -> Mapping[str, str]:
    return {} if day is None else {"date": day.isoformat()}


def _isolated(params: Mapping[str, str], language: Language, name: str) -> str:
    return _ISOLATED.format(params[name]) if language is Language.FA else params[name]


# --- the case ---

KIND = Value(
    "kind",
    extract=lambda event: {"kind": getattr(event, "state", event).kind.value},
    write=lambda params, language, names: names.kinds[params["kind"]][language],
    longest=lambda language, names: max((words[language] for words in names.kinds.values()), key=len),
)
KIND_OF_CONTACT = Value("kind", extract=_nothing, write=KIND.write, longest=KIND.longest)
"""Added by the use case, which knows the case's contact."""

EXPECTED_DATE = Value(
    "date",
    extract=lambda event: _iso(event.state.expected_on),
    write=lambda params, language, names: short_day_text(date.fromisoformat(params["date"]), language),
    longest=lambda language, names: "1405/12/29",
    always=False,
)
"""The day on which a decision is expected. Where it may be unknown, a text that names it has a twin, `NAME_undated`."""
PROMISED_DATE = Value("date", extract=_nothing, write=EXPECTED_DATE.write, longest=EXPECTED_DATE.longest, always=False)
"""The expected day as the case was opened: added when the message is sent or shown."""
DUE_DATE = Value(
    "date", extract=lambda event: _iso(event.due_on), write=EXPECTED_DATE.write, longest=EXPECTED_DATE.longest
)
"""The last day of a step."""
CLOSE_DATE = Value(
    "date", extract=lambda event: _iso(event.close_on), write=EXPECTED_DATE.write, longest=EXPECTED_DATE.longest
)
"""The last day for the citizen's answer, after which the case is closed."""
REOPEN_DATE = Value(
    "date", extract=lambda event: _iso(event.object_until), write=EXPECTED_DATE.write, longest=EXPECTED_DATE.longest
)
"""The last day on which the citizen's answer reopens the case."""
ANSWER_DATE = Value(
    "date",
    extract=lambda event: _iso(event.expected_on),
    write=EXPECTED_DATE.write,
    longest=EXPECTED_DATE.longest,
    always=False,
)

CODES_LEFT = Value(
    "left",
    extract=lambda event: {} if event.codes_left is None else {"left": str(event.codes_left)},
    write=lambda params, language, names: digits(params["left"], language),
    longest=lambda language, names: "10",
)
"""Recovery codes that are left."""

NUMBER = Value(
    "number",
    extract=lambda event: {"number": event.state.number},
    write=lambda params, language, names: _isolated(params, language, "number"),
    longest=lambda language, names: "1405-000000",
)
"""The case's number; for staff who may see the case alone."""

STAGE = Value(
    "stage",
    extract=_attribute("stage"),
    write=lambda params, language, names: STAGE_NAMES[Stage(params["stage"])][language],
    longest=lambda language, names: max((words[language] for words in STAGE_NAMES.values()), key=len),
)
OUTCOME = Value(
    "outcome",
    extract=_attribute("outcome"),
    write=lambda params, language, names: OUTCOME_NAMES[Outcome(params["outcome"])][language],
    longest=lambda language, names: max((words[language] for words in OUTCOME_NAMES.values()), key=len),
)


def _extract_reason(event: Any) -> Mapping[str, str]:
    names = {"reason_fa": event.reason_fa, "reason_en": event.reason_en}
    return {"reason": event.reason, **{name: text for name, text in names.items() if text}}


def _write_reason(params: Mapping[str, str], language: Language, names: Names) -> str:
    """The name that the event carried, else the shipped one."""
    code = params["reason"]
    shipped = REFUSAL_NAMES[RefusalReason(code)][language] if code in set(RefusalReason) else code
    return params.get(f"reason_{language}") or shipped


def _longest_reason(language: Language, names: Names) -> str:
    own = [reason.fa if language is Language.FA else reason.en for reason in names.refusal_reasons]
    return max(own or [words[language] for words in REFUSAL_NAMES.values()], key=len)


REASON = Value("reason", _extract_reason, _write_reason, _longest_reason)

CODE = Value(
    "code",
    extract=_nothing,
    write=lambda params, language, names: code_for_sms(params["code"]),
    longest=lambda language, names: code_for_sms("0" * 16),
    channels=_SMS,
)
"""The tracking code, from the sealed contact as the message is sent; never stored, and never in the inbox."""

ENDING = Value(
    "ending",
    extract=_nothing,
    write=lambda params, language, names: params["code"][-ENDING_DIGITS:],
    longest=lambda language, names: "0" * ENDING_DIGITS,
    channels=_SMS,
    stored_as="code",
)
"""The last digits of the code that an answer is about, by which a citizen knows it from others; from its sealed box as the
answer is sent, never stored."""


def _write_endings(params: Mapping[str, str], language: Language, names: Names) -> str:
    separator = _FORMATS.text(language, "list_separator")
    return separator.join(code[-ENDING_DIGITS:] for code in params["codes"].split()[:MOST_ENDINGS])


ENDINGS = Value(
    "endings",
    extract=_nothing,
    write=_write_endings,
    longest=lambda language, names: _write_endings({"codes": "0000 " * MOST_ENDINGS}, language, names),
    channels=_SMS,
    stored_as="codes",
)
"""The same of several codes, among which the citizen is to choose."""

# --- visits ---


def _write_when(params: Mapping[str, str], language: Language, names: Names) -> str:
    at = datetime.fromisoformat(params["when"]).astimezone(jalali.TEHRAN)
    time = digits(f"{at:%H:%M}", language)
    return _FORMATS.text(language, "day_and_time", day=short_day_text(at.date(), language), time=time)


WHEN = Value(
    "when",
    extract=lambda event: {"when": event.starts_at.isoformat()} if event.starts_at is not None else {},
    write=_write_when,
    longest=lambda language, names: _FORMATS.text(language, "day_and_time", day="1405/00/00", time="00:00"),
)
PLACE = Value(
    "place",
    extract=lambda event: (
        {"place_fa": event.place_fa or "", "place_en": event.place_en or ""} if event.starts_at is not None else {}
    ),
    write=lambda params, language, names: params[f"place_{language}"],
    longest=lambda language, names: "0" * _LONGEST_PLACE,
    stored_as="place_fa",
)

# --- accounts ---

OTP = Value("otp", extract=_nothing, write=_stored("otp"), longest=lambda language, names: "000000", channels=_SMS)
"""The one-time code, from its sealed box as the message is sent; never stored."""


def _longest_staff_name(language: Language, names: Names) -> str:
    return "0" * _LONGEST_STAFF_NAME


ACCOUNT = Value(
    "account",
    extract=lambda event: {"account": event.username},
    write=lambda params, language, names: _isolated(params, language, "account"),
    longest=_longest_staff_name,
)


def _write_roles(params: Mapping[str, str], language: Language, names: Names) -> str:
    separator = _FORMATS.text(language, "list_separator")
    return separator.join(ROLE_NAMES[Role(role)][language] for role in params["roles"].split())


ROLES = Value(
    "roles",
    extract=lambda event: {"roles": " ".join(event.roles)},
    write=_write_roles,
    longest=lambda language, names: _write_roles({"roles": " ".join(Role)}, language, names),
)
REQUESTER = Value(
    "requester",
    extract=lambda event: {"requester": event.asked_by_name} if event.asked_by_name is not None else {},
    write=_stored("requester"),
    longest=_longest_staff_name,
)
DECIDER = Value(
    "decider",
    extract=lambda event: {"decider": event.decided_by_name} if event.decided_by_name is not None else {},
    write=_stored("decider"),
    longest=_longest_staff_name,
)

# --- webhooks ---

WEBHOOK = Value(
    "webhook",
    extract=_attribute("webhook"),
    write=_stored("webhook"),
    longest=lambda language, names: "0" * 100,  # contracts.webhooks.WebhookName
)
"""The name that an administrator gave a partner system."""

"""The words and the routing table: short, polite, without links, whole in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from backbone.process import keys
from contracts.accounts import OtpRequested
from contracts.tracking import CaseDecided, NoteAdded
from contracts.vocabulary import Kind, Language, Stage
from services.notify.notifications.composer import MessageComposer
from services.notify.notifications.recipients import UNIT_ASKED
from services.notify.notifications.registry import shipped_registry
from services.notify.notifications.rules import SMS, Notification, NotificationRegistry
from services.notify.notifications.validation import problems
from services.notify.wording.rules import LANGUAGES, code_for_sms, sms_parts
from services.notify.wording.templates import approved_texts, shipped_templates, templates_of
from services.notify.wording.values import EXPECTED_DATE
from tests.support.notify import Keys, Person
from texts.loading import BadTexts, read
from texts.vocabulary import KIND_NAMES, OUTCOME_NAMES, REFUSAL_NAMES, STAGE_NAMES

KEYS = Keys(keys.generate())


def longest(names: Mapping[Any, Mapping[Language, str]], language: str) -> str:
    return max((words[Language(language)] for words in names.values()), key=len)


def worst_values(language: str) -> dict[str, str]:
    kinds = [words[language] for words in shipped_templates().names.kinds.values()]
    return {
        "code": code_for_sms("1234567890123456"),
        "date": "۱۴۰۵/۱۲/۲۹" if language == "fa" else "1405/12/29",
        "kind": max(kinds, key=len),
        "stage": longest(STAGE_NAMES, language),
        "outcome": longest(OUTCOME_NAMES, language),
        "reason": longest(REFUSAL_NAMES, language),
        "otp": "123456",
        "ending": "1234",
        "endings": ("، " if language == "fa" else ", ").join(["1234"] * 4),
        "number": "1405-000123",
        "when": "۱۴۰۵/۱۲/۲۹ ساعت ۱۰:۳۰" if language == "fa" else "1405/12/29 at 10:30",
        "place": "x" * 40,  # contracts.visits.PlaceName
    }


TEXTS = sorted(shipped_templates().texts)
SMS_TEXTS = [key for key in TEXTS if key[0] == "sms"]


@pytest.mark.parametrize("key", SMS_TEXTS, ids="-".join)
def test_an_sms_takes_two_parts_at_most(key: tuple[str, str, str]) -> None:
    assert sms_parts(shipped_templates().render(*key, worst_values(key[2]))) <= 2


@pytest.mark.parametrize("key", SMS_TEXTS, ids="-".join)
def test_the_code_is_alone_on_its_line(key: tuple[str, str, str]) -> None:
    text = shipped_templates().texts[key].text
    assert "{code}" not in text or "{code}" in text.splitlines()


@pytest.mark.parametrize("key", TEXTS, ids="-".join)
def test_no_text_has_a_link(key: tuple[str, str, str]) -> None:
    assert not re.search(r"https?:|www\.|\.\s?(ir|com|org)\b|/v1|_", shipped_templates().texts[key].text)


@pytest.mark.parametrize("key", [key for key in TEXTS if key[2] == "fa"], ids="-".join)
def test_persian_is_written_with_persian_letters_and_digits(key: tuple[str, str, str]) -> None:
    # 1 and 2 are what the handset is asked to send; a keypad has these.
    text = re.sub(r"\{\w+\}", "", shipped_templates().texts[key].text).replace("1 راضی", "").replace("2 اعتراض", "")
    assert not re.search("[يكةa-zA-Z0-9٠-٩]", text)


@pytest.mark.parametrize("key", [key for key in TEXTS if key[0] == "inbox"], ids="-".join)
def test_the_inbox_never_shows_the_code(key: tuple[str, str, str]) -> None:
    assert "code" not in shipped_templates().texts[key].placeholders


def test_texts_for_a_unit_name_no_case() -> None:
    for notification in shipped_registry():
        if notification.recipient.audience == "liaison":
            for language in LANGUAGES:
                template = shipped_templates().texts["inbox", notification.template, language]
                assert template.placeholders <= {"date", "office"}


def test_no_sms_reveals_the_submission_or_its_internal_number() -> None:
    for channel, name, language in SMS_TEXTS:
        assert "number" not in shipped_templates().texts[channel, name, language].placeholders


def test_a_report_of_wrongdoing_has_a_neutral_name() -> None:
    words = shipped_templates().names.kinds
    assert set(words) == set(Kind)
    for language in Language:
        assert words[Kind.INFORMATION][language] not in KIND_NAMES[Kind.INFORMATION][language]


def test_a_missing_date_uses_the_text_without_one_and_a_missing_value_is_an_error() -> None:
    values = {"kind": "شکایت", "code": "1234-5678-9012-3456"}
    assert shipped_templates().render("sms", "registered", "fa", values) == (
        "شکایت شما ثبت شد. کد رهگیری:\n1234-5678-9012-3456\nلطفاً این کد را نگه دارید.\nبازرسی شهرداری قزوین"
    )
    assert shipped_templates().render("sms", "registered", "fa", {**values, "date": "۱۴۰۵/۰۹/۱۲"}) == (
        "شکایت شما ثبت شد. کد رهگیری:\n1234-5678-9012-3456\nنتیجه تا ۱۴۰۵/۰۹/۱۲\nبازرسی شهرداری قزوین"
    )
    with pytest.raises(KeyError):
        shipped_templates().render("sms", "registered", "fa", {"kind": "شکایت"})


def test_notifications_are_found_by_event_and_condition() -> None:
    person = Person(KEYS)
    drafts = MessageComposer(shipped_registry()).compose(person.decided(final=True))
    assert [(draft.channel, draft.template) for draft in drafts] == [
        ("sms", "decided_final"),
        ("inbox", "decided_final"),
    ]
    assert MessageComposer(shipped_registry()).compose(person.event(NoteAdded, Stage.INVESTIGATING)) == []


def test_one_time_codes_are_sent_in_quiet_hours() -> None:
    (notification,) = [entry for entry in shipped_registry() if entry.event is OtpRequested]
    assert notification.urgent


def test_approved_texts_carry_the_providers_marks() -> None:
    assert approved_texts()["peygir-otp-en"].startswith("Your Peygir sign-in code: %token\n")


def test_templates_and_registry_name_all_their_mistakes_at_once() -> None:
    with pytest.raises(BadTexts) as wrong:
        templates_of(read('[sms.x]\nfa = "{date}"\n[sms.y]\nfa = "{code} {date}"\nen = "{date}"\n', "messages.toml"))
    for part in ("sms.x needs fa and en", "sms.y has other placeholders in fa than in en"):
        assert part in str(wrong.value)

    templates = templates_of(read('[sms.y]\nfa = "{x} {date}"\nen = "{x} {date}"\n', "messages.toml"))
    notifications = [Notification(CaseDecided, name, UNIT_ASKED, SMS, (EXPECTED_DATE,)) for name in ("y", "z")]
    mistakes = list(problems(NotificationRegistry(notifications), templates))
    for part in ("no fa text sms.z", "no en text sms.z", "sms.y.fa: no notification brings the value x"):
        assert any(part in problem for problem in mistakes), part
    assert "sms.y.en: no notification brings the value date" in mistakes, "there is no y_undated"

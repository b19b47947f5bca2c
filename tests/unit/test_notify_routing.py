"""The words and the routing table: short, polite, without links, whole in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from contracts.vocabulary import Kind, Language
from services.notify.domain import code_for_sms, sms_parts
from services.notify.routing import LANGUAGES, BadTable, lookup_texts, read_table, table
from texts.vocabulary import KIND_NAMES, OUTCOME_NAMES, REFUSAL_NAMES, STAGE_NAMES


def longest(names: Mapping[Any, Mapping[Language, str]], language: str) -> str:
    return max((words[Language(language)] for words in names.values()), key=len)


def worst_values(language: str) -> dict[str, str]:
    kinds = [words[language] for words in table().kind_words.values()]
    return {
        "code": code_for_sms("1234567890123456"),
        "date": "۱۴۰۵/۱۲/۲۹" if language == "fa" else "1405/12/29",
        "kind": max(kinds, key=len),
        "stage": longest(STAGE_NAMES, language),
        "outcome": longest(OUTCOME_NAMES, language),
        "reason": longest(REFUSAL_NAMES, language),
        "otp": "123456",
        "number": "1405-000123",
        "when": "۱۴۰۵/۱۲/۲۹ ساعت ۱۰:۳۰" if language == "fa" else "1405/12/29 at 10:30",
        "place": "x" * 40,  # contracts.visits.PlaceName
    }


TEXTS = sorted(table().texts)
SMS = [key for key in TEXTS if key[0] == "sms"]


@pytest.mark.parametrize("key", SMS, ids="-".join)
def test_an_sms_takes_two_parts_at_most(key: tuple[str, str, str]) -> None:
    assert sms_parts(table().render(*key, worst_values(key[2]))) <= 2


@pytest.mark.parametrize("key", SMS, ids="-".join)
def test_the_code_stands_alone_on_its_line(key: tuple[str, str, str]) -> None:
    text = table().texts[key].text
    assert "{code}" not in text or "{code}" in text.splitlines()


@pytest.mark.parametrize("key", TEXTS, ids="-".join)
def test_no_text_has_a_link(key: tuple[str, str, str]) -> None:
    assert not re.search(r"https?:|www\.|\.\s?(ir|com|org)\b|/v1|_", table().texts[key].text)


@pytest.mark.parametrize("key", [key for key in TEXTS if key[2] == "fa"], ids="-".join)
def test_persian_is_written_with_persian_letters_and_digits(key: tuple[str, str, str]) -> None:
    # 1 and 2 are what the handset is asked to send; a keypad has these.
    text = re.sub(r"\{\w+\}", "", table().texts[key].text).replace("1 راضی", "").replace("2 اعتراض", "")
    assert not re.search("[يكةa-zA-Z0-9٠-٩]", text)


@pytest.mark.parametrize("key", [key for key in TEXTS if key[0] == "inbox"], ids="-".join)
def test_the_inbox_never_shows_the_code(key: tuple[str, str, str]) -> None:
    assert "code" not in table().texts[key].needs


def test_what_a_unit_reads_names_no_case() -> None:
    for route in table().routes:
        if route.audience == "liaison":
            for language in LANGUAGES:
                assert table().texts[route.channel, route.template, language].needs <= {"date", "office"}


def test_no_sms_tells_what_was_filed_or_the_offices_number_of_it() -> None:
    for channel, name, language in SMS:
        assert "number" not in table().texts[channel, name, language].needs


def test_a_report_of_wrongdoing_is_called_by_a_neutral_word() -> None:
    words = table().kind_words
    assert set(words) == set(Kind)
    for language in Language:
        assert words[Kind.INFORMATION][language] not in KIND_NAMES[Kind.INFORMATION][language]


def test_a_missing_date_takes_the_words_without_one_and_a_missing_value_is_an_error() -> None:
    values = {"kind": "شکایت", "code": "1234-5678-9012-3456"}
    assert table().render("sms", "registered", "fa", values) == (
        "شکایت شما ثبت شد. کد رهگیری:\n1234-5678-9012-3456\nلطفاً این کد را نگه دارید.\nبازرسی شهرداری قزوین"
    )
    assert table().render("sms", "registered", "fa", {**values, "date": "۱۴۰۵/۰۹/۱۲"}) == (
        "شکایت شما ثبت شد. کد رهگیری:\n1234-5678-9012-3456\nنتیجه تا ۱۴۰۵/۰۹/۱۲\nبازرسی شهرداری قزوین"
    )
    with pytest.raises(KeyError):
        table().render("sms", "registered", "fa", {"kind": "شکایت"})


def test_routes_are_found_by_event_kind_and_condition() -> None:
    final = table().routes_for("case.decided.v1", kind="complaint", when=frozenset({"final"}))
    assert [(route.channel, route.template) for route in final] == [
        ("sms", "decided_final"),
        ("inbox", "decided_final"),
    ]
    assert table().routes_for("case.note_added.v1") == []


def test_one_time_codes_go_out_in_quiet_hours() -> None:
    (route,) = table().routes_for("otp.requested.v1")
    assert route.urgent


def test_approved_texts_carry_the_providers_marks() -> None:
    assert lookup_texts()["peygir-otp-en"].startswith("Your Peygir sign-in code: %token\n")


def test_a_table_names_all_its_mistakes_at_once() -> None:
    routes = '[[route]]\nevent="a"\naudience="nobody"\nchannel="sms"\ntemplate="x"\n' * 2
    words = '[sms.y]\nfa = "{x} {date}"\nen = "{date}"\n[office]\nfa="a"\nen="b"\n[kind_words]\n'
    with pytest.raises(BadTable) as wrong:
        read_table(routes, words)
    for part in ("route 1", "route 2", "unknown value x", "different values", "no y_undated"):
        assert part in str(wrong.value)

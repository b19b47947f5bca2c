"""What the administrator's texts may hold."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from contracts.vocabulary import Language
from services.notify.notifications.registry import shipped_registry
from services.notify.notifications.validation import offered_values
from services.notify.wording.rules import LANGUAGES
from services.notify.wording.templates import shipped_templates
from services.notify.wording.use_cases import TextUseCases
from texts.fields import field_text
from texts.loading import placeholders

FA = "نتیجه {kind} شما: {outcome}\n{code}\n{office}"
EN = "Result of your {kind}: {outcome}\n{code}\n{office}"

TEXTS = TextUseCases(shipped_registry(), shipped_templates())


def offered(channel: str, name: str) -> frozenset[str]:
    return offered_values(shipped_registry(), shipped_templates(), channel, name)


def wrong(channel: str, name: str, fa: str | None, en: str | None) -> dict[str, str]:
    return {mistake["field"]: mistake["reason"] for mistake in TEXTS.mistakes(channel, name, {"fa": fa, "en": en})}


def test_every_shipped_text_uses_only_values_of_its_event() -> None:
    """Else the list of values shown to the administrator would be too short."""
    for (channel, name, _), words in shipped_templates().texts.items():
        assert words.placeholders <= offered(channel, name), (channel, name)


def test_every_shipped_text_could_be_written_by_the_administrator() -> None:
    texts = shipped_templates().texts
    for channel, name in dict.fromkeys((channel, name) for channel, name, _ in texts):
        fa, en = (texts[channel, name, language] for language in LANGUAGES)
        if fa.fixed:  # nobody words them anew, so only what they name is looked at
            assert fa.placeholders <= offered(channel, name), (channel, name)
        elif fa.approved is None:
            assert wrong(channel, name, fa.text, en.text) == {}, (channel, name)


def test_valid_texts_are_accepted() -> None:
    assert wrong("sms", "decided", FA, EN) == {}


@pytest.mark.parametrize(
    "link", ["https://q.ir/a", "my.qazvin.ir", "evil.xyz", "bit[.]ly/abc", "bit．ly", "{kind}.xyz"]
)
def test_an_sms_contains_no_link(link: str) -> None:
    assert wrong("sms", "decided", f"{FA} {link}", EN) == {"text_fa": "link_in_sms"}
    assert wrong("sms", "decided", FA, f"{EN} {link}") == {"text_en": "link_in_sms"}


def test_the_error_names_the_link_in_both_languages() -> None:
    [field] = TEXTS.mistakes("sms", "decided", {"fa": f"{FA} bit[.]ly/x", "en": EN})
    assert field_text(field, Language.EN) == "An SMS may hold no link or Internet address: bit.ly"
    assert field_text(field, Language.FA) == "پیامک نباید پیوند یا نشانی اینترنتی داشته باشد: bit.ly"


@pytest.mark.parametrize("channel", ["sms", "inbox"])
@pytest.mark.parametrize(
    "letter", ["\u202e", "\u2066", "\u200f", "\u200b", "\u00ad", "\u2060", "\u2028", "\ufe0f", "\U000e0041"]
)
def test_no_text_contains_invisible_characters(channel: str, letter: str) -> None:
    texts = (FA, EN) if channel == "sms" else ("نتیجه {kind} شما", "Result of your {kind}")
    assert wrong(channel, "decided", f"{texts[0][:6]}{letter}{texts[0][6:]}", texts[1]) == {
        "text_fa": "forbidden_characters"
    }


def test_the_persian_zero_width_non_joiner_is_accepted() -> None:
    assert wrong("sms", "decided", FA.replace("نتیجه", "نتیجه‌ی"), EN) == {}


@pytest.mark.parametrize(
    ("channel", "name", "fa", "en", "reason"),
    [
        ("sms", "decided", FA.replace("{code}\n", ""), EN, "value_on_own_line"),
        ("sms", "decided", FA.replace("\n{code}", " {code}"), EN, "value_on_own_line"),
        ("sms", "rating_thanks", "سپاسگزاریم.", "Thanks, {ending}.", "value_missing"),
        ("sms", "which_decision", "کدام کد؟", "Which of {endings}?", "value_missing"),
        ("sms", "decided", FA + "{reason}", EN, "value_not_offered"),
        ("sms", "decided", FA + "{number}", EN, "value_not_offered"),
        ("inbox", "decided", "{code}", "{code}", "value_not_offered"),
        ("inbox", "unit_asked", "{kind} {date}", "{kind} {date}", "value_not_offered"),
        ("sms", "decided", FA + "{date}", EN + "{date}", "value_not_offered"),
        ("sms", "decided", FA + "{", EN, "bad_placeholder"),
        ("sms", "decided", FA.replace("{kind}", "{kind!r}"), EN, "bad_placeholder"),
        ("sms", "decided", FA.replace("{kind}", "{kind.x}"), EN, "bad_placeholder"),
        ("sms", "decided", FA.replace("{kind}", "{}"), EN, "bad_placeholder"),
        ("sms", "decided", FA + "ا" * 140, EN, "too_many_parts"),
        ("sms", "decided", FA + "\x07", EN, "forbidden_characters"),
        ("sms", "decided", None, EN, "missing"),
        ("sms", "one_time_code", "{otp}", "{otp}", "approved_by_provider"),
        ("inbox", "staff_grant_requested", "{account}", "{account}", "fixed_text"),
        ("inbox", "staff_change_on_server", "همه چیز خوب است.", "All is well.", "fixed_text"),
    ],
)
def test_unsuitable_texts_are_refused(channel: str, name: str, fa: str | None, en: str, reason: str) -> None:
    assert wrong(channel, name, fa, en)["text_fa"] == reason


def test_texts_that_notify_custodians_about_administrators_ignore_stored_changes() -> None:
    changed = shipped_templates().with_texts({("inbox", "staff_change_on_server", "en"): "All is well."})
    text = changed.render("inbox", "staff_change_on_server", "en", {"account": "head-2", "roles": "head"})
    assert "head-2" in text


def test_both_languages_use_the_same_values() -> None:
    assert wrong("sms", "decided", FA, EN.replace(" {outcome}", "")) == {"text_en": "values_differ"}


def test_changed_texts_are_sent() -> None:
    changed = shipped_templates().with_texts(
        {("sms", "withdrawn", "fa"): "پایان {kind}\n{code}", ("sms", "gone", "fa"): "x"}
    )
    assert changed.render("sms", "withdrawn", "fa", {"kind": "شکایت", "code": "1"}) == "پایان شکایت\n1"
    assert changed.render("sms", "withdrawn", "en", {"kind": "complaint", "code": "1"}).startswith("As you asked")
    assert placeholders("{a} {{b}}") == {"a"}


def test_reasons_of_the_office_count_for_the_length_of_an_sms() -> None:
    texts = shipped_templates().texts
    refused: dict[str, str | None] = {language: texts["sms", "refused", language].text for language in LANGUAGES}
    for words, fields in ((10, []), (60, ["text_fa"])):
        reasons = [SimpleNamespace(fa="نامه " * words, en="short")]
        assert [mistake["field"] for mistake in TEXTS.mistakes("sms", "refused", refused, reasons)] == fields

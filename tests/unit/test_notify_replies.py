"""What answers to a decision mean, however they are written; and which decision an answer is for."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import tracking_codes
from contracts.notify import Reply
from contracts.vocabulary import Stage
from services.notify.inbound.decisions import Choice, Decision, choose, waiting
from services.notify.inbound.meanings import (
    Meaning,
    NotUnderstood,
    ReplySent,
    TrackingCodeSent,
    UnclearReply,
    meanings_of,
)

CODE, OTHER = "1234567890123456", "9876543210987654"
TODAY = date(2026, 11, 23)
ZEROS = ("0", "۰", "٠", "०", "\uff10")
"""The zero of digits in use: Latin, Persian, Arabic, Devanagari, full width."""


def meanings(text: str) -> list[Meaning]:
    candidates = tracking_codes.candidates(text)
    return list(meanings_of(text, candidates, [code for code in candidates if code in (CODE, OTHER)]))


def reply_of(text: str) -> Reply | None:
    """The one answer in a text that names no code."""
    [meaning] = meanings(text)
    if not isinstance(meaning, ReplySent):
        return None
    assert (meaning.code, meaning.ending) == (None, None)
    return meaning.reply


SATISFIED = (
    *(
        "1",
        "1.",
        "1)",
        "گزینه 1",
        "عدد ۱",
        "1 راضی",
        "راضی",
        "راضي",
        "راضی هستم",
        "راضی‌ام",
        "راضیم",
        "راضی‌هستم",
        "رضایت دارم",
    ),
    *(
        "رضایت كامل دارم",
        "اعتراضی ندارم",
        "اعتراض ندارم",
        "هیچ اعتراضی ندارم",
        "اعتراض نمی‌کنم",
        "اعتراض نمی کنم",
        "معترض نیستم",
    ),
    *(
        "ناراضی نیستم",
        "راضی هستم و اعتراضی ندارم",
        "نمی‌خواهم اعتراض کنم",
        "بدون اعتراض",
        "قبول دارم",
        "راظی هستم",
        "رازی هستم",
    ),
    *(
        "از نتیجه‌ی رسیدگی راضی هستم، خدا خیرتان بدهد",
        "raziam",
        "razi hastam",
        "I am satisfied",
        "No objection",
        "satisfied!",
    ),
)
OBJECTING = (
    *(
        "2",
        "2.",
        "گزینه ۲",
        "2- اعتراض",
        "اعتراض",
        "اعتراض دارم",
        "اعتراض‌دارم",
        "اعتراضدارم",
        "معترضم",
        "معترض هستم",
        "اعتراز دارم",
    ),
    *(
        "اعتراظ دارم",
        "راضی نیستم",
        "راضی‌نیستم",
        "راضینیستم",
        "راضی نیسم",
        "رضایت ندارم",
        "ناراضی",
        "نا راضی هستم",
        "ناراضی‌ام",
    ),
    *(
        "راضی نیستم و اعتراض دارم",
        "عدم رضایت",
        "قبول ندارم",
        "اِعتراض دارم",
        "اعتـــراض",
        "راضی نبودم و نیستم",
        "اعتراض\u200bدارم",
    ),
    *(
        "چرا کسی نیامد؟ اعتراض دارم",
        "به این نتیجه که کار انجام شده اعتراض دارم چون آسفالت نشده",
        "eteraz daram",
        "e'teraz daram",
    ),
    *("razi nistam", "I object", "not satisfied", "I'm dissatisfied", "I don't agree"),
)
UNCLEAR = (
    *(
        "1 2",
        "1 یا 2",
        "1 اعتراض دارم",
        "راضی نیستم ولی اعتراض ندارم",
        "آیا می‌توانم اعتراض کنم",
        "چطور اعتراض کنم؟",
        "اعتراض؟",
    ),
    *("اگر راضی نباشم چه", "2 1234 5678", f"2 {CODE} {OTHER}", "1234", "can I object"),
)


@pytest.mark.parametrize("text", SATISFIED)
def test_words_of_satisfaction_are_understood(text: str) -> None:
    assert reply_of(text) is Reply.SATISFIED


@pytest.mark.parametrize("text", OBJECTING)
def test_words_of_an_objection_are_understood(text: str) -> None:
    assert reply_of(text) is Reply.OBJECT


@pytest.mark.parametrize("text", ["ادامه", "«ادامه»", "ادامه دهید", "Continue"])
def test_a_word_reopens_what_was_closed_unanswered(text: str) -> None:
    assert reply_of(text) is Reply.RESUME


@pytest.mark.parametrize("text", UNCLEAR)
def test_an_answer_that_may_mean_either_is_no_answer(text: str) -> None:
    assert meanings(text) == [UnclearReply()]


def test_our_own_message_sent_back_asks_for_the_stage() -> None:
    shown = "-".join(CODE[at : at + 4] for at in range(0, 16, 4))
    text = f"نتیجه رسیدگی به شکایت شما: وارد\n{shown}\nلطفاً پاسخ دهید: 1 راضی، 2 اعتراض\nبازرسی شهرداری قزوین"
    assert meanings(text) == [TrackingCodeSent((CODE,))]


def test_two_codes_are_two_questions_and_two_answers_two_answers() -> None:
    shown = ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in (CODE, OTHER)]
    for text in (f"{CODE}\n{OTHER}", " ".join(shown), "\n".join(shown).replace("-", " "), "، ".join(shown)):
        assert meanings(text) == [TrackingCodeSent((CODE, OTHER))]
    assert meanings(f"1 {CODE} و 2 {OTHER}") == [ReplySent(Reply.SATISFIED, CODE), ReplySent(Reply.OBJECT, OTHER)]
    assert meanings("1 1234\n2 5678") == [
        ReplySent(Reply.SATISFIED, ending="1234"),
        ReplySent(Reply.OBJECT, ending="5678"),
    ]
    assert meanings("راضی هستم ۱۲۳۴ و اعتراض دارم ۵۶۷۸") == meanings("1 1234 2 5678")


def test_an_answer_with_a_mistyped_code_is_none() -> None:
    assert meanings("2 1111 2222 3333 4444") == [TrackingCodeSent()]


# --- however it is written ---

separators = st.sampled_from(
    [" ", "  ", "\n", "\u200c", "\u200f", "-", " - ", "–", ". ", "، ", ":", "/", "ـ", "\u00a0", "\t"]
)
zeros = st.sampled_from(ZEROS)
endings = st.integers(0, 9999).map("{:04d}".format)
one_or_two = st.sampled_from([("1", Reply.SATISFIED), ("2", Reply.OBJECT)])
stances = st.one_of(
    one_or_two,
    st.sampled_from([text for text in SATISFIED if not any(sign.isdigit() for sign in text)]).map(
        lambda text: (text, Reply.SATISFIED)
    ),
    st.sampled_from([text for text in OBJECTING if not any(sign.isdigit() or sign in "?؟" for sign in text)]).map(
        lambda text: (text, Reply.OBJECT)
    ),
)


def in_digits(text: str, zero: str) -> str:
    return text.translate({ord("0") + digit: chr(ord(zero) + digit) for digit in range(10)})


def arabic(text: str) -> str:
    return text.replace("ی", "ي").replace("ک", "ك")


@given(one_or_two, endings, separators, zeros, st.booleans())
def test_an_answer_with_the_last_digits_of_a_code_in_any_notation(
    answer: tuple[str, Reply], ending: str, between: str, zero: str, first: bool
) -> None:
    parts = (answer[0], ending) if first else (ending, answer[0])
    assert meanings(in_digits(between.join(parts), zero)) == [ReplySent(answer[1], ending=ending)]


@given(
    one_or_two, st.sampled_from([CODE, OTHER]), separators, st.sampled_from(["", " ", "-", "\u200c", "\n", "/"]), zeros
)
def test_an_answer_with_a_whole_code_in_any_grouping(
    answer: tuple[str, Reply], code: str, between: str, group: str, zero: str
) -> None:
    written = group.join(code[at : at + 4] for at in range(0, 16, 4))
    for text in (f"{answer[0]}{between}{written}", f"{written}{between}{answer[0]}"):
        assert meanings(in_digits(text, zero)) == [ReplySent(answer[1], code=code)]


@given(stances, endings, zeros, st.booleans(), st.sampled_from(["", "پرونده ", "کد ", "برای کد "]))
def test_words_with_the_last_digits_of_a_code(
    stance: tuple[str, Reply], ending: str, zero: str, folded: bool, before: str
) -> None:
    text = f"{stance[0]} {before}{ending}"
    [meaning] = meanings(in_digits(arabic(text) if folded else text, zero))
    assert isinstance(meaning, ReplySent)
    assert (meaning.reply, meaning.ending) == (stance[1], ending)


@given(
    stances,
    st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]),
    st.sampled_from(["", "\u200e", "\u202b", "\ufeff", "«", "\U0001f64f"]),
)
def test_marks_that_nobody_types_change_nothing(stance: tuple[str, Reply], form: str, mark: str) -> None:
    text = unicodedata.normalize(form, stance[0])  # type: ignore[arg-type]  # one of the four
    assert reply_of(f"{mark}{text}{mark}") is stance[1]


@given(st.text(max_size=60))
def test_no_text_is_too_strange(text: str) -> None:
    assert meanings(text)


@given(st.text(alphabet="سلام آب برق کوچه تهران بلوار", max_size=60))
def test_a_text_without_a_word_of_an_answer_is_none(text: str) -> None:
    assert meanings(text) == [NotUnderstood()]


# --- which decision ---


def decision(code: str, stage: Stage | None = Stage.DECIDED, **values: object) -> Decision:
    return replace(Decision(uuid4(), code, uuid4(), stage=stage, object_until=TODAY), **values)  # type: ignore[arg-type]


A, B = decision(CODE), decision(OTHER)


@pytest.mark.parametrize("reply", [Reply.SATISFIED, Reply.OBJECT])
def test_with_two_open_decisions_the_office_asks_for_which(reply: Reply) -> None:
    assert choose(ReplySent(reply), [A, B], TODAY) == Choice(result="which", among=[A, B])
    assert choose(ReplySent(reply, ending="7654"), [A, B], TODAY) == Choice(B)
    assert choose(ReplySent(reply, ending="0000"), [A, B], TODAY).result == "which"


def test_an_objection_is_asked_about_also_after_the_other_answer() -> None:
    satisfied = replace(A, reply="satisfied")
    assert choose(ReplySent(Reply.OBJECT), [satisfied, B], TODAY).result == "which"
    assert choose(ReplySent(Reply.SATISFIED), [satisfied, B], TODAY) == Choice(B)


def test_what_can_take_effect_only_on_one_is_for_that_one() -> None:
    closed = decision(CODE, Stage.CLOSED, rate_until=TODAY)
    assert choose(ReplySent(Reply.OBJECT), [closed, B], TODAY) == Choice(B)
    assert choose(ReplySent(Reply.SATISFIED), [closed, B], TODAY).result == "which"
    late = replace(closed, rate_until=TODAY - timedelta(days=1))
    assert choose(ReplySent(Reply.SATISFIED), [late, B], TODAY) == Choice(B)
    assert choose(ReplySent(Reply.SATISFIED), [late], TODAY) == Choice(late)  # tracking tells why not


def test_two_codes_with_the_same_end_take_the_whole_code() -> None:
    same = decision("0000000000003456")
    assert choose(ReplySent(Reply.OBJECT, ending="3456"), [A, same], TODAY).result == "which_code"
    over = replace(same, stage=Stage.REVIEW)
    assert choose(ReplySent(Reply.OBJECT, ending="3456"), [A, over], TODAY) == Choice(A)


def test_a_year_in_a_sentence_is_no_code() -> None:
    [sentence] = meanings("از سال 1405 که شکایت کردم راضی نیستم")
    assert isinstance(sentence, ReplySent)
    assert choose(sentence, [A], TODAY) == Choice(A)
    [other_case] = meanings("به نتیجه پرونده 5678 که بستید اعتراض دارم")
    assert isinstance(other_case, ReplySent)
    assert choose(other_case, [A], TODAY) == Choice(result="which", among=[A])


def test_only_a_case_closed_unanswered_can_be_resumed() -> None:
    unanswered = decision(CODE, Stage.CLOSED, resumable=True)
    assert choose(ReplySent(Reply.RESUME), [A, unanswered], TODAY) == Choice(unanswered)
    for reply in (Reply.SATISFIED, Reply.OBJECT):
        assert choose(ReplySent(reply), [unanswered, B], TODAY) == Choice(B)


@given(
    st.lists(
        st.builds(
            decision,
            st.integers(0, 10**16 - 1).map("{:016d}".format),
            st.sampled_from([None, Stage.DECIDED, Stage.CLOSED, Stage.REVIEW]),
            reply=st.sampled_from([None, "satisfied", "object"]),
            rate_until=st.sampled_from([None, TODAY, TODAY - timedelta(days=1)]),
            object_until=st.sampled_from([None, TODAY, TODAY - timedelta(days=1)]),
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([Reply.SATISFIED, Reply.OBJECT]),
)
def test_no_bare_answer_reaches_one_of_several_that_wait(decisions: list[Decision], reply: Reply) -> None:
    open_ones = waiting(decisions, reply, TODAY)
    choice = choose(ReplySent(reply), decisions, TODAY)
    assert (choice.decision is None) == (len(open_ones) > 1)
    if len(open_ones) == 1:
        assert choice.decision == open_ones[0]


def test_every_stance_is_told_from_its_opposite() -> None:
    for first, second in product(SATISFIED, OBJECTING):
        assert reply_of(first) is not reply_of(second)

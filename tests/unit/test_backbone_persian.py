"""Persian text: however it was typed, what is the same is found to be the same."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backbone.persian import normalisation as persian
from contracts.characters import latin_digits

SCRIPTS = ("0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩")
LETTERS = "ابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی" + "يكةۀأإآٱؤئىـ" + "ًٌٍَُِّْٰٔ" + "\u200c\u200d\u200f\ufeff\u00a0 \t"
texts = st.text(LETTERS + "aZ1" + "".join(SCRIPTS), max_size=40)


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("شهرداري قزوين", "شهرداری قزوین"),
        ("كارمند", "کارمند"),
        ("رسيدگي به كيفية", "رسیدگی به کیفیه"),
        ("مى‌شود", "می شود"),
        ("می‌شود", "می شود"),
        ("مُدیرِ کُلّ", "مدیر کل"),
        ("خانهٔ", "خانه"),
        ("خانۀ ما", "خانه ما"),
        ("مســئول", "مسئول"),
        ("مسؤول", "مسوول"),
        ("آب", "اب"),
        ("إدارة", "اداره"),
        ("ﻗﺰﻭﯾﻦ", "قزوین"),
        ("پلاک ۱۲", "پلاک 12"),
        ("پلاک ١٢", "پلاک 12"),
        ("  دو   فاصله\u00a0\n", "دو فاصله"),
        ("\u200fراست‌چین\u200e", "راست چین"),
        ("Permit OFFICE", "permit office"),
    ],
)
def test_spellings_of_the_same_are_equal(typed: str, same: str) -> None:
    assert persian.normalise(typed) == persian.normalise(same)


@pytest.mark.parametrize(("one", "other"), [("کار", "کارت"), ("قزوین", "غزوین"), ("۱۲", "۲۱"), ("خانه ها", "خانهها")])
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert persian.normalise(one) != persian.normalise(other)


@given(texts)
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = persian.normalise(text)
    assert persian.normalise(once) == once
    assert once == once.strip()


@given(texts, st.lists(st.sampled_from("ًٌٍَُِّْٰٔـ\u200d\u200f"), min_size=1))
def test_marks_make_no_difference_wherever_they_stand(text: str, marks: list[str]) -> None:
    marked = "".join(letter + marks[place % len(marks)] for place, letter in enumerate(text))
    assert persian.normalise(marked) == persian.normalise(text)


@given(st.text(max_size=40))
def test_digits_change_their_script_and_nothing_else_does(text: str) -> None:
    assert latin_digits(persian.persian_digits(text)) == latin_digits(text)
    assert len(latin_digits(text)) == len(text)
    assume(not set(text) & set("".join(SCRIPTS)))
    assert persian.persian_digits(text) == latin_digits(text) == text

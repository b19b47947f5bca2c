"""Persian text: however it was typed, what is the same is found to be the same."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backbone.persian import normalisation
from contracts.characters import latin_digits

SCRIPTS = ("0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩")
LETTERS = "ابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی" + "يكةۀأإآٱؤئىءـ" + "ًٌٍَُِّْٰٔ" + "\u200b\u00ad\u200c\u200d\u200f\ufeff\u00a0 \t"
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
        ("می‌روم", "میروم"),
        ("می روم", "میروم"),
        ("می\u200bروم", "میروم"),
        ("می\u00adروم", "میروم"),
        ("نمی‌شود", "نمیشود"),
        ("مسوول", "مسئول"),
        ("مسؤول", "مسئول"),
        ("مسـئول", "مسئول"),
        ("مسأله", "مسئله"),
        ("هیأت", "هیئت"),
        ("ویدیو", "ویدئو"),
        ("داوود", "داود"),
        ("جزء", "جز"),
        ("خانه‌ی ما", "خانهٔ ما"),
        ("به\u200bموقع", "به موقع"),
    ],
)
def test_spellings_of_the_same_word_are_equal(typed: str, same: str) -> None:
    assert normalisation.normalise(typed) == normalisation.normalise(same)


@pytest.mark.parametrize(
    ("first", "second"), [("کار", "کارت"), ("قزوین", "غزوین"), ("۱۲", "۲۱"), ("خانه ها", "خانهها")]
)
def test_different_words_stay_different(first: str, second: str) -> None:
    assert normalisation.normalise(first) != normalisation.normalise(second)


SPELLINGS = [
    ["میروم", "می‌روم", "می روم", "می\u200bروم", "می\u00adروم", "ميروم", "مِی‌رَوَم"],
    ["پیاده‌رو", "پیاده رو", "پیادهرو", "پياده\u200bرو"],
    ["کتاب‌های", "کتاب های", "کتابهای"],
    ["آن‌ها", "آن ها", "آنها", "ان ها"],
    ["مسئول", "مسؤول", "مسوول", "مسـئول"],
    ["دست‌فروش", "دست فروش", "دستفروش"],
    ["کار‌ها", "کار ها", "کارها"],
    ["خانه‌های", "خانه های", "خانههای"],
    ["بزرگ‌ترین", "بزرگ ترین", "بزرگترین"],
    ["شده‌اند", "شده اند", "شدهاند"],
    ["نا‌امن", "نا امن", "ناامن"],
    ["هم‌سایه", "هم سایه", "همسایه"],
    ["بی‌ادب", "بی ادب", "بیادب"],
]


def finds(query: str, text: str) -> bool:
    """As the search does it."""
    words = normalisation.normalise(query).split()
    whole = f" {normalisation.normalise(text)} "
    return all(any(way in whole for way in normalisation.spellings(words, place)) for place in range(len(words)))


@pytest.mark.parametrize("same", SPELLINGS, ids=lambda same: same[0])
def test_each_spelling_finds_all_the_others(same: list[str]) -> None:
    for query in same:
        for text in same:
            assert finds(query, f"دیروز {text} بود"), (query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [("مادر", "ما در خیابان"), ("اب", "کتاب"), ("رو", "پیاده شد"), ("قزوین", "قم زوین"), ("ها", "شهرها")],
)
def test_a_word_is_not_found_in_others(query: str, text: str) -> None:
    assert not finds(query, text)


@given(texts)
def test_normalisation_is_idempotent(text: str) -> None:
    once = normalisation.normalise(text)
    assert normalisation.normalise(once) == once
    assert once == once.strip()


@given(texts, st.lists(st.sampled_from("ًٌٍَُِّْٰٔـ\u200d\u200f"), min_size=1))
def test_diacritics_make_no_difference_anywhere(text: str, marks: list[str]) -> None:
    marked = "".join(letter + marks[place % len(marks)] for place, letter in enumerate(text))
    assert normalisation.normalise(marked) == normalisation.normalise(text)


@given(st.text(max_size=40))
def test_digits_change_their_script_and_nothing_else_does(text: str) -> None:
    assert latin_digits(normalisation.persian_digits(text)) == latin_digits(text)
    assert len(latin_digits(text)) == len(text)
    assume(not set(text) & set("".join(SCRIPTS)))
    assert normalisation.persian_digits(text) == latin_digits(text) == text

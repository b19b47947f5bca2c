"""What is masked in a text, in all the forms in which people write it, and what is not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.masking import MASK, masked
from tests.support.linear import assert_linear

MOBILES = [
    "09120000102",
    "0912 000 01 02",
    "0912 000 0102",
    "0912-000-0102",
    "0912.000.0102",
    "0912/0000102",
    "0912_000_0102",
    "0912,000,0102",
    "۰۹۱۲۰۰۰۰۱۰۲",
    "٠٩١٢-٠٠٠-٠١٠٢",
    "０９１２００００１０２",
    "+989120000102",
    "+98 912 000 0102",
    "+98 (912) 000-0102",
    "+98 (0)912 000 0102",
    "(+98) 912 000 0102",
    "00989120000102",
    "0098 900 000 0000",  # its first ten digits are a national ID
    "0098 912 000 0102",
    "00 98 912 000 01 02",
    "989120000102",
    "98-912-000-0102",
    "9120000102",
    "912 000 0102",
    "(0912) 000 01 02",
    "0 9 1 2 0 0 0 0 1 0 2",
    "0912\u00a0000\u00a00102",
    "0912\u200c000\u200c0102",
    "\u202a0912 000 0102\u202c",
    "\u2066+98 912 000 0102\u2069",
    "0\u200b9\u200b1\u200b20000102",
    "0912  000  0102",
    "0912 - 000 - 0102",
    "0912–000—0102",
    "0912\u00ad0000102",
]
LANDLINES = [
    "02833334444",
    "028 3333 4444",
    "028-33334444",
    "(028) 3333 4444",
    "۰۲۸-۳۳۳۳۴۴۴۴",
    "0281-3334444",
    "+98 28 3333 4444",
    "+982833334444",
    "0098 28 33334444",
    "021-88776655",
]
NATIONAL_IDS = [
    "0012345679",
    "001-234567-9",
    "001 234567 9",
    "001.234567.9",
    "۰۰۱۲۳۴۵۶۷۹",
    "۰۰۱ ۲۳۴ ۵۶۷۹",
    "٠٠١-٢٣٤٥٦٧-٩",
    "0 0 1 2 3 4 5 6 7 9",
    "00123 45679",
    "001\u200c234567\u200c9",
    "0012\u00a03456\u00a079",
]
IBANS = [
    "IR820540102680020817909002",
    "IR82 0540 1026 8002 0817 9090 02",
    "ir82-0540-1026-8002-0817-9090-02",
    "IR ۸۲ ۰۵۴۰ ۱۰۲۶ ۸۰۰۲ ۰۸۱۷ ۹۰۹۰ ۰۲",
    "IR 820540102680020817909002",
    "820540102680020817909002",
    "82 0540 1026 8002 0817 9090 02",
    "IR820540102680020817909003",  # mistyped, and still somebody's but for one digit
]
CARDS_AND_CODES = [
    "6037991234567893",
    "6037 9912 3456 7893",
    "6037-9912-3456-7893",
    "۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۳",
    "6037.9912.3456.7893",
    "4821-0937-5518-2604",
    "۴۸۲۱-۰۹۳۷-۵۵۱۸-۲۶۰۴",
    "48210937 55182604",
]
ADDRESSES = [
    "ali.rezaei@example.com",
    "ali+x@example.co.ir",
    "علی@مثال.ایران",
    "ali [at] example [dot] com",
    "ali(at)example.com",
    "@ali_rezaei",
    "https://t.me/ali_rezaei",
    "hxxp://example.com/ali",
    "www.example.com/ali",
    "t.me/ali_rezaei",
    "instagram.com/ali.rezaei",
    "wa.me/989120000102",
]
PLATES = ["12 ب 345 ایران 67", "۱۲ب۳۴۵-ایران ۶۷", "۱۲ الف ۳۴۵ ایران ۶۷"]

LEFT = [
    "1405-1234",
    "1405-001234",
    "پرونده ۱۴۰۵-۰۰۰۰۰۲",
    "نامه 1405/12345 مورخ 1405/09/02",
    "۱۴۰۵/۰۹/۰۲ ساعت ۱۰:۳۰",
    "1405/09/02 10",
    "02/09/1405 12",
    "از 1405/09/02 تا 1405/10/03",
    "2026-11-23",
    "14050902",
    "مبلغ 1,234,567,890 ریال",
    "مبلغ ۱٬۲۳۴٬۵۶۷٬۸۹۰ ریال",
    "مبلغ 1.234.567.890 ریال",
    "مبلغ 1,234,567,890,123,456 ریال",
    "12500000000 ریال",
    "نامه 1234567890 و پلاک ۱۲۳",  # its check digit is that of no national ID
    "طبقه 3، واحد 12، پلاک 145",
    "بند ۱ و ۲ ماده ۱۰۰",
    "از ساعت 8 تا 14، روزهای 1 و 2 و 3",
    "کوچه 12 - پلاک 34 - طبقه 5",
    "مساحت 120.5 متر",
    "33334444",
    "قیمت هر متر @ 20",
    "۱۰۰٪",
]


@pytest.mark.parametrize(
    "written", [*MOBILES, *LANDLINES, *NATIONAL_IDS, *IBANS, *CARDS_AND_CODES, *ADDRESSES, *PLATES]
)
def test_it_is_masked_in_every_form(written: str) -> None:
    for before, after in (("", ""), ("زنگ بزنید: ", " لطفاً"), ("پلاک ", "، طبقه 3"), ("(", ")"), ("من", " هستم.")):
        if before == "من" and not written[0].isdigit():
            continue
        masked_text = masked(f"{before}{written}{after}")
        assert MASK in masked_text
        assert masked_text.replace(MASK, "").strip("() \u202c\u2069") == f"{before}{after}".strip("() "), masked_text


@pytest.mark.parametrize("written", LEFT)
def test_dates_amounts_and_file_numbers_are_not_masked(written: str) -> None:
    assert masked(written) == written


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("تلفن: 3333-4444", f"تلفن: {MASK}"),
        ("تلفن منزل ۳۳۳۳۴۴۴۴", f"تلفن منزل {MASK}"),
        ("کد پستی 3414913116", f"کد پستی {MASK}"),
        ("کدپستی: ۳۴۱۴۹-۱۳۱۱۶", f"کدپستی: {MASK}"),
        ("34149-13116", MASK),
        ("09120000102 و 0012345679", f"{MASK} و {MASK}"),
        ("09120000102 0012345679", f"{MASK} {MASK}"),
        ("0912 000 0102 001-234567-9", f"{MASK} {MASK}"),
        ("09120000102، 09120000103", f"{MASK}، {MASK}"),
        ("پلاک 12 09120000102", f"پلاک 12 {MASK}"),
        ("09120000102\n09120000103", f"{MASK}\n{MASK}"),
        ("نامه من: a@b.com.", f"نامه من: {MASK}."),
    ],
)
def test_the_context_of_a_number_counts(written: str, expected: str) -> None:
    assert masked(written) == expected


def national_id_of(nine: str) -> str:
    rest = sum(int(digit) * (10 - place) for place, digit in enumerate(nine)) % 11
    return f"{nine}{rest if rest < 2 else 11 - rest}"


SCRIPTS = st.sampled_from(["0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９"])
MARKS = st.sampled_from(["", " ", "-", ".", "\u00a0", "\u200c", "\u200e", " - ", "\u2011", "  "])


@given(
    number=st.one_of(
        st.from_regex(r"(\+98|0098|0)9[0-9]{9}", fullmatch=True),
        st.from_regex(r"0[1-8][0-9]{9}", fullmatch=True),
        st.from_regex(r"[0-9]{9}", fullmatch=True).filter(lambda nine: len(set(nine)) > 1).map(national_id_of),
        st.from_regex(r"[0-9]{16}", fullmatch=True),
    ),
    script=SCRIPTS,
    mark=MARKS,
)
def test_a_number_in_any_script_with_any_separator_is_masked(number: str, script: str, mark: str) -> None:
    """Grouped as it is said: a mobile 4-3-4, a landline 3-8, a national ID 3-6-1, a card 4-4-4-4."""
    plus, digits = number.startswith("+"), number.lstrip("+")
    sizes = {16: (4, 4, 4, 4), 11: (4, 3, 4) if digits[1] == "9" else (3, 8), 10: (3, 6, 1), 12: (2, 3, 7)}.get(
        len(digits), (4, 3, 3, 4)
    )
    groups, at = [], 0
    for size in sizes:
        groups.append(digits[at : at + size].translate(str.maketrans("0123456789", script)))
        at += size
    assert masked(f"من {'+' if plus else ''}{mark.join(groups)} هستم") == f"من {MASK} هستم"


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_masking_accepts_any_text_and_is_idempotent(text: str) -> None:
    once = masked(text)
    assert masked(once) == once


@given(st.text(alphabet="ابپت چهارم۱۲ \n،.", max_size=80))
def test_words_are_not_masked(text: str) -> None:
    if sum(letter in "۱۲" for letter in text) < 8:
        assert masked(text) == text


@pytest.mark.parametrize(
    "piece",
    [
        "1 ",
        "0",
        "0912 000 ",
        "@",
        "a@",
        "a.",
        "www.",
        "http://",
        "+98 (",
        "12 ب 345 ایران ",
        "IR",
        "1\u200c",
        "(",
        "\u200c",
        "[at]",
        "1,",
    ],
)
def test_the_work_grows_linearly_with_the_text(piece: str) -> None:
    assert_linear(masked, lambda size: piece * (size // len(piece)), 128_000)


def test_a_long_text_of_all_kinds_is_masked() -> None:
    chance = random.Random(3)
    words = [chance.choice([*MOBILES, *NATIONAL_IDS, *LEFT]) for _ in range(2_000)]
    masked_text = masked(" و ".join(words))
    assert masked_text.count(MASK) == sum(piece not in LEFT for piece in words)

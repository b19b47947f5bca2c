"""Mobiles, national IDs and one-time codes are read in every spelling, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts import identifiers

SCRIPTS = ("0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩")
MARKS = ("", " ", "-", "\u200c", "\u00a0")
bodies = st.integers(0, 10**9 - 1).map(lambda number: f"9{number:09d}")


@given(
    bodies,
    st.sampled_from(["0", "+98", "0098", "98", ""]),
    st.sampled_from(SCRIPTS),
    st.lists(st.sampled_from(MARKS), min_size=16, max_size=16),
)
def test_a_mobile_is_read_in_every_spelling(body: str, prefix: str, script: str, marks: list[str]) -> None:
    spelt = "".join(script[int(c)] if c.isdigit() else c for c in prefix + body)
    typed = "".join(c + mark for c, mark in zip(spelt, marks, strict=False))
    assert identifiers.mobile(f" {typed} ") == f"+98{body}"


@pytest.mark.parametrize(
    "typed",
    [
        "\u202a+98 912 000 0000\u202c",  # as phones copy a number out of a Persian page
        "\u200e+989120000000",
        "\u2066+989120000000\u2069",
        "(+98) 912 000 0000",
        "＋９８９１２０００００００",
        "+ 98-912-000-0000",
        "+98 (0)912 000 0000",
        "0098 (0) 912 000 00 00",
        "(0912) 000-0000",
        "tel:+989120000000",
        "\u2066+98\u00a0912\u00a0000\u00a00000\u2069",
        "0912\u2060 000\u00ad0000\ufe0f",
        "0912·000·0000",
        "0912/000/0000",
    ],
)
def test_a_mobile_is_read_with_invisible_characters_from_copying(typed: str) -> None:
    assert identifiers.mobile(typed) == "+989120000000"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "+",
        "شماره من",
        "0912000000",  # a digit short
        "091200000000",  # a digit too many
        "02812345678",  # a landline
        "+1 912 000 0000",
        "+4479120000000",
        "00980912000000",
        "++989120000000",
        "98+9120000000",
        "0912000000a",
        "0912/٣a",
        "9" * 200,
    ],
)
def test_other_text_is_not_a_mobile(typed: str) -> None:
    assert identifiers.mobile(typed) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1234567891", "1234567891"),  # the sum leaves 1: the digit is 1
        ("1000000060", "1000000060"),  # the sum leaves 0: the digit is 0
        ("0012345679", "0012345679"),  # the sum leaves 2: the digit is 11 - 2
        ("12345679", "0012345679"),  # as a spreadsheet leaves it
        ("۱۲۳۴۵۶۷۸۹۱", "1234567891"),
        ("123-456789-1", "1234567891"),
    ],
)
def test_a_national_id_is_read(typed: str, meant: str) -> None:
    assert identifiers.national_id(typed) == meant


@given(st.integers(0, 10**9 - 1).map(lambda number: f"{number:09d}"))
def test_exactly_one_check_digit_is_right(body: str) -> None:
    assume(len(set(body)) > 1)
    assert sum(identifiers.national_id(f"{body}{check}") is not None for check in range(10)) == 1


@pytest.mark.parametrize(
    "typed", ["", "1234567890", "0000000000", "1111111111", "1234567", "12345678910", "123456789x"]
)
def test_other_text_is_not_a_national_id(typed: str) -> None:
    assert identifiers.national_id(typed) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("123456", "123456"),
        ("۱۲۳ ۴۵۶", "123456"),
        ("کد ورود شما: ۱۲۳۴۵۶\n@peygir.example #123456", "123456"),
        ("123456 در ساعت 14:05 به 09121234567", "123456"),
        ("123456 یا 654321", None),
        ("1234567", None),
        ("کد نرسید", None),
    ],
)
def test_the_only_number_of_a_message_is_found(typed: str, meant: str | None) -> None:
    assert identifiers.only_number(typed, 6) == meant

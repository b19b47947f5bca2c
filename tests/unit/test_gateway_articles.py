"""The library of regulations: found by words, however they are typed."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.errors import InvalidField
from contracts.intake import Article
from gateway.submissions.articles import found

LIBRARY = [
    Article(
        code="act_100",
        title_fa="قانون شهرداری",
        title_en="Municipality Act",
        number="۱۰۰",
        text_fa="مالکین اراضی باید پروانه بگیرند و پی‌گیری کنند.",
        valid_from=date(1955, 7, 3),
    ),
    Article(
        code="act_77",
        title_fa="قانون شهرداری",
        title_en="Municipality Act",
        number="۷۷",
        text_fa="رفع اختلاف با کمیسیون است.",
        valid_from=date(1955, 7, 3),
        valid_until=date(2020, 3, 19),
    ),
]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", ["act_100", "act_77"]),
        ("قانون شهرداري", ["act_100", "act_77"]),
        ("municipality 100", ["act_100"]),
        ("كميسيون", ["act_77"]),
        ("پی گیری", ["act_100"]),
        ("پروانه کمیسیون", []),
    ],
)
def test_every_word_has_to_be_in_it(text: str, codes: list[str]) -> None:
    assert [article.code for article in found(LIBRARY, text)] == codes


def test_those_in_force_on_a_day_and_after_a_code() -> None:
    assert [article.code for article in found(LIBRARY, "", date(2020, 3, 19))] == ["act_100", "act_77"]
    assert [article.code for article in found(LIBRARY, "", date(2020, 3, 20))] == ["act_100"]
    assert [article.code for article in found(LIBRARY, "", after="act_100")] == ["act_77"]
    with pytest.raises(InvalidField):  # not the first page once more, for ever
        found(LIBRARY, "", after="act_1")

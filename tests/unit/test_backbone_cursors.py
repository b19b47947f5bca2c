"""A cursor leads back to the row behind which a page ended, and nothing else is taken for one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from backbone.storage import cursors
from contracts.errors import InvalidField

MOMENT = datetime(2026, 11, 23, 10, 35, 7, 123_456, tzinfo=UTC)


def test_a_moment_and_an_id_are_decoded_to_the_microsecond() -> None:
    row_id = uuid4()
    assert cursors.decode(cursors.encode(MOMENT, row_id)) == (MOMENT, row_id)


def test_moments_before_1970_are_decoded_too() -> None:
    old = datetime(1921, 3, 21, tzinfo=UTC)
    assert cursors.decode(cursors.encode(old, UUID(int=0)))[0] == old


def test_a_day_is_decoded_with_its_marker() -> None:
    row_id = uuid4()
    assert cursors.decode_day(cursors.encode(date(2026, 11, 23), row_id, b"d"), b"d") == (date(2026, 11, 23), row_id)


@pytest.mark.parametrize(
    "text",
    ["", "x", "?", "é", "AAAA", cursors.encode(MOMENT, UUID(int=1))[:-4], cursors.encode(MOMENT, UUID(int=1), b"f")],
)
def test_a_cursor_of_another_order_is_refused(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        cursors.decode(text)
    assert refused.value.params["fields"] == [{"field": "after", "reason": "not_a_cursor"}]


def test_positions_with_impossible_dates_are_refused() -> None:
    beyond = cursors.encode(date.max, UUID(int=1), b"d").encode()
    with pytest.raises(InvalidField):
        cursors.decode_day("ZH" + "_" * 30 + "A", b"d")
    assert cursors.decode_day(beyond.decode(), b"d")[0] == date.max
    with pytest.raises(InvalidField):
        cursors.decode("f" + "_" * 31)

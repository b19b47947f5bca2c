"""Cursors of pages that are sorted by a time and an id: where one page ended, as text that the caller gives back.

A cursor holds the sort column's value (eight bytes), the row's id (sixteen) and, before them, a mark of the order it belongs
to, so that a cursor of another order is refused. Callers treat it as opaque.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from contracts.errors import InvalidField

_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode(position: date, row_id: UUID, mark: bytes = b"") -> str:
    """The cursor behind a row. `position`: its moment or its day, by which the page is sorted."""
    number = (position - _EPOCH) // _MICROSECOND if isinstance(position, datetime) else position.toordinal()
    return encode_number(number, row_id, mark)


def encode_number(position: int, row_id: UUID, mark: bytes = b"") -> str:
    """The same where the page is sorted by a whole number of at most eight bytes."""
    return base64.urlsafe_b64encode(mark + position.to_bytes(8, "big", signed=True) + row_id.bytes).decode()


def decode_number(cursor: str, mark: bytes = b"") -> tuple[int, UUID]:
    """Number and id of the row behind which a page ended. InvalidField when it is no cursor of this order."""
    return _decode(cursor, mark)


def decode(cursor: str, mark: bytes = b"") -> tuple[datetime, UUID]:
    """Moment and id of the row behind which a page ended. InvalidField when it is no cursor of this order."""
    number, row_id = _decode(cursor, mark)
    try:
        return _EPOCH + timedelta(microseconds=number), row_id
    except OverflowError:
        raise _not_a_cursor() from None


def decode_day(cursor: str, mark: bytes = b"") -> tuple[date, UUID]:
    """The same where the page is sorted by a day."""
    number, row_id = _decode(cursor, mark)
    try:
        return date.fromordinal(number), row_id
    except (ValueError, OverflowError):
        raise _not_a_cursor() from None


def _decode(cursor: str, mark: bytes) -> tuple[int, UUID]:
    try:
        raw = base64.urlsafe_b64decode(cursor.encode())
    except (ValueError, binascii.Error):
        raise _not_a_cursor() from None
    if len(raw) != len(mark) + 24 or not raw.startswith(mark):
        raise _not_a_cursor()
    return int.from_bytes(raw[-24:-16], "big", signed=True), UUID(bytes=raw[-16:])


def _not_a_cursor() -> InvalidField:
    return InvalidField(fields=[{"field": "after", "reason": "not_a_cursor"}])

"""Where a page of what is listed by moment and id ended, as text for whoever asks for the next."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.errors import InvalidField

_EPOCH = datetime.fromtimestamp(0, UTC)


def cursor(at: datetime, own: UUID) -> str:
    """The place of a row."""
    micros: int = (at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(micros.to_bytes(8, "big", signed=True) + own.bytes).decode()


def place(after: str) -> tuple[datetime, UUID]:
    """What a cursor says; InvalidField for what is none."""
    try:
        raw = base64.urlsafe_b64decode(after.encode())
        if len(raw) != 24:
            raise ValueError
        return _EPOCH + timedelta(microseconds=int.from_bytes(raw[:8], "big", signed=True)), UUID(bytes=raw[8:])
    except (ValueError, binascii.Error, OverflowError):
        raise InvalidField(fields=[{"field": "after", "reason": "not_a_cursor"}]) from None

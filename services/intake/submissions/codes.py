"""Tracking codes that intake gives in place of others; nobody stores a code, so each is derived and can be made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from contracts import tracking_codes
from services.intake.submissions import store

MAX_RECODINGS = 9
"""Codes that are tried in place of one; two in a row are taken once in 10¹³ times."""


@dataclass(frozen=True)
class CodeKeys:
    """Keys of tracking codes: for their check digits, for the hashes they are stored under, and to derive new ones."""

    mac: Sequence[bytes]
    index: Sequence[bytes]
    derive: bytes


def replacement(keys: CodeKeys, submission_id: UUID, attempt: int) -> str:
    """The code of this attempt, 1 for the first that replaces another. Derived, so that it can be made again."""
    number = attempt.to_bytes(max(1, (attempt.bit_length() + 7) // 8), "big")
    return tracking_codes.derive(keys.mac, keys.derive, b"recode" + submission_id.bytes + number)[0]


def free_replacement(connection: Connection, keys: CodeKeys, submission_id: UUID, first: int) -> tuple[str, int]:
    """The next code that is nobody's, and its attempt."""
    for attempt in range(first, first + MAX_RECODINGS):
        code = replacement(keys, submission_id, attempt)
        if not store.code_owners(connection, tracking_codes.hashes(code, keys.index)):
            return code, attempt
    raise RuntimeError(f"{MAX_RECODINGS} codes in a row were taken")

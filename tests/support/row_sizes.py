"""The bound on rows of the staff's list of cases: what a list of a hundred weighs on a bad line, before it is compressed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

MOST_OF_A_ROW = 600
"""Bytes of JSON in UTF-8 of a row, in the mean of a list. A field that is added to rows has to fit."""


def mean_row_size(rows: Sequence[dict[str, Any]]) -> float:
    """Bytes of a row as it is sent, in the mean of rows that there are."""
    sizes = [len(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()) for row in rows]
    return sum(sizes) / len(sizes)

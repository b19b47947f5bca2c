"""The audit logs of several services as one list, the newest first, and its cursor: the position in each of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from contracts.audit import AUDITED, AuditEntry
from contracts.errors import InvalidField

Positions = Mapping[str, int]
"""Service → the position before which its log is still to be read; without it: its end."""
_PART = re.compile(r"([a-z]{1,20})\.([0-9]{1,18})")


def read_cursor(cursor: str | None) -> dict[str, int]:
    """The positions that a cursor stands for. InvalidField when it is none."""
    positions: dict[str, int] = {}
    for part in cursor.split(":") if cursor else ():
        match = _PART.fullmatch(part)
        if match is None or match.group(1) not in AUDITED:
            raise InvalidField(fields=[{"field": "after", "reason": "not_a_cursor"}])
        positions[match.group(1)] = int(match.group(2))
    return positions


def merged(
    logs: Mapping[str, Sequence[AuditEntry]], before: Positions, limit: int
) -> tuple[list[AuditEntry], str | None]:
    """The newest of all logs, and the cursor of the next page; None when there is none. Of each log, which has `limit` entries
    where there may be more, its own order is kept: what was chained late does not fall between two pages."""
    waiting = {service: list(entries) for service, entries in logs.items()}
    positions = dict(before)
    page: list[AuditEntry] = []
    while len(page) < limit and any(waiting.values()):
        service = max((name for name in waiting if waiting[name]), key=lambda name: (waiting[name][0].at, name))
        entry = waiting[service].pop(0)
        positions[service] = entry.position
        page.append(entry.model_copy(update={"service": service}))
    more = any(waiting.values()) or any(len(entries) >= limit for entries in logs.values())
    return page, ":".join(f"{name}.{position}" for name, position in sorted(positions.items())) if more else None

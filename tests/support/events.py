"""Events as other services publish them, with values that a test changes where they matter."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from contracts.accounts import StaffChanged
from contracts.base import now
from contracts.tracking import CaseSnapshot
from contracts.vocabulary import Channel, Kind, Stage


def case_snapshot(**changes: Any) -> CaseSnapshot:
    """The state of a complaint about delay, just filed, that its events carry."""
    values: dict[str, Any] = {
        "number": "1405-000001",
        "kind": Kind.COMPLAINT,
        "unit": "roads",
        "ground": "delay",
        "stage": Stage.REGISTERED,
        "channel": Channel.WEB,
        "filed_at": now(),
    }
    return CaseSnapshot.model_validate(values | changes)


def account_changed(**changes: Any) -> StaffChanged:
    """An active staff account without roles and unit, in its first version."""
    values: dict[str, Any] = {
        "id": uuid4(),
        "occurred_at": now(),
        "staff_id": uuid4(),
        "version": 1,
        "display_name": "کارمند",
        "roles": [],
        "unit": None,
        "active": True,
    }
    return StaffChanged.model_validate(values | changes)

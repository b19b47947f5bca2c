"""Who worked on a case, and so is told when the work on it ends (DOMAIN: The life of a case). Pure."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.tracking.case.lifecycle import Case, Context


def workers(case: Case, context: Context) -> list[UUID]:
    """Everybody of the staff who handled, proposed, decided or ticked something of this case, or worked on it beside them,
    each once, but who acts now. Who has a conflict of interest by now is left out where the message is read (notify,
    inbox/store.py)."""
    proposer = [UUID(case.proposal["by"])] if case.proposal is not None else []
    ticked = [UUID(item["done_by"]) for item in case.checklist if item.get("done_by")]
    at_work = [*([case.handler] if case.handler else []), *case.co_handlers]
    those = [*at_work, *case.previous_handlers, *case.excluded_staff, *proposer]
    return [staff_id for staff_id in dict.fromkeys([*those, *ticked]) if str(staff_id) != context.actor.id]


def concluding(case: Case, context: Context) -> dict[str, Any]:
    """The fields of a `ConcludingEvent`. `case`: before it."""
    unit = context.question.unit if context.question is not None else None
    return {"workers": workers(case, context), "unit_released": unit}

"""What the days of the office's people share: what is refused, what an inbox says, and weeks that pass for one case."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
from psycopg.types.json import Jsonb

from tests.e2e.hostile_parts import reader
from tests.e2e.people import JSON, Officer, Town, good
from tests.e2e.test_story import numeric
from tests.support.processes import eventually

_DAYS = (
    "due_on",
    "due_from",
    "first_due_on",
    "next_check_on",
    "objection_until",
    "rate_until",
    "refused_on",
    "paused_on",
)
_MOMENTS = ("filed_at", "opened_at", "decided_at")


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """It is a problem with this status and code."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text


def await_message(officer: Officer, text: str, seconds: float = 30) -> None:
    """Waits until the officer's inbox says this."""

    def in_inbox() -> bool:
        texts = [item["text"] for item in good(officer.caller.get("/v1/messages"))["items"]]
        assert text in texts, texts[:5]
        return True

    eventually(in_inbox, timeout=seconds)


def shown(number: str) -> str:
    """A case's number as it stands in a Persian sentence."""
    return f"\u2066{number}\u2069"


def persian_day(day: str) -> str:
    """An ISO day as it stands in a Persian message."""
    return numeric(date.fromisoformat(day), "fa")


def entries(case: JSON) -> list[str]:
    """What the timeline says has happened, in order."""
    return [str(entry["entry"]) for entry in case["timeline"]]


def last(case: JSON, entry: str) -> JSON:
    """The details of the newest line of this kind in the timeline."""
    details: JSON = next(line["details"] for line in reversed(case["timeline"]) if line["entry"] == entry)
    return details


def weeks_pass(town: Town, case_id: str, weeks: int) -> None:
    """As if all that has happened to this case had happened `weeks` earlier; its timeline stays as it was written."""
    back = timedelta(weeks=weeks)
    moved = ", ".join(f"{name} = {name} - %(back)s" for name in _MOMENTS)
    days = ", ".join(f"{name} = ({name} - %(back)s)::date" for name in _DAYS)
    with reader(town, "tracking").transaction():
        # Waits for the scheduler to let go of the case, and then keeps it out.
        row = _row(town, "SELECT pending_question, pauses FROM cases WHERE case_id = %(case)s FOR UPDATE", case=case_id)
        pending_question = row[0] and {
            **row[0],
            "on": _earlier(row[0]["on"], back),
            "due_on": _earlier(row[0]["due_on"], back),
        }
        pauses = [[_earlier(day, back) for day in pause] for pause in row[1]]
        _row(
            town,
            f"UPDATE cases SET {moved}, {days}, pending_question = %(pending_question)s, pauses = %(pauses)s"
            " WHERE case_id = %(case)s RETURNING case_id",
            case=case_id,
            back=back,
            pending_question=Jsonb(pending_question) if pending_question else None,
            pauses=Jsonb(pauses),
        )
        for table, columns in (("questions", ("asked_at", "due_on")), ("recommendations", ("made_at", "due_on"))):
            changes = ", ".join(f"{name} = {name} - %(back)s" for name in columns)
            reader(town, "tracking").execute(
                f"UPDATE {table} SET {changes} WHERE case_id = %(case)s", {"case": case_id, "back": back}
            )


def _earlier(day: str, back: timedelta) -> str:
    return (date.fromisoformat(day) - back).isoformat()


def _row(town: Town, statement: str, **given: Any) -> Any:
    row = reader(town, "tracking").execute(statement, given).fetchone()
    assert row is not None
    return row

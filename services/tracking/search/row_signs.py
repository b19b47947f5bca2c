"""What the rows of a list say beside the case's own values: what colours a deadline, what is new, whose answer is waited for.
Counted in the query of the page itself, for its rows alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Integer, and_, bindparam, case, cast, func, literal_column, null, select
from sqlalchemy.dialects.postgresql import ARRAY

from contracts.vocabulary import OPEN_STAGES
from services.tracking.case.deadlines import WARNED_AT
from services.tracking.case.lifecycle import ASKED
from services.tracking.case.looks import seen_part
from services.tracking.models import attachments, cases, timeline
from services.tracking.reference.workdays import Workdays

NEEDED = ("due_from", "due_days", "due_on", "paused_on", "pending_question")
"""Columns of the case by which the signs are made."""
MOMENT: ColumnElement[str] = literal_column('\'YYYY-MM-DD"T"HH24:MI:SS"Z"\'')
_FAR = 150
"""Days for which days overdue are counted."""
_ONE_DAY: ColumnElement[Any] = literal_column("interval '1 day'")


@dataclass(frozen=True)
class RowReader:
    """Who reads a list, on which day, by which calendar."""

    staff_id: UUID | None
    today: date
    workdays: Workdays

    @property
    def parameters(self) -> dict[str, Any]:
        near = (day for day in self.workdays.holidays if abs(day - self.today) < timedelta(days=2 * _FAR))
        return {
            "reader": self.staff_id,
            "today": self.today,
            "weekend": sorted(self.workdays.weekend),
            "holidays": sorted(near),
        }


def signs(rows: Any, masked: bool) -> dict[str, ColumnElement[Any]]:
    """The fields, by the columns of a subquery of cases."""
    today = cast(bindparam("today", required=False), Date)
    now = func.coalesce(rows.c.paused_on, today)
    owed = and_(rows.c.stage.in_(_literals(OPEN_STAGES)), rows.c.due_on.is_not(None), rows.c.due_days.is_not(None))
    overdue = func.least(now, rows.c.due_on + literal_column(str(_FAR)))
    left = _worked(rows, now, rows.c.due_on) - _worked(rows, rows.c.due_on, overdue)
    asked = and_(rows.c.stage.in_(_literals(ASKED)), rows.c.pending_question.is_not(None))
    last = (
        select(timeline.c.at)
        .where(timeline.c.case_id == rows.c.case_id)
        .order_by(timeline.c.sequence.desc())
        .limit(literal_column("1"))
        .correlate(rows)
        .scalar_subquery()
    )
    count = select(func.count()).select_from(attachments).where(attachments.c.case_id == rows.c.case_id)
    to = func.coalesce(rows.c.pending_question.op("->>")(literal_column("'unit'")), literal_column("'citizen'"))
    seen = seen_part(rows.c.case_id).correlate(rows)
    return {
        "last_activity": func.to_char(func.timezone(literal_column("'UTC'"), last), MOMENT),
        "attachments": count.correlate(rows).scalar_subquery(),
        "unread": literal_column("false") if masked else func.coalesce(seen < rows.c.version, literal_column("true")),
        "warn_on": case((owed, _mark(rows)), else_=null()),
        "days_left": case((owed, left), else_=null()),
        "question_to": null() if masked else case((asked, to), else_=null()),
    }


def _literals(stages: Any) -> list[ColumnElement[Any]]:
    return [literal_column(f"'{stage}'") for stage in sorted(stages)]


def _days(rows: Any, first: Any, last: Any) -> tuple[Any, Any]:
    """Working days after `first`, up to and with `last`, and the relation they stand in."""
    begins, ends = cast(first + literal_column("1"), Date), cast(last, Date)
    series = func.generate_series(begins, ends, _ONE_DAY).table_valued("day", name="days").render_derived()
    day = cast(series.c.day, Date)
    weekend = bindparam("weekend", type_=ARRAY(Integer), required=False)
    holidays = cast(bindparam("holidays", required=False), ARRAY(Date))
    number = cast(func.date_part(literal_column("'isodow'"), series.c.day), Integer) - literal_column("1")
    return series, (day, and_(number != func.all(cast(weekend, ARRAY(Integer))), day != func.all(holidays)))


def _worked(rows: Any, first: Any, last: Any) -> ColumnElement[int]:
    series, (_, works) = _days(rows, first, last)
    return select(func.count()).select_from(series).where(works).correlate(rows).scalar_subquery()


def _mark(rows: Any) -> ColumnElement[Any]:
    """The day on which 80 % of the time are over: of the working days until it is owed, pauses included, so many before the last
    as the rest of its own are."""
    series, (day, works) = _days(rows, rows.c.due_from, rows.c.due_on)
    rest = rows.c.due_days - cast(func.ceil(rows.c.due_days * literal_column(str(WARNED_AT))), Integer)
    found = select(day).select_from(series).where(works).order_by(day.desc()).limit(literal_column("1")).offset(rest)
    return found.correlate(rows).scalar_subquery()


def shown(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the columns by which signs are made."""
    return {name: value for name, value in values.items() if name not in NEEDED}


COLUMNS: Mapping[str, ColumnElement[Any]] = {name: cases.c[name] for name in NEEDED}

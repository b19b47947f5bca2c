"""Bodies of bulk commands, and their reports as they are read."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema

from contracts.base import Answer, Moment
from contracts.bulk import MOST_NAMED, BulkState, LineResult
from gateway.api.fields import Body, Flag, example, whole
from gateway.api.searches.bodies import FiltersBody
from gateway.api.steps import StepBody


class SelectedCaseBody(Body):
    """`expected_version`: as it was seen: one that has changed since is refused. Left out: as it is when its turn comes."""

    case_id: UUID
    expected_version: Annotated[int, Field(ge=1, le=999_999_999), BeforeValidator(whole)] | None = None
    model_config = example(case_id="7d3c9a0e-0f6b-4b43-8d53-5a2c1b9d2f10", expected_version=2)


class BulkBody(Body):
    """What is done: `step`, a command as its own operation takes it with its `type`, or the macro `macro_id`. To which cases:
    `cases`, or all that `filters` find now, and `search`, a kept search, as well. `preview`: each is judged, and nothing done."""

    step: StepBody | None = None
    macro_id: UUID | None = None
    cases: Annotated[list[SelectedCaseBody], Field(max_length=MOST_NAMED)] = []
    filters: FiltersBody | None = None
    search: UUID | None = None
    preview: Flag = False
    model_config = example(
        step={"type": "start_screening"}, filters={"stage": ["registered"], "unit": ["dep.urb"]}, preview=False
    )


class RefusalCountView(Answer):
    """`label`: what the code means, in the reader's language."""

    code: str
    label: str
    count: int


class BulkView(Answer):
    """`command`: the type of the step; null for a macro, which `macro_name` names as it was called then. `done` of `total`:
    `succeeded`, `refused` or `cancelled`. `expires_at`: from then on it is gone, with its report."""

    bulk_id: UUID
    state: BulkState
    command: str | None
    macro_id: UUID | None
    macro_name: str | None
    preview: bool
    total: int
    done: int
    succeeded: int
    refused: int
    cancelled: int
    refusals: list[RefusalCountView]
    asked_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    expires_at: Moment | None


class BulkPageView(Answer):
    items: list[BulkView]
    next: str | None


_VALUES: list[dict[str, object]] = [{"type": name} for name in ("string", "number", "boolean", "null")]
_LIST: dict[str, object] = {"type": "array", "items": {"type": "string"}}
Params = Annotated[
    dict[str, Any], WithJsonSchema({"type": "object", "additionalProperties": {"anyOf": [*_VALUES, _LIST]}})
]


class BulkLineView(Answer):
    """`place`: in the list that was given, or in the search; 1 is the first. `case_id` and `number`: null for a case that is not
    for the reader. `code` and `detail`: why it was refused, as the command alone would be; `params`: the values in it.
    `version`: the case's after the command."""

    place: int
    case_id: UUID | None
    number: str | None
    result: LineResult
    version: int | None
    code: str | None
    detail: str | None
    params: Params
    at: Moment | None


class BulkReportView(Answer):
    items: list[BulkLineView]
    next: int | None

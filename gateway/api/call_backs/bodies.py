"""The body of the result of a call."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from contracts.call_backs import CallResult
from gateway.api.fields import Body, Flag, example, whole
from gateway.cases.call_references import MAX_LENGTH

CALL = "Zk9xY2hQb3J0YWxDYWxsUmVmZXJlbmNlLXRoYXQtbmFtZXMtbm8tY2FzZQ=="


class CallResultBody(Body):
    """`call`: as it was given with the mobile. `rated`: with `score` and as many of the four questions as were answered;
    `declined`: reached, and would not; `not_reached`: nobody answered."""

    call: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_=-]+$", max_length=MAX_LENGTH)]
    result: CallResult
    score: Annotated[int, Field(ge=1, le=5), BeforeValidator(whole)] | None = None
    informed_clearly: Flag | None = None
    treated_well: Flag | None = None
    on_time: Flag | None = None
    asked_improper: Flag | None = None
    model_config = example(
        call=CALL,
        result="rated",
        score=4,
        informed_clearly=True,
        treated_well=True,
        on_time=False,
        asked_improper=False,
    )

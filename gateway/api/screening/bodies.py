"""Bodies of commands on many cases, and of inspectors' skills."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field

from contracts.base import GroundCode
from gateway.api.fields import Body, example, whole


class CaseSeenBody(Body):
    """`expected_version`: the version that was seen; as large as in If-Match."""

    case_id: UUID
    expected_version: Annotated[int, Field(ge=1, le=999_999_999), BeforeValidator(whole)]
    model_config = example(case_id="7d3c9a0e-0f6b-4b43-8d53-5a2c1b9d2f10", expected_version=2)


class AssignmentsBody(Body):
    """`inspector` left out: each to whoever is skilled in its ground and has the fewest open cases."""

    cases: Annotated[list[CaseSeenBody], Field(min_length=1, max_length=100)]
    inspector: UUID | None = None
    model_config = example(cases=[{"case_id": "7d3c9a0e-0f6b-4b43-8d53-5a2c1b9d2f10", "expected_version": 2}])


class HandOverBody(Body):
    """`leaver`: whose open cases go to `inspector` or, left out, to whoever is skilled and has the fewest."""

    leaver: UUID
    inspector: UUID | None = None
    model_config = example(leaver="b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e21")


class SkillsBody(Body):
    """`grounds`: none means any."""

    grounds: Annotated[list[GroundCode], Field(max_length=50)]
    model_config = example(grounds=["delay", "conduct"])

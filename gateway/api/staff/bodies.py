"""Bodies of staff accounts."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.base import UnitCode
from contracts.vocabulary import Role
from gateway.api.fields import NAME_PATTERN, Body, Distinct, Flag, Moment, NotBlank, example

AccountName = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=100), NotBlank]


Roles = Annotated[Distinct[Role], Field(min_length=1, max_length=len(Role))]


class NewStaffBody(Body):
    """`display_name` names a role or a desk, as other staff see it. A liaison answers for `unit`."""

    username: AccountName
    display_name: AccountName
    roles: Roles
    unit: UnitCode | None = None
    model_config = example(username="desk-2", display_name="پیشخوان ۲", roles=["operator"], unit="mayor.insp")


class LeaveBody(Body):
    """`staff_id`: who is away, left out: myself. `deputy`: who stands in; they have all roles of the one who is away."""

    staff_id: UUID | None = None
    deputy: UUID
    starts_at: Moment
    ends_at: Moment
    model_config = example(
        deputy="b7a0c1de-43a5-4b42-9a8e-0c9d3b1f5e21",
        starts_at="2026-12-01T04:30:00Z",
        ends_at="2026-12-08T13:30:00Z",
    )


class ChangedStaffBody(Body):
    """The account as it is to be. `active` false closes it and ends its sessions. `successor`: an inspector, who takes over the
    open cases, reminders and visits that this account may not have any more; left out, they go to the head, with a notice."""

    display_name: AccountName
    roles: Roles
    unit: UnitCode | None
    active: Flag
    successor: UUID | None = None
    model_config = example(display_name="پیشخوان ۲", roles=["operator", "screener"], unit="mayor.insp", active=True)

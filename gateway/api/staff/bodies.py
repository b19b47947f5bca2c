"""Bodies of staff accounts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from contracts.base import UnitCode
from contracts.vocabulary import Role
from gateway.api.fields import NAME_PATTERN, Body, Flag, NotBlank, example

AccountName = Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=100), NotBlank]


Roles = Annotated[list[Role], Field(min_length=1, max_length=8)]


class NewStaffBody(Body):
    """`display_name` names a role or a desk, as other staff see it. A liaison answers for `unit`."""

    username: AccountName
    display_name: AccountName
    roles: Roles
    unit: UnitCode | None = None
    model_config = example(username="desk-2", display_name="پیشخوان ۲", roles=["operator"], unit="mayor.insp")


class ChangedStaffBody(Body):
    """The account as it is to be. `active` false closes it and ends its sessions."""

    display_name: AccountName
    roles: Roles
    unit: UnitCode | None
    active: Flag
    model_config = example(display_name="پیشخوان ۲", roles=["operator", "screener"], unit="mayor.insp", active=True)

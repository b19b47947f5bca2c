"""The commands that many cases may be given, and that a macro may hold, as bodies: `contracts.macros.Step` says which.

A step is the body of the command's own operation with its `type`, so it is judged by the same model, and completed by the same
`prepare`. `step_of` makes the step that is sent to tracking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, cast, get_args

from pydantic import ConfigDict, Field, TypeAdapter, create_model

from contracts.errors import InvalidField
from contracts.macros import RemindInDays, Step
from gateway.api.case_commands import StaffCommandEndpoint
from gateway.api.cases import commands as cases
from gateway.api.decisions import commands as decisions
from gateway.api.fields import Body, NothingBody, ShortText, Whole, example
from gateway.api.inquiry import commands as inquiry
from gateway.submissions.catalogue_cache import CatalogueCache


class RemindInDaysBody(Body):
    """On the `working_days`-th working day after the one on which it is given."""

    working_days: Annotated[Whole, Field(ge=1, le=250)]
    text: ShortText
    model_config = example(working_days=5, text="پیگیری پاسخ واحد")


_ENDPOINTS: Mapping[type, StaffCommandEndpoint] = {
    endpoint.command: endpoint for area in (cases, decisions, inquiry) for endpoint in area.STAFF_COMMANDS
}
_CONTRACTS = get_args(get_args(Step)[0])
_STEP: TypeAdapter[Step] = TypeAdapter(Step)


def _body_of(contract: Any) -> type[Body]:
    if contract is RemindInDays:
        return RemindInDaysBody
    return _ENDPOINTS[contract].body or NothingBody


def _type_of(contract: Any) -> str:
    return str(contract.model_fields["type"].default)


def _example_of(contract: Any) -> dict[str, Any]:
    extra: Any = _body_of(contract).model_config.get("json_schema_extra")
    [given] = extra["examples"]
    return {"type": _type_of(contract), **given}


def _model(contract: Any) -> type[Body]:
    body = _body_of(contract)
    kind: Any = Literal[_type_of(contract)]
    model: Any = create_model(
        f"{contract.__name__}Step", __base__=body, __module__=__name__, __doc__=body.__doc__, type=(kind, ...)
    )
    model.model_config = ConfigDict(**{**body.model_config, "json_schema_extra": {"examples": [_example_of(contract)]}})
    model.model_rebuild(force=True)
    return cast(type[Body], model)


if TYPE_CHECKING:
    StepBody = Body
else:
    StepBody = Annotated[Union[tuple(_model(contract) for contract in _CONTRACTS)], Field(discriminator="type")]  # noqa: UP007  # made of a tuple


def _answered(contract: Any) -> dict[str, Any]:
    """The example as tracking answers it: with what was left out."""
    left_out = {name: info for name, info in contract.model_fields.items() if not info.is_required()}
    return {**{name: info.get_default() for name, info in left_out.items()}, **_example_of(contract)}


EXAMPLES: dict[str, dict[str, Any]] = {contract.__name__: _answered(contract) for contract in _CONTRACTS}
"""Of the steps as tracking answers them."""


def step_of(body: StepBody, catalogue: CatalogueCache, path: str) -> Step:
    """What is sent to tracking. InvalidField for what the administrator does not offer; `path`: of the step in the body."""
    step = _STEP.validate_python(body.model_dump())
    prepare = None if isinstance(step, RemindInDays) else _ENDPOINTS[type(step)].prepare
    if prepare is None:
        return step
    try:
        return _STEP.validate_python(prepare(step, catalogue).model_dump())
    except InvalidField as error:
        fields = [{**field, "field": f"{path}.{field['field']}"} for field in error.params["fields"]]
        raise InvalidField(fields=fields) from None

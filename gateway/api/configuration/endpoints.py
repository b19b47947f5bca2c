"""What the administrator sets: units, grounds, lists, calendar, deadlines and retention, with who changed what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from contracts import intake
from contracts.base import GroundCode, ListCode, UnitCode
from contracts.errors import InvalidField, NotAllowed
from contracts.intake import (
    Change,
    ChangeConfiguration,
    ConfigurationHistory,
    GetConfiguration,
    ListConfigurationHistory,
)
from contracts.vocabulary import Role
from gateway.api.configuration.bodies import (
    AnswerTemplateBody,
    CalendarBody,
    DeadlinesBody,
    DecisionsBody,
    GroundBody,
    RefusalReasonBody,
    RetentionBody,
    RootCauseBody,
    UnitBody,
)
from gateway.api.dependencies import (
    ContainerDep,
    IdempotencyKey,
    IfMatch,
    PageSize,
    SignedIn,
    StaffDep,
    answer,
    version_of,
)
from gateway.api.openapi_responses import answers, problems
from gateway.cases.views import Configuration
from gateway.container import AppContainer

router = APIRouter(prefix="/configuration", tags=["configuration"])

_WHOLE = answers(200, "The configuration", ETag="Its version")
_READ: dict[int | str, dict[str, Any]] = {**problems(401, 403), **_WHOLE}
_CHANGE: dict[int | str, dict[str, Any]] = {**problems(401, 403, 409, 412, 428, body=True), **_WHOLE}

HistoryAfter = Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the page before.")]


async def _administrator(signed_in: StaffDep) -> SignedIn:
    if Role.ADMINISTRATOR not in signed_in.caller.roles:
        raise NotAllowed
    return signed_in


AdministratorDep = Annotated[SignedIn, Depends(_administrator)]


@router.get(
    "",
    operation_id="getConfiguration",
    summary="All that is set",
    response_model=Configuration,
    responses=_READ,
)
async def get_configuration(container: ContainerDep, signed_in: AdministratorDep) -> Response:
    """As it is at this moment; every change carries its ETag back in If-Match."""
    whole = await container.rabbit.ask(
        "intake", "get_configuration", GetConfiguration(actor=signed_in.actor), intake.Catalogue
    )
    return answer(whole, etag=f'"{whole.version}"')


@router.get(
    "/history",
    operation_id="listConfigurationHistory",
    summary="Who changed what",
    response_model=ConfigurationHistory,
    responses=problems(401, 403, 422),
)
async def history(
    container: ContainerDep,
    signed_in: AdministratorDep,
    what: Annotated[str | None, Query(max_length=40, pattern=r"^[a-z_]+$", examples=["units"])] = None,
    item: Annotated[str | None, Query(max_length=100, pattern=r"^[a-z0-9._-]+$")] = None,
    after: HistoryAfter = None,
    limit: PageSize = 50,
) -> Response:
    """Newest first, before and after. `what`: units, grounds, deadlines, …; `item`: the code of one of them."""
    request = ListConfigurationHistory(actor=signed_in.actor, what=what, code=item, after=after, limit=limit)
    return answer(await container.rabbit.ask("intake", "list_configuration_history", request, ConfigurationHistory))


class _ConfigurationEditor:
    """One change of the configuration: by whom, of which version, under which key."""

    def __init__(
        self,
        container: ContainerDep,
        signed_in: AdministratorDep,
        idempotency_key: IdempotencyKey,
        if_match: IfMatch = None,
    ) -> None:
        self._container: AppContainer = container
        self._signed_in, self._key, self._version = signed_in, idempotency_key, version_of(if_match)

    async def change(self, changes: Sequence[Change], what: str = "", item: str = "") -> Response:
        """`what`, `item`: the thing that the body is; errors about it name fields of the body."""
        request = ChangeConfiguration(
            actor=self._signed_in.actor,
            expected_version=self._version,
            idempotency_key=self._key,
            changes=list(changes),
        )
        try:
            whole = await self._container.rabbit.ask("intake", "change_configuration", request, intake.Catalogue)
        except InvalidField as error:
            fields = error.params.get("fields", [])
            own = f"{what}.{item}."
            of_the_body = [
                {**field, "field": field["field"].removeprefix(own)} if item and field.get("item") == item else field
                for field in fields
            ]
            raise InvalidField(fields=of_the_body) from None
        if (
            self._container.catalogue_cache.current is None
            or whole.version > self._container.catalogue_cache.current.version
        ):
            self._container.catalogue_cache.put(whole)
        return answer(whole, etag=f'"{whole.version}"')


EditorDep = Annotated[_ConfigurationEditor, Depends(_ConfigurationEditor)]
CodePath = Annotated[ListCode, Path(description="Its code; it never changes.")]


@router.put(
    "/units/{unit}",
    operation_id="putUnit",
    summary="A new unit; or rename, move, close or open one",
    response_model=Configuration,
    responses=_CHANGE,
)
async def put_unit(unit: UnitCode, body: UnitBody, editor: EditorDep) -> Response:
    """What was filed before keeps the name of its day. One with open units below it cannot be closed."""
    return await editor.change([intake.PutUnit(unit=intake.Unit(code=unit, **body.model_dump()))], "units", unit)


@router.put(
    "/grounds/{ground}",
    operation_id="putGround",
    summary="A new ground, or another name, kinds or questions for one",
    response_model=Configuration,
    responses=_CHANGE,
)
async def put_ground(ground: GroundCode, body: GroundBody, editor: EditorDep) -> Response:
    """Questions are asked in their order; one with `when` only after the answer it waits for."""
    changed_ground = intake.Ground(code=ground, **body.model_dump())
    return await editor.change([intake.PutGround(ground=changed_ground)], "grounds", ground)


@router.put(
    "/refusal-reasons/{reason}",
    operation_id="putRefusalReason",
    summary="A new refusal reason; or rename, close or open one",
    response_model=Configuration,
    responses=_CHANGE,
)
async def put_refusal_reason(reason: CodePath, body: RefusalReasonBody, editor: EditorDep) -> Response:
    """A closed one is refused in a refusal; its address is told where the screener gives none. What was refused before keeps
    the name of its day."""
    listed_reason = intake.ListedReason(code=reason, **body.model_dump())
    return await editor.change([intake.PutRefusalReason(refusal_reason=listed_reason)], "refusal_reasons", reason)


@router.put(
    "/root-causes/{cause}",
    operation_id="putRootCause",
    summary="A new root cause; or rename, close or open one",
    response_model=Configuration,
    responses=_CHANGE,
)
async def put_root_cause(cause: CodePath, body: RootCauseBody, editor: EditorDep) -> Response:
    """A closed one is refused in a decision."""
    listed_cause = intake.ListedCause(code=cause, **body.model_dump())
    return await editor.change([intake.PutRootCause(root_cause=listed_cause)], "root_causes", cause)


@router.put(
    "/answer-templates/{template}",
    operation_id="putAnswerTemplate",
    summary="A text the office answers with again and again",
    response_model=Configuration,
    responses=_CHANGE,
)
async def put_answer_template(template: CodePath, body: AnswerTemplateBody, editor: EditorDep) -> Response:
    """Offered to staff for its kind and ground."""
    answer_template = intake.AnswerTemplate(code=template, **body.model_dump())
    return await editor.change(
        [intake.PutAnswerTemplate(answer_template=answer_template)], "answer_templates", template
    )


@router.delete(
    "/answer-templates/{template}",
    operation_id="removeAnswerTemplate",
    summary="Take an answer template away",
    response_model=Configuration,
    responses={**problems(401, 403, 409, 412, 422, 428), **_WHOLE},
)
async def remove_answer_template(template: CodePath, editor: EditorDep) -> Response:
    """One that is not there is answered alike."""
    return await editor.change([intake.RemoveAnswerTemplate(code=template)])


@router.put(
    "/calendar",
    operation_id="setCalendar",
    summary="Weekend and holidays",
    response_model=Configuration,
    responses=_CHANGE,
)
async def set_calendar(body: CalendarBody, editor: EditorDep) -> Response:
    """Working days are counted by it from now on."""
    return await editor.change([intake.SetCalendar(**body.model_dump())])


@router.put(
    "/deadlines",
    operation_id="setDeadlines",
    summary="Working days by kind, ground and urgency",
    response_model=Configuration,
    responses=_CHANGE,
)
async def set_deadlines(body: DeadlinesBody, editor: EditorDep) -> Response:
    """All rules at once, 1 to 250 days each."""
    return await editor.change([intake.SetDeadlines(**body.model_dump())])


@router.put(
    "/decisions",
    operation_id="setDecisionRules",
    summary="Whose decisions a head approves, and when they are closed",
    response_model=Configuration,
    responses=_CHANGE,
)
async def set_decisions(body: DecisionsBody, editor: EditorDep) -> Response:
    """1 to 250 working days."""
    return await editor.change([intake.SetDecisions(**body.model_dump())])


@router.put(
    "/retention",
    operation_id="setRetention",
    summary="How long identities, evidence and texts are kept",
    response_model=Configuration,
    responses=_CHANGE,
)
async def set_retention(body: RetentionBody, editor: EditorDep) -> Response:
    """All rules at once. What is past its time is erased by itself, within the minute, and does not come back when a rule is
    made longer."""
    return await editor.change([intake.SetRetention(**body.model_dump())])

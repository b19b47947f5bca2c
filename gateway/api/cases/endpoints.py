"""The work of staff on cases. Each command carries the version it saw (If-Match) and a key that makes it happen once."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from contracts.accounts import ListStaff, StaffList
from contracts.media import Variant
from contracts.searches import CaseCount, CasePage, CountCases, ListCases
from contracts.tracking import (
    AddEvidence,
    AddNote,
    AskCitizen,
    AskUnit,
    Assign,
    AuthorizeMedia,
    Close,
    Correct,
    Decide,
    ExecuteCommand,
    GetCase,
    Merge,
    Refuse,
    StaffCase,
    StaffCommand,
    StartScreening,
)
from contracts.vocabulary import Role
from gateway.api.cases.bodies import (
    AssignmentBody,
    CorrectionBody,
    EvidenceBody,
    MergeBody,
    NoteBody,
    QuestionBody,
    RefusalBody,
    UnitQuestionBody,
)
from gateway.api.decisions.bodies import DecisionBody
from gateway.api.dependencies import (
    CaseId,
    ContainerDep,
    IdempotencyKey,
    IfMatch,
    MediaId,
    SignedIn,
    StaffDep,
    answer,
    version_of,
)
from gateway.api.fields import NothingBody
from gateway.api.openapi_responses import answers, problems
from gateway.api.searches.bodies import CountQuery, PageQuery
from gateway.container import AppContainer
from gateway.evidence import attachments

router = APIRouter(tags=["cases"])

_CASE = answers(200, "The case", ETag="Its version")
COMMAND = {**problems(401, 403, 404, 409, 412, 428, body=True), **_CASE}


@router.get(
    "/cases",
    operation_id="listCases",
    summary="The cases I may see",
    response_model=CasePage,
    responses=problems(401, 403, 404, 422),
)
async def list_cases(container: ContainerDep, signed_in: StaffDep, filters: Annotated[PageQuery, Query()]) -> Response:
    """Newest filed first, or as `sort` says, by pages: `next` is the `after` of the following one. All filters have to hold,
    of several values of one filter one of them. A case against the unit one belongs to, or one above it, is never among
    them. To an analyst they come masked, without what is said in them and who handles them, and cannot be looked for by
    either (403), nor by a kept search."""
    request = ListCases(actor=signed_in.actor, **filters.asked())
    return answer(await container.rabbit.ask("tracking", "list_cases", request, CasePage))


@router.get(
    "/cases/count",
    operation_id="countFoundCases",
    summary="How many cases I may see",
    response_model=CaseCount,
    responses=problems(401, 403, 404, 422),
)
async def count_cases(
    container: ContainerDep, signed_in: StaffDep, filters: Annotated[CountQuery, Query()]
) -> Response:
    """With the filters of the list."""
    request = CountCases(actor=signed_in.actor, **filters.asked())
    return answer(await container.rabbit.ask("tracking", "count_cases", request, CaseCount))


@router.get(
    "/cases/{case_id}",
    operation_id="getCase",
    summary="One case, whole",
    response_model=StaffCase,
    responses={**problems(401, 403, 404, 422), **_CASE},
)
async def get_case(case_id: CaseId, container: ContainerDep, signed_in: StaffDep) -> Response:
    """404 also when it is not for me."""
    case = await container.rabbit.ask(
        "tracking", "get_case", GetCase(actor=signed_in.actor, case_id=case_id), StaffCase
    )
    return answer(case, etag=f'"{case.version}"')


async def execute(
    container: AppContainer, signed_in: SignedIn, case_id: UUID, if_match: str | None, key: str, command: StaffCommand
) -> Response:
    """A command of staff; the case after it."""
    request = ExecuteCommand(
        actor=signed_in.actor,
        case_id=case_id,
        expected_version=version_of(if_match),
        idempotency_key=key,
        command=command,
    )
    try:
        case = await container.rabbit.ask("tracking", "execute", request, StaffCase)
    finally:
        container.case_cache.drop(case_id)
    return answer(case, etag=f'"{case.version}"')


@router.post(
    "/cases/{case_id}/screening",
    operation_id="startScreening",
    summary="Begin the first reading",
    response_model=StaffCase,
    responses=COMMAND,
)
async def start_screening(
    case_id: CaseId,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
    body: NothingBody | None = None,
) -> Response:
    """By a screener."""
    return await execute(container, signed_in, case_id, if_match, idempotency_key, StartScreening())


@router.post(
    "/cases/{case_id}/corrections",
    operation_id="correctCase",
    summary="Set unit, ground or urgency right",
    response_model=StaffCase,
    responses=COMMAND,
)
async def correct(
    case_id: CaseId,
    body: CorrectionBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """Only what is given changes."""
    return await execute(container, signed_in, case_id, if_match, idempotency_key, Correct(**body.model_dump()))


@router.post(
    "/cases/{case_id}/refusal",
    operation_id="refuseCase",
    summary="Refuse, with a listed reason",
    response_model=StaffCase,
    responses=COMMAND,
)
async def refuse(
    case_id: CaseId,
    body: RefusalBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """The citizen is told the reason and where to turn to: the address that is listed with the reason, when none is
    given. A reason that the administrator has closed is refused."""
    container.catalogue_cache.check_offered("reason", container.catalogue_cache.refusal_reasons, [body.reason])
    listed = container.catalogue_cache.refusal_reasons.get(body.reason)
    command = Refuse(**body.model_dump())
    if command.address is None and listed is not None and listed.address_fa:
        command = command.model_copy(update={"address": listed.address_fa})
    return await execute(container, signed_in, case_id, if_match, idempotency_key, command)


@router.post(
    "/cases/{case_id}/merge",
    operation_id="mergeCase",
    summary="Merge into the case it duplicates",
    response_model=StaffCase,
    responses=COMMAND,
)
async def merge(
    case_id: CaseId,
    body: MergeBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """The other case must be open."""
    return await execute(container, signed_in, case_id, if_match, idempotency_key, Merge(into=body.into))


@router.post(
    "/cases/{case_id}/assignment",
    operation_id="assignCase",
    summary="Assign to an inspector",
    response_model=StaffCase,
    responses=COMMAND,
)
async def assign(
    case_id: CaseId,
    body: AssignmentBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """Accepts a screened case, hands over one, or gives an objection to another inspector."""
    return await execute(container, signed_in, case_id, if_match, idempotency_key, Assign(inspector=body.inspector))


@router.post(
    "/cases/{case_id}/citizen-questions",
    operation_id="askCitizen",
    summary="Ask the citizen",
    response_model=StaffCase,
    responses=COMMAND,
)
async def ask_citizen(
    case_id: CaseId,
    body: QuestionBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """The clock stops until the answer."""
    return await execute(container, signed_in, case_id, if_match, idempotency_key, AskCitizen(text=body.text))


@router.post(
    "/cases/{case_id}/unit-questions",
    operation_id="askUnit",
    summary="Ask a unit",
    response_model=StaffCase,
    responses=COMMAND,
)
async def ask_unit(
    case_id: CaseId,
    body: UnitQuestionBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """Its liaison sees the question and what is sent along, never the case."""
    return await execute(container, signed_in, case_id, if_match, idempotency_key, AskUnit(**body.model_dump()))


@router.post(
    "/cases/{case_id}/notes",
    operation_id="addNote",
    summary="Write an internal note",
    response_model=StaffCase,
    responses=COMMAND,
)
async def add_note(
    case_id: CaseId,
    body: NoteBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """Never seen by the citizen or a unit."""
    return await execute(
        container, signed_in, case_id, if_match, idempotency_key, AddNote(text=body.text, mentions=body.mentions)
    )


@router.post(
    "/cases/{case_id}/evidence",
    operation_id="addEvidence",
    summary="Add attachments",
    response_model=StaffCase,
    responses=COMMAND,
)
async def add_evidence(
    case_id: CaseId,
    body: EvidenceBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """Uploads of the tus endpoint, by their ids."""
    return await execute(container, signed_in, case_id, if_match, idempotency_key, AddEvidence(uploads=body.uploads))


@router.post(
    "/cases/{case_id}/decision",
    operation_id="decideCase",
    summary="Decide",
    response_model=StaffCase,
    responses=COMMAND,
)
async def decide(
    case_id: CaseId,
    body: DecisionBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
) -> Response:
    """The citizen is told the outcome and its reasons. A root cause that the administrator has closed is refused."""
    container.catalogue_cache.check_offered("root_causes", container.catalogue_cache.root_causes, body.root_causes)
    command = Decide(**body.model_dump())
    return await execute(container, signed_in, case_id, if_match, idempotency_key, command)


@router.post(
    "/cases/{case_id}/closing",
    operation_id="closeCase",
    summary="Close",
    response_model=StaffCase,
    responses=COMMAND,
)
async def close(
    case_id: CaseId,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
    if_match: IfMatch = None,
    body: NothingBody | None = None,
) -> Response:
    """After the decision or refusal."""
    return await execute(container, signed_in, case_id, if_match, idempotency_key, Close())


@router.get(
    "/cases/{case_id}/attachments/{media_id}",
    operation_id="downloadAttachment",
    summary="An attachment of a case",
    response_class=Response,
    responses={**problems(401, 403, 404, 409, 410, 416, 422), **attachments.CONTENT},
)
async def attachment(
    request: Request,
    case_id: CaseId,
    media_id: MediaId,
    container: ContainerDep,
    signed_in: StaffDep,
    variant: Variant = Variant.EVIDENCE,
) -> Response:
    """Supports one Range. Never HTML."""
    return await attachments.send(
        request, container, AuthorizeMedia(actor=signed_in.actor, case_id=case_id, media_id=media_id), variant
    )


@router.get(
    "/staff",
    operation_id="listStaff",
    summary="Who may be assigned",
    response_model=StaffList,
    responses=problems(401, 403, 422),
)
async def list_staff(container: ContainerDep, signed_in: StaffDep, role: Role | None = None) -> Response:
    """For head, screener and administrator."""
    request = ListStaff(actor=signed_in.actor, role=role)
    return answer(await container.rabbit.ask("accounts", "list_staff", request, StaffList))

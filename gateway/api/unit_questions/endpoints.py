"""What a unit's liaison sees: the questions put to the unit, and nothing of the case."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from contracts.media import Variant
from contracts.tracking import AnswerUnitQuestion, AuthorizeMedia, ListUnitQuestions, UnitQuestion, UnitQuestions
from gateway.api.dependencies import ContainerDep, IdempotencyKey, MediaId, StaffDep, answer
from gateway.api.openapi_responses import problems
from gateway.api.unit_questions.bodies import UnitAnswerBody
from gateway.evidence import attachments

router = APIRouter(prefix="/unit-questions", tags=["unit questions"])


@router.get(
    "",
    operation_id="listUnitQuestions",
    summary="Questions to my unit",
    response_model=UnitQuestions,
    responses=problems(401, 403, 422),
)
async def list_questions(container: ContainerDep, signed_in: StaffDep, open_only: bool = True) -> Response:
    """Those put to the liaison's unit or one below it."""
    request = ListUnitQuestions(actor=signed_in.actor, open_only=open_only)
    return answer(await container.rabbit.ask("tracking", "list_unit_questions", request, UnitQuestions))


@router.post(
    "/{question_id}/answer",
    operation_id="answerUnitQuestion",
    summary="Answer for the unit",
    response_model=UnitQuestion,
    responses=problems(401, 403, 404, 409, body=True),
)
async def answer_question(
    question_id: UUID,
    body: UnitAnswerBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Once."""
    request = AnswerUnitQuestion(
        actor=signed_in.actor,
        question_id=question_id,
        text=body.text,
        uploads=body.uploads,
        idempotency_key=idempotency_key,
    )
    return answer(await container.rabbit.ask("tracking", "answer_unit_question", request, UnitQuestion))


@router.get(
    "/{question_id}/attachments/{media_id}",
    operation_id="downloadUnitQuestionAttachment",
    summary="What was sent along with a question",
    response_class=Response,
    responses={**problems(401, 403, 404, 409, 410, 416, 422), **attachments.CONTENT},
)
async def attachment(
    request: Request,
    question_id: UUID,
    media_id: MediaId,
    container: ContainerDep,
    signed_in: StaffDep,
    variant: Variant = Variant.EVIDENCE,
) -> Response:
    """Supports one Range. Never HTML."""
    return await container.attachments.send(
        request, AuthorizeMedia(actor=signed_in.actor, question_id=question_id, media_id=media_id), variant
    )

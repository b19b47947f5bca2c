"""What a unit's liaison sees: the questions put to the unit, and nothing of the case."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from contracts import tracking
from gateway.api.attachments import register_attachment
from gateway.api.request_endpoints import LONG_PAGE, STAFF, Field, RequestEndpoint, Rpc, View, register_requests
from gateway.api.unit_questions.bodies import UnitAnswerBody
from gateway.cases.command_forms import CommandForm
from gateway.cases.unit_views import UnitQuestionsView, UnitQuestionView, UnitViews

router = APIRouter(prefix="/unit-questions", tags=["unit questions"])
_VIEWS = UnitViews(
    {"answer": CommandForm("answer_unit_question", "/v1/unit-questions/{question_id}/answer", UnitAnswerBody)}
)


register_requests(
    router,
    RequestEndpoint(
        "GET",
        "listUnitQuestions",
        "Questions to my unit",
        "Those put to the liaison's unit or one below it, the newest first. `next` is the `after` of the following page.",
        STAFF,
        Rpc("tracking.list_unit_questions", tracking.ListUnitQuestions, tracking.UnitQuestions),
        parameters={"open_only": Field(bool, True), **LONG_PAGE},
        view=View(UnitQuestionsView, _VIEWS.questions),
    ),
    RequestEndpoint(
        "GET /unanswered-units",
        "listUnansweredUnits",
        "Units without a liaison",
        "Open units to which no question can be sent: neither they nor a unit above them has a liaison.",
        STAFF,
        Rpc("tracking.list_unanswered_units", tracking.ListUnansweredUnits, tracking.UnansweredUnits),
    ),
    RequestEndpoint(
        "POST /{question_id}/answer",
        "answerUnitQuestion",
        "Answer for the unit",
        "Once.",
        STAFF,
        Rpc("tracking.answer_unit_question", tracking.AnswerUnitQuestion, tracking.UnitQuestion),
        parameters={"question_id": Field(UUID)},
        body=UnitAnswerBody,
        view=View(UnitQuestionView, _VIEWS.question),
    ),
)


register_attachment(
    router,
    "/{question_id}/attachments/{media_id}",
    operation_id="downloadUnitQuestionAttachment",
    summary="What was sent along with a question",
    sender=STAFF,
    question_id=UUID,
)

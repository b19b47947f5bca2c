"""What the gateway asks tracking by RPC."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.base import GroundCode, KeyedHash, LongPageRequest, PageRequest, Request, UnitCode, UploadId
from contracts.gateway import Actor
from contracts.tracking.commands import CitizenCommand, StaffCommand
from contracts.tracking.fields import LongText


class ExecuteCommand(Request):
    """RPC tracking.execute → StaffCase.

    `expected_version`: what the caller saw (If-Match); another one is StaleVersion. Repeated with the same
    `idempotency_key` by the same actor it answers the same and changes nothing; the key with another command is KeyReused.
    """

    actor: Actor
    case_id: UUID
    expected_version: int
    idempotency_key: Annotated[str, Field(min_length=8, max_length=100)]
    command: StaffCommand


class ExecuteCitizenCommand(Request):
    """RPC tracking.execute_citizen → PublicCase. The case is named by its code, or by `case_id` and a signed-in `actor`."""

    actor: Actor
    code_hashes: list[KeyedHash] = []
    case_id: UUID | None = None
    idempotency_key: Annotated[str, Field(min_length=8, max_length=100)]
    command: CitizenCommand


class ViewByCode(Request):
    """RPC tracking.view_by_code → PublicCase; UnknownCase when no case has (yet) any of these hashes."""

    code_hashes: Annotated[list[KeyedHash], Field(min_length=1)]


class ListOwnCases(PageRequest):
    """RPC tracking.list_own_cases → OwnCases: those a signed-in citizen filed, newest first, by pages."""

    actor: Actor


class FindSimilarOwnCases(Request):
    """RPC tracking.find_similar_own_cases → SimilarOwnCases: the signed-in citizen's own open cases about the same unit and
    ground, or of a similar text. Nothing of anybody else's."""

    actor: Actor
    unit: UnitCode | None = None
    ground: GroundCode | None = None
    text: Annotated[str, Field(max_length=10_000)] = ""


class ViewOwnCase(Request):
    """RPC tracking.view_own_case → PublicCase, for the signed-in citizen who filed it; it counts as read from then on."""

    actor: Actor
    case_id: UUID


class GetCase(Request):
    """RPC tracking.get_case → StaffCase; UnknownCase also when the actor may not know of it."""

    actor: Actor
    case_id: UUID


class GetCaseAudience(Request):
    """RPC tracking.get_case_audience → CaseAudience: who of the staff may know of the case, for who may themselves; UnknownCase
    for others."""

    actor: Actor
    case_id: UUID


class ListUnitQuestions(LongPageRequest):
    """RPC tracking.list_unit_questions → UnitQuestions: those put to the liaison's unit or one below it, the newest first."""

    actor: Actor
    open_only: bool = True


class ListUnansweredUnits(Request):
    """RPC tracking.list_unanswered_units → UnansweredUnits, for staff who see cases."""

    actor: Actor


class AnswerUnitQuestion(Request):
    """RPC tracking.answer_unit_question → UnitQuestion. AlreadyDone is WrongStage; idempotent by its key."""

    actor: Actor
    question_id: UUID
    text: LongText
    uploads: Annotated[list[UploadId], Field(max_length=10)] = []
    idempotency_key: Annotated[str, Field(min_length=8, max_length=100)]


class ListRecommendations(LongPageRequest):
    """RPC tracking.list_recommendations → Recommendations: for a liaison those to the unit and all below it, for who sees
    cases those of the cases they may see; the soonest due first."""

    actor: Actor
    unit: UnitCode | None = None
    open_only: bool = True


class ReportRecommendation(Request):
    """RPC tracking.report_recommendation → FollowedRecommendation. By the unit's liaison; declined only with a reason."""

    actor: Actor
    recommendation_id: UUID
    done: bool
    reason: LongText | None = None
    idempotency_key: Annotated[str, Field(min_length=8, max_length=100)]


class AuthorizeMedia(Request):
    """RPC tracking.authorize_media → MediaGrant; UnknownCase when this caller may not see this media."""

    actor: Actor | None = None
    code_hashes: list[KeyedHash] = []
    case_id: UUID | None = None
    question_id: UUID | None = None
    media_id: UploadId


class AuthorizeIdentity(Request):
    """RPC tracking.authorize_identity → IdentityGrant: whether the actor, head or custodian, may open who filed this case.
    UnknownCase when there is none, or it is about a unit they belong to; ConsentNeeded while no custodian has consented."""

    actor: Actor
    case_id: UUID

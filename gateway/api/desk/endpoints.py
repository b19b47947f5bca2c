"""The counter: what an operator filed, its receipt, a mistyped mobile, a lost code; and what citizens say of what was filed for
them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from contracts import desk, identifiers, tracking_codes
from contracts.base import Answer
from contracts.characters import latin_digits
from contracts.errors import InvalidField, NotAllowed, UnknownCase
from contracts.gateway import Actor, Identity
from contracts.vocabulary import Language, Role
from gateway.api.dependencies import (
    CaseId,
    CitizenDep,
    ContainerDep,
    IdempotencyKey,
    SignedIn,
    StaffDep,
    answer,
    client_of,
)
from gateway.api.desk.bodies import CorrectedMobileBody, DeskQuery, FiledForMeBody, LostCodeBody, ReprintBody
from gateway.api.openapi_responses import problems
from gateway.api.papers.endpoints import PDF, Lang
from gateway.cases.views import FiledForMeView, filed_for_me_view, new_code_step
from gateway.container import AppContainer

router = APIRouter()
_AT_DESK = frozenset({Role.OPERATOR, Role.HEAD})


class ReplacedCodeView(Answer):
    """`by_sms`: the new code goes to the citizen's mobile. Else it is here, once, for their paper. The old one ends."""

    by_sms: bool
    tracking_code: Annotated[str, StringConstraints(pattern=r"^\d{4} \d{4} \d{4} \d{4}$")] | None = None
    next_steps: list[str]


async def _authorized(container: AppContainer, request: desk.AuthorizeDesk) -> UUID:
    """Intake, which knows who complained, knows nothing of conflicts of interest and of the calendar."""
    if not request.actor.roles & _AT_DESK:
        raise NotAllowed
    return (await container.rabbit.call("tracking", "authorize_desk", request, desk.DeskGrant)).case_id


def _replaced(reply: desk.ReplacedCode, language: Language) -> Response:
    return answer(
        ReplacedCodeView(
            by_sms=reply.by_sms,
            tracking_code=tracking_codes.grouped(reply.code) if reply.code else None,
            next_steps=[new_code_step(reply.by_sms, language)],
        )
    )


@router.get(
    "/desk/submissions",
    tags=["desk"],
    operation_id="listDeskSubmissions",
    summary="What I filed for citizens",
    response_model=desk.DeskCases,
    responses=problems(401, 403, 422),
)
async def list_desk_submissions(
    container: ContainerDep,
    signed_in: StaffDep,
    query: Annotated[DeskQuery, Query()],
) -> Response:
    """For operators, their own alone, newest first. Neither what was written nor who the citizen is."""
    if Role.OPERATOR not in signed_in.caller.roles:
        raise NotAllowed
    if query.filed_from and query.filed_until and query.filed_until < query.filed_from:
        raise InvalidField(fields=[{"field": "filed_until", "reason": "before_its_start"}])
    fields = query.model_dump(exclude={"last_digits", "receipt_number"})
    if query.receipt_number is not None:
        fields["case_ids"] = [query.receipt_number]
    if query.last_digits is not None:
        finding = desk.FindFiled(actor=signed_in.actor, last_digits=latin_digits(query.last_digits))
        filed_ids = await container.rabbit.call("intake", "find_filed", finding, desk.FiledIds)
        receipt = query.receipt_number
        fields["case_ids"] = [found for found in filed_ids.items if receipt in (None, found)]
    request = desk.ListDeskCases(actor=signed_in.actor, **fields)
    return answer(await container.rabbit.call("tracking", "list_desk_cases", request, desk.DeskCases))


@router.post(
    "/desk/submissions/{case_id}/mobile",
    tags=["desk"],
    operation_id="correctMobile",
    summary="Correct the mobile of a citizen I filed for",
    response_model=ReplacedCodeView,
    responses=problems(401, 403, 404, 409, body=True),
)
async def correct_mobile(
    case_id: CaseId,
    body: CorrectedMobileBody,
    container: ContainerDep,
    signed_in: StaffDep,
    idempotency_key: IdempotencyKey,
) -> Response:
    """For the operator who filed it, within some working days, and for a head. Nothing more goes to the old number, what waits to
    be sent included; the code is replaced and goes to the new one. 409 `correction_too_late`, `anonymous_filing`."""
    mobile = identifiers.mobile(body.mobile)
    if mobile is None:
        raise InvalidField(fields=[{"field": "mobile", "reason": "not_a_mobile"}])
    await _authorized(container, desk.AuthorizeDesk(actor=signed_in.actor, act="mobile", case_id=case_id))
    request = desk.CorrectMobile(
        actor=signed_in.actor,
        case_id=case_id,
        idempotency_key=idempotency_key,
        sealed_identity=container.filing.seal_for_intake(Identity(mobile=mobile)),
        mobile_hash=container.filing.mobile_hash(mobile),
    )
    reply = await container.rabbit.call("intake", "correct_mobile", request, desk.ReplacedCode)
    return _replaced(reply, signed_in.visitor.language)


@router.post(
    "/desk/submissions/{case_id}/receipt",
    tags=["desk"],
    operation_id="printReceiptAgain",
    summary="The receipt once more, as PDF",
    response_class=Response,
    responses={**problems(401, 403, 404, body=True), **PDF},
)
async def print_receipt_again(
    request: Request,
    case_id: CaseId,
    body: ReprintBody,
    container: ContainerDep,
    signed_in: StaffDep,
    lang: Lang = None,
) -> Response:
    """For the operator who filed it, and for a head. Nobody keeps the tracking code: it is on the paper when it is given here,
    and is this submission's."""
    typed = None
    if body.tracking_code is not None:
        typed = await container.admission.admit_typed_code(client_of(container, request), body.tracking_code)
    await _authorized(container, desk.AuthorizeDesk(actor=signed_in.actor, act="receipt", case_id=case_id))
    asking = desk.PrintReceipt(
        actor=signed_in.actor, case_id=case_id, code_hashes=typed.hashes if typed is not None else []
    )
    filed = await container.rabbit.call("intake", "print_receipt", asking, desk.FiledReceipt)
    receipt = container.filing.signer.sign(filed.submission_id, filed.filed_at, filed.kind.value, filed.content_hash)
    visitor = signed_in.visitor
    code = typed.code if typed is not None else None
    return await container.papers.receipt(request, receipt, lang or visitor.language, visitor.budget_key, code)


@router.post(
    "/desk/lost-codes",
    tags=["desk"],
    operation_id="replaceLostCode",
    summary="A new tracking code for a citizen who lost theirs",
    response_model=ReplacedCodeView,
    responses=problems(401, 403, 409, 429, body=True),
)
async def replace_lost_code(
    body: LostCodeBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """For operators and heads, when two of the citizen's answers are right and none is wrong. 403 `identity_not_confirmed`
    whatever was wrong, an unknown number too; each try is recorded, and after a few comes 429. Of a report of wrongdoing no
    answer about the person is ever right. The code goes to the citizen's mobile where they are reached by SMS."""
    if (body.number is None) == (body.receipt_number is None):
        raise InvalidField(fields=[{"field": "number", "reason": "missing" if body.number is None else "twice"}])
    request = desk.ReplaceLostCode(
        actor=signed_in.actor,
        case_id=await _lost_case(container, body, signed_in.actor),
        idempotency_key=idempotency_key,
        sealed_answers=container.filing.seal_for_intake(_answers(body)),
    )
    reply = await container.rabbit.call("intake", "replace_lost_code", request, desk.ReplacedCode)
    return _replaced(reply, signed_in.visitor.language)


async def _lost_case(container: AppContainer, body: LostCodeBody, actor: Actor) -> UUID | None:
    asking = desk.AuthorizeDesk(
        actor=actor, act="lost_code", case_id=body.receipt_number, number=latin_digits(body.number or "") or None
    )
    try:
        return await _authorized(container, asking)
    except UnknownCase:
        return None  # answered as wrong answers are


def _answers(body: LostCodeBody) -> desk.LostCodeAnswers:
    given = body.answers
    digits = latin_digits(given.mobile_digits) if given.mobile_digits is not None else None
    # One that cannot be a national ID is a wrong answer like any other.
    national_id = (identifiers.national_id(given.national_id) or "") if given.national_id is not None else None
    return desk.LostCodeAnswers(
        national_id=national_id, mobile_digits=digits, filed_on=given.filed_on, unit=given.unit, ground=given.ground
    )


# --- the citizen ---


def _mobile_hash(container: AppContainer, signed_in: SignedIn) -> str:
    if (mobile_hash := container.mobile_hash(signed_in.caller)) is None:
        raise NotAllowed
    return mobile_hash


@router.get(
    "/me/filed-for-me",
    tags=["me"],
    operation_id="listFiledForMe",
    summary="What operators filed with my mobile",
    response_model=FiledForMeView,
    responses=problems(401, 403),
)
async def list_filed_for_me(container: ContainerDep, signed_in: CitizenDep) -> Response:
    """Until I say of each whether it is mine. Once it is, it is among my cases."""
    request = desk.ListFiledForMe(actor=signed_in.actor, mobile_hash=_mobile_hash(container, signed_in))
    reply = await container.rabbit.call("intake", "list_filed_for_me", request, desk.FiledForMe)
    return answer(filed_for_me_view(reply, signed_in.visitor.language))


@router.post(
    "/me/filed-for-me/{case_id}",
    tags=["me"],
    operation_id="answerFiledForMe",
    summary="This is mine, or it is not",
    response_model=FiledForMeView,
    responses=problems(401, 403, 404, 409, body=True),
)
async def answer_filed_for_me(
    case_id: CaseId, body: FiledForMeBody, container: ContainerDep, signed_in: CitizenDep
) -> Response:
    """Answers those that are left. The same answer again changes nothing; the other one is 409 `already_decided`. Of what is not
    mine no message comes to my mobile any more."""
    request = desk.AnswerFiledForMe(
        actor=signed_in.actor, mobile_hash=_mobile_hash(container, signed_in), case_id=case_id, mine=body.mine
    )
    reply = await container.rabbit.call("intake", "answer_filed_for_me", request, desk.FiledForMe)
    return answer(filed_for_me_view(reply, signed_in.visitor.language))

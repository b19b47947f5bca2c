"""The call-back list: operators call a drawn sample of citizens who did not rate how their case was handled."""

from __future__ import annotations

from datetime import date
from typing import Literal

from fastapi import APIRouter, Response

from contracts import call_backs
from contracts.base import Answer
from contracts.errors import NotAllowed, NotFound, UnknownCase
from contracts.gateway import Actor
from contracts.vocabulary import Role
from gateway.api.call_backs.bodies import CallResultBody
from gateway.api.dependencies import ContainerDep, IdempotencyKey, PageSize, StaffDep, answer
from gateway.api.openapi_responses import problems
from gateway.api.request_endpoints import PAGE, Field, RequestEndpoint, Rpc, register_requests, staff_with
from gateway.container import AppContainer

router = APIRouter(tags=["desk"])
_MOST_SKIPPED = 20
"""Cases without a mobile that are passed over in one request; the next request goes on."""


class CallBackView(Answer):
    """`call`: under which its result is recorded; it names no case. `attempt`: which try this is, 1 to 3. `mobile`: of the
    citizen, for this call; it is told here alone, and each telling is recorded. `code_digits`: the last four of their tracking
    code, by which they know what the call is about."""

    call: str
    attempt: int
    mobile: str
    code_digits: str | None


class CallStateView(Answer):
    """`state`: waiting (for another attempt, on `next_on` or later), rated, declined, or not_reached after three attempts."""

    state: Literal["waiting", "rated", "declined", "not_reached", "unreachable"]
    attempts: int
    next_on: date | None


@router.post(
    "/desk/call-backs",
    operation_id="takeCallBack",
    summary="The next citizen to call",
    response_model=CallBackView,
    responses=problems(401, 403, 404),
)
async def take_call_back(container: ContainerDep, signed_in: StaffDep) -> Response:
    """For operators, one at a time: until its result is recorded the same one again. 404 when there is none to call. The mobile
    is told, and neither whose it is nor of which case; the audit says to whom. So whoever may read cases or the audit, too, calls
    nobody. Nobody is called about a report of wrongdoing, nor who has opted out of messages."""
    actor = signed_in.actor
    if not call_backs.may_call(actor.roles):
        raise NotAllowed
    for _ in range(_MOST_SKIPPED):
        request = call_backs.TakeCallBack(actor=actor)
        taken = await container.rabbit.call("tracking", "take_call_back", request, call_backs.CallBack)
        citizen = await _citizen(container, actor, taken)
        if citizen is not None:
            call = container.call_references.make(signed_in.caller.id, taken.case_id)
            mobile, code_digits = citizen
            return answer(CallBackView(call=call, attempt=taken.attempt, mobile=mobile, code_digits=code_digits))
        skipping = call_backs.SkipCallBack(actor=actor, case_id=taken.case_id)
        await container.rabbit.call("tracking", "skip_call_back", skipping, call_backs.CallBackState)
    raise NotFound


async def _citizen(container: AppContainer, actor: Actor, taken: call_backs.CallBack) -> tuple[str, str | None] | None:
    """The number to call and the last digits of the code; None where nobody may be called. Only asked of intake where it will be
    told: it records each time."""
    checking = call_backs.CheckCallable(actor=actor, case_id=taken.case_id)
    citizen = await container.rabbit.call("notify", "check_callable", checking, call_backs.CallableCitizen)
    if not citizen.callable:
        return None
    revealing = call_backs.RevealMobile(actor=actor, case_id=taken.case_id)
    try:
        revealed = await container.rabbit.call("intake", "reveal_mobile", revealing, call_backs.RevealedMobile)
    except UnknownCase:
        return None
    return None if revealed.mobile is None else (revealed.mobile, citizen.code_digits)


@router.post(
    "/desk/call-backs/results",
    operation_id="recordCall",
    summary="What came of the call",
    response_model=CallStateView,
    responses=problems(401, 403, 404, 409, body=True),
)
async def record_call(
    body: CallResultBody, container: ContainerDep, signed_in: StaffDep, idempotency_key: IdempotencyKey
) -> Response:
    """By the operator who took it. Who was not reached is called again on another day, three times in all. A rating is recorded
    as one given on the phone, and counted apart. 409 when the citizen has rated meanwhile, or may not any more."""
    if not call_backs.may_call(signed_in.actor.roles):
        raise NotAllowed
    case_id = container.call_references.case_id(signed_in.caller.id, body.call)
    said = body.model_dump(exclude={"call"})
    request = call_backs.RecordCall(actor=signed_in.actor, case_id=case_id, idempotency_key=idempotency_key, **said)
    state = await container.rabbit.call("tracking", "record_call", request, call_backs.CallBackState)
    return answer(CallStateView(state=state.state, attempts=state.attempts, next_on=state.next_on))


register_requests(
    router,
    RequestEndpoint(
        "GET /desk/call-backs",
        "listCallBackWeeks",
        "The weekly samples, and what came of the calls",
        "For operators and heads, the newest first; numbers alone. How each sample was drawn stands with it, so that it can be "
        "repeated. `next` is the `after` of the following page.",
        staff_with(Role.OPERATOR, Role.HEAD),
        Rpc("tracking.list_call_back_weeks", call_backs.ListCallBackWeeks, call_backs.CallBackWeeks),
        parameters={**PAGE, "limit": Field(PageSize, 26)},
    ),
)

"""What a signed-in person sees of themselves."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response

from contracts import identifiers
from contracts.accounts import DeleteCitizenAccount, DeletedAccount
from contracts.errors import BadCode
from contracts.vocabulary import ActorKind
from gateway.api.dependencies import CitizenDep, ContainerDep, SignedInDep, answer, client_of
from gateway.api.me.bodies import DeletionBody
from gateway.api.openapi_responses import problems
from gateway.cases.views import DeletedAccountView, Me, deleted_account_view

router = APIRouter(prefix="/me", tags=["me"])


@router.get(
    "",
    operation_id="getMe",
    summary="Who is signed in",
    response_model=Me,
    responses=problems(401, calls_service=False),
)
async def me(container: ContainerDep, signed_in: SignedInDep) -> Response:
    """From the token alone."""
    caller = signed_in.caller
    mobile = container.tokens.mobile(caller)
    kind: Literal["citizen", "staff"] = "citizen" if caller.kind is ActorKind.CITIZEN else "staff"
    return answer(
        Me(
            id=caller.id,
            kind=kind,
            name=caller.name,
            roles=sorted(caller.roles),
            unit=caller.unit,
            mobile=mobile[-4:] if mobile else None,
        )
    )


@router.delete(
    "",
    operation_id="deleteMe",
    summary="Delete my account",
    response_model=DeletedAccountView,
    responses=problems(401, 403, body=True),
)
async def delete_me(request: Request, body: DeletionBody, container: ContainerDep, signed_in: CitizenDep) -> Response:
    """Confirmed by a one-time code to the account's mobile (`POST /v1/auth/codes`); whatever is wrong with it is 401 `bad_code`.
    All sessions end. The answer says what the law keeps. Whoever signs in again has a new account that shows no earlier case;
    tracking codes stay good."""
    await container.admission.admit_sign_in(client_of(container, request))
    mobile, code = container.tokens.mobile(signed_in.caller), identifiers.compact_digits(body.code)
    if mobile is None or code is None:
        raise BadCode
    command = DeleteCitizenAccount(
        actor=signed_in.actor,
        mobile=mobile,
        code=code,
        address_key=signed_in.visitor.address_key,
        otp_session=body.otp_session,
    )
    await container.rabbit.call("accounts", "delete_citizen_account", command, DeletedAccount)
    return answer(deleted_account_view(signed_in.visitor.language))

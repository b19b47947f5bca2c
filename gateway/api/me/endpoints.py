"""What a signed-in person sees of themselves."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response

from contracts.vocabulary import ActorKind
from gateway.api.dependencies import ContainerDep, SignedInDep, answer
from gateway.api.openapi_responses import problems
from gateway.cases.views import Me

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

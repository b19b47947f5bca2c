"""Signing in as staff by a provider of OpenID Connect, where one is set."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from contracts.accounts import FinishOidcSignIn, Tokens
from contracts.base import Answer
from contracts.errors import TooMany
from contracts.own_account import BeginOidcSignIn, OidcAuthorisation, OidcOffer, ShowOidc
from contracts.vocabulary import Language
from gateway.api.dependencies import ContainerDep, Visitor, VisitorDep, answer, client_of, place_of
from gateway.api.oidc.bodies import OidcSignInBody
from gateway.api.openapi_responses import problems
from gateway.container import AppContainer

router = APIRouter(prefix="/oidc", tags=["accounts"])

_RESTING = "staff_sign_in"
_PATIENCE = 12.0
"""Seconds for which accounts may be asking the provider."""


class OidcView(Answer):
    """`name`: of the provider, for the button; None while it is off."""

    enabled: bool
    name: str | None


@router.get(
    "",
    operation_id="getOidc",
    summary="Whether staff may sign in by a provider",
    response_model=OidcView,
    responses=problems(),
)
async def offer(container: ContainerDep, visitor: VisitorDep) -> Response:
    """OpenID Connect. Off unless the installation names a provider."""
    given = await container.rabbit.call("accounts", "show_oidc", ShowOidc(), OidcOffer)
    name = given.name_fa if visitor.language is Language.FA else given.name_en
    return answer(OidcView(enabled=given.enabled, name=name if given.enabled else None))


@router.post(
    "/authorisations",
    operation_id="beginOidcSignIn",
    summary="Begin to sign in by the provider",
    response_model=OidcAuthorisation,
    responses=problems(404),
)
async def begin(request: Request, container: ContainerDep, _: VisitorDep) -> Response:
    """The browser goes to `url` and keeps `sign_in` to itself. The provider sends it back with `code` and `state`. 404 while it
    is off."""
    await container.admission.admit_sign_in(client_of(container, request))
    reply = await container.rabbit.call(
        "accounts", "begin_oidc_sign_in", BeginOidcSignIn(), OidcAuthorisation, patience=_PATIENCE
    )
    return answer(reply)


@router.post(
    "/sessions",
    operation_id="finishOidcSignIn",
    summary="Sign in with what the provider gave",
    response_model=Tokens,
    responses=problems(401, 403, 404, body=True),
)
async def finish(request: Request, body: OidcSignInBody, container: ContainerDep, visitor: VisitorDep) -> Response:
    """The same tokens as by password. 401 `second_factor_needed` where the provider did not ask for one that is trusted here:
    the same body is then sent again with `second_factor`. 401 `oidc_failed`: to be begun anew. 403 `no_staff_account`: no
    account of ours is this person's."""
    return answer(await oidc_tokens(request, body, container, visitor))


async def oidc_tokens(request: Request, body: OidcSignInBody, container: AppContainer, visitor: Visitor) -> Tokens:
    """The tokens of who comes back from the provider. Errors: as of `finish`."""
    client = client_of(container, request)
    worked = await container.admission.accept_answer(_RESTING, client)
    if not worked:
        await container.admission.admit_sign_in(client)
    command = FinishOidcSignIn(
        sign_in=body.sign_in,
        code=body.code,
        state=body.state,
        second_factor=body.second_factor.factor() if body.second_factor else None,
        device_token=body.device_token,
        address_key=visitor.address_key,
        worked=worked,
        place=place_of(container, request, staff=True),
    )
    try:
        return await container.rabbit.call("accounts", "finish_oidc_sign_in", command, Tokens, patience=_PATIENCE)
    except TooMany as refusal:
        if not refusal.params.pop("work_passes", False):
            raise
        raise await container.admission.with_challenge(_RESTING, client, refusal) from None

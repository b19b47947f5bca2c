"""One's own account: its password, second factors and sessions."""

from __future__ import annotations

import io
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from contracts import own_account
from contracts.base import Answer, Moment
from contracts.vocabulary import Language
from gateway.api.accounts.passkey_options import PasskeyCreationOptions, creation_options
from gateway.api.dependencies import ContainerDep, InSessionDep, answer
from gateway.api.openapi_responses import problems
from gateway.api.own_account.bodies import (
    AddPasskeyBody,
    ChangePasswordBody,
    GuardedBody,
    PasskeyNameBody,
    TotpCodeBody,
)
from gateway.api.request_endpoints import (
    IN_SESSION,
    PAGE,
    STAFF_IN_SESSION,
    Field,
    RequestEndpoint,
    Rpc,
    Success,
    View,
    register_requests,
)

router = APIRouter(prefix="/me", tags=["own account"])
_PASSKEY = {"passkey_id": Field(Annotated[UUID, Path(description="The passkey's id.")])}


class TotpEnrolmentView(Answer):
    """`qr_svg`: the address as a QR code, an SVG document on its own. All but the time is told once."""

    totp_secret: str
    totp_address: str
    qr_svg: str
    expires_at: Moment


class EndedSessionsView(Answer):
    """`ended`: how many."""

    ended: int


def totp_enrolment_view(given: own_account.TotpEnrolment, _: Language) -> TotpEnrolmentView:
    """With its QR code, which an authenticator app reads."""
    drawn = io.BytesIO()
    import segno  # for this alone; the gateway does not hold it in memory

    segno.make(given.totp_address, error="m", micro=False).save(drawn, kind="svg", scale=4, border=4, light="white")
    return TotpEnrolmentView(qr_svg=drawn.getvalue().decode(), **given.model_dump())


def passkey_creation_view(given: own_account.PasskeyRegistration, _: Language) -> PasskeyCreationOptions:
    """As browsers take it."""
    return creation_options(given)


register_requests(
    router,
    RequestEndpoint(
        "POST /password",
        "changePassword",
        "Change one's password",
        """For staff. Every other session of the account ends, and its owner is notified. A wrong `current_password` is counted
        as a failed sign-in is: after five, 429. The `device_token` of before ends, too; the answer has the next one.""",
        STAFF_IN_SESSION,
        Rpc("accounts.change_password", own_account.ChangePassword, own_account.PasswordChanged),
        body=ChangePasswordBody,
    ),
    RequestEndpoint(
        "GET /second-factors",
        "getSecondFactors",
        "One's authenticator app, passkeys and recovery codes",
        "For staff. Whether an app is enrolled, which passkeys there are, how many recovery codes are left.",
        STAFF_IN_SESSION,
        Rpc("accounts.show_second_factors", own_account.ShowSecondFactors, own_account.SecondFactors),
    ),
    RequestEndpoint(
        "POST /totp",
        "beginTotpEnrolment",
        "Begin to enrol an authenticator app",
        """For staff. A new secret, with its QR code, told once and to be confirmed within ten minutes; until then the present app
        stays in force.""",
        STAFF_IN_SESSION,
        Rpc("accounts.begin_totp_enrolment", own_account.BeginTotpEnrolment, own_account.TotpEnrolment),
        body=GuardedBody,
        view=View(TotpEnrolmentView, totp_enrolment_view),
    ),
    RequestEndpoint(
        "POST /totp/confirmation",
        "confirmTotpEnrolment",
        "Confirm an authenticator app by a code of it",
        "From then on its codes are right and those of the app before are not. 409 `no_totp_enrolment` when none waits.",
        STAFF_IN_SESSION,
        Rpc("accounts.confirm_totp_enrolment", own_account.ConfirmTotpEnrolment, own_account.SecondFactors),
        body=TotpCodeBody,
        errors=(409,),
    ),
    RequestEndpoint(
        "POST /totp/removal",
        "removeTotp",
        "Remove one's authenticator app",
        "409 `last_second_factor` while there is no passkey: an account of staff always has a second factor.",
        STAFF_IN_SESSION,
        Rpc("accounts.remove_totp", own_account.RemoveTotp, own_account.SecondFactors),
        body=GuardedBody,
        errors=(409,),
    ),
    RequestEndpoint(
        "POST /recovery-codes",
        "renewRecoveryCodes",
        "Ten new recovery codes",
        "For staff. Told once, each good once in place of another second factor. Those of before are void.",
        STAFF_IN_SESSION,
        Rpc("accounts.renew_recovery_codes", own_account.RenewRecoveryCodes, own_account.RecoveryCodes),
        body=GuardedBody,
    ),
    RequestEndpoint(
        "POST /passkeys/options",
        "beginPasskeyRegistration",
        "Begin to register a passkey",
        """For staff. What `navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(…)})` takes.
        409 `passkeys_unavailable` where the installation has no host name, `too_many_passkeys` after ten.""",
        STAFF_IN_SESSION,
        Rpc(
            "accounts.begin_passkey_registration", own_account.BeginPasskeyRegistration, own_account.PasskeyRegistration
        ),
        body=GuardedBody,
        view=View(PasskeyCreationOptions, passkey_creation_view),
        errors=(409,),
    ),
    RequestEndpoint(
        "POST /passkeys",
        "addPasskey",
        "Register a passkey",
        "What the browser made, within five minutes of the options and once.",
        STAFF_IN_SESSION,
        Rpc("accounts.add_passkey", own_account.AddPasskey, own_account.Passkey),
        body=AddPasskeyBody,
        success=Success(status=201, description="The passkey"),
        errors=(409,),
    ),
    RequestEndpoint(
        "PUT /passkeys/{passkey_id}",
        "renamePasskey",
        "Name a passkey",
        "By which its owner knows it; nobody else sees it.",
        STAFF_IN_SESSION,
        Rpc("accounts.rename_passkey", own_account.RenamePasskey, own_account.Passkey),
        parameters=_PASSKEY,
        body=PasskeyNameBody,
    ),
    RequestEndpoint(
        "POST /passkeys/{passkey_id}/removal",
        "removePasskey",
        "Remove a passkey",
        "409 `last_second_factor` for the last one of an account without an authenticator app.",
        STAFF_IN_SESSION,
        Rpc("accounts.remove_passkey", own_account.RemovePasskey, own_account.SecondFactors),
        parameters=_PASSKEY,
        body=GuardedBody,
        errors=(409,),
    ),
    RequestEndpoint(
        "GET /sessions",
        "listOwnSessions",
        "One's sessions",
        """Of a citizen or a member of staff: those that have not ended, the newest first. `agent` is the family of the browser
        and its system; `network` a coarse part of the address, of staff alone.""",
        IN_SESSION,
        Rpc("accounts.list_own_sessions", own_account.ListOwnSessions, own_account.OwnSessions),
        parameters=PAGE,
    ),
)


@router.delete(
    "/sessions/{session_id}",
    operation_id="endOwnSession",
    summary="End one of one's sessions",
    status_code=204,
    responses=problems(401, 404, 422),
)
async def end_session(
    session_id: Annotated[UUID, Path(description="The session's id.")], container: ContainerDep, asking: InSessionDep
) -> Response:
    """Its access tokens and streams end with it, in this gateway at once. 404 for one that has ended."""
    await _end(container, asking, session_id)
    return Response(status_code=204)


@router.delete(
    "/sessions",
    operation_id="endOtherSessions",
    summary="End all of one's sessions but this one",
    response_model=EndedSessionsView,
    responses=problems(401),
)
async def end_other_sessions(container: ContainerDep, asking: InSessionDep) -> Response:
    """How many there were. Their access tokens and streams end with them, in this gateway at once."""
    return answer(EndedSessionsView(ended=await _end(container, asking, None)))


async def _end(container: ContainerDep, asking: InSessionDep, session_id: UUID | None) -> int:
    request = own_account.EndOwnSession(ended=session_id, **asking.request_fields)
    reply = await container.rabbit.call("accounts", "end_own_session", request, own_account.OwnSessionsEnded)
    container.session_revocations.add_ended(reply.items)
    return len(reply.items)

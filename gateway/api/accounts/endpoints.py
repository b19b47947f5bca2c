"""Signing in: citizens by one-time code, staff by password and TOTP."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from contracts import identifiers
from contracts.accounts import OtpSent, RefreshTokens, RequestOtp, Revoked, SecondFactor, SignInStaff, Tokens, VerifyOtp
from contracts.errors import BadCode, BadCredentials, BadToken, InvalidField, TooMany
from contracts.own_account import BeginPasskeyUse, PasskeyChallenge
from gateway.api.accounts.bodies import MobileBody, OneTimeCodeBody, RefreshBody, StaffBody
from gateway.api.accounts.passkey_options import PasskeyRequestOptions, request_options
from gateway.api.dependencies import ContainerDep, Visitor, VisitorDep, answer, client_of, place_of
from gateway.api.openapi_responses import problems
from gateway.container import AppContainer

router = APIRouter(prefix="/auth", tags=["accounts"])

_RESTING = "staff_sign_in"
"""What a challenge is for that goes instead of waiting while accounts lets a user name rest for an address."""


def factor_of(body: StaffBody) -> SecondFactor | None:
    """The second factor in a body that signs staff in; None where there is none, or it can be none."""
    factor = body.second_factor.factor() if body.second_factor else SecondFactor(totp=body.totp)
    if factor.totp is None:
        return factor if body.second_factor else None
    totp = identifiers.compact_digits(factor.totp)
    return None if totp is None else SecondFactor(totp=totp)


def mobile_of(typed: str) -> str:
    """E.164, or InvalidField."""
    mobile = identifiers.mobile(typed)
    if mobile is None:
        raise InvalidField(fields=[{"field": "mobile", "reason": "not_a_mobile"}])
    return mobile


@router.post(
    "/codes",
    operation_id="requestOneTimeCode",
    summary="Send a one-time code to a mobile",
    response_model=OtpSent,
    responses=problems(body=True),
)
async def request_code(request: Request, body: MobileBody, container: ContainerDep, visitor: VisitorDep) -> Response:
    """The answer is the same whether or not the number is known, or others asked for a code to it just now. Seconds until it
    may be asked again, and until it expires; `otp_session` is to be given with the code."""
    await container.admission.admit_one_time_code(client_of(container, request))
    command = RequestOtp(
        mobile=mobile_of(body.mobile),
        language=visitor.language,
        address_key=visitor.address_key,
        otp_session=body.otp_session,
    )
    return answer(await container.rabbit.call("accounts", "request_otp", command, OtpSent))


@router.post(
    "/tokens",
    operation_id="signInCitizen",
    summary="Sign in with a one-time code",
    response_model=Tokens,
    responses=problems(401, body=True),
)
async def sign_in(request: Request, body: OneTimeCodeBody, container: ContainerDep, visitor: VisitorDep) -> Response:
    """An access token of 15 minutes, and a refresh token that is good once. Whatever is wrong, a mobile that asked for no code
    and one tried too often included, is 401 `bad_code`."""
    return answer(await citizen_tokens(request, body, container, visitor))


@router.post(
    "/staff/tokens",
    operation_id="signInStaff",
    summary="Sign in as staff",
    response_model=Tokens,
    responses=problems(401, body=True),
)
async def sign_in_staff(request: Request, body: StaffBody, container: ContainerDep, visitor: VisitorDep) -> Response:
    """User name, password and a second factor: the six digits of the authenticator, a recovery code, or a passkey. Which of them
    was wrong is not told. The answer's `device_token` is to be kept on the device and given at its next sign-in."""
    return answer(await staff_tokens(request, body, container, visitor))


async def citizen_tokens(request: Request, body: OneTimeCodeBody, container: AppContainer, visitor: Visitor) -> Tokens:
    """The tokens of who knows a one-time code. BadCode, TooMany."""
    await container.admission.admit_sign_in(client_of(container, request))
    mobile = mobile_of(body.mobile)
    code = identifiers.compact_digits(body.code)
    if code is None:
        raise BadCode
    command = VerifyOtp(
        mobile=mobile,
        code=code,
        address_key=visitor.address_key,
        otp_session=body.otp_session,
        place=place_of(container, request, staff=False),
    )
    return await container.rabbit.call("accounts", "verify_otp", command, Tokens)


async def staff_tokens(request: Request, body: StaffBody, container: AppContainer, visitor: Visitor) -> Tokens:
    """The tokens of a member of staff. BadCredentials, TooMany."""
    client = client_of(container, request)
    worked = await container.admission.accept_answer(_RESTING, client)
    if not worked:
        await container.admission.admit_sign_in(client)
    factor = factor_of(body)
    if factor is None or "\x00" in body.password:
        raise BadCredentials
    command = SignInStaff(
        username=body.username,
        password=body.password,
        totp=factor.totp,
        second_factor=factor if factor.totp is None else None,
        address_key=visitor.address_key,
        device_token=body.device_token,
        worked=worked,
        place=place_of(container, request, staff=True),
    )
    try:
        return await container.rabbit.call("accounts", "sign_in_staff", command, Tokens)
    except TooMany as refusal:
        if not refusal.params.pop("work_passes", False):
            raise
        raise await container.admission.with_challenge(_RESTING, client, refusal) from None


@router.post(
    "/staff/passkey-challenges",
    operation_id="beginPasskeyUse",
    summary="A challenge for a passkey",
    response_model=PasskeyRequestOptions,
    responses=problems(409),
)
async def begin_passkey_use(request: Request, container: ContainerDep, _: VisitorDep) -> Response:
    """What `navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(…)})` takes. The same for
    everybody: the browser offers the passkeys that it has for this host. What it gives is sent as the second factor, within five
    minutes and once."""
    await container.admission.admit_sign_in(client_of(container, request))
    given = await container.rabbit.call("accounts", "begin_passkey_use", BeginPasskeyUse(), PasskeyChallenge)
    return answer(request_options(given))


@router.post(
    "/refresh",
    operation_id="refreshTokens",
    summary="New tokens for a refresh token",
    response_model=Tokens,
    responses=problems(401, body=True),
)
async def refresh(request: Request, body: RefreshBody, container: ContainerDep, _: VisitorDep) -> Response:
    """A refresh token that comes a second time ends its session. Counted by the token: others at the same address do not
    matter."""
    await container.admission.admit_refresh(body.refresh_token)
    command = RefreshTokens(refresh_token=body.refresh_token)
    try:
        return answer(await container.rabbit.call("accounts", "refresh", command, Tokens))
    except BadToken:
        await container.admission.count_bad_token(client_of(container, request))
        raise


@router.post(
    "/revoke",
    operation_id="signOut",
    summary="End the session of a refresh token",
    response_model=Revoked,
    responses=problems(body=True),
)
async def revoke(body: RefreshBody, container: ContainerDep, _: VisitorDep) -> Response:
    """Its access tokens and streams end with it. An unknown token is answered alike."""
    await container.admission.admit_refresh(body.refresh_token)
    await container.session_revocations.sign_out(body.refresh_token)
    return answer(Revoked())

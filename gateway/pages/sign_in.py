"""Who the visitor is: a mobile, a one-time code by SMS, and the tokens kept in the form session."""

from __future__ import annotations

import time
from contextlib import suppress

from pydantic import BaseModel

from contracts import identifiers
from contracts.accounts import Tokens
from contracts.errors import BadCode, InvalidField, NotAuthenticated, PeygirError, TooMany
from gateway.pages.draft import SignedIn
from gateway.pages.page_context import PageContext

PENDING_KEPT = 30 * 60  # seconds
CODE_DIGITS = 6  # of a one-time code; a whole message with one may be pasted


class PendingCode(BaseModel):
    """A mobile that a code was sent to. `otp_session`: by it the tries of this browser are counted apart from others'."""

    mobile: str
    otp_session: str | None = None


async def send_code(context: PageContext, typed: str) -> bool:
    """Sends a one-time code to the mobile that was typed; False with an error beside the field."""
    mobile = identifiers.mobile(typed)
    if mobile is None:
        context.add_error("mobile", "need_mobile")
        return False
    otp_session = _otp_session(context, mobile)
    try:
        sent = await context.gateway.request_otp(context.visitor(), mobile, otp_session)
    except (TooMany, InvalidField) as error:
        context.add_problem("mobile", error)
        return False
    context.session.write("mobile", PendingCode(mobile=mobile, otp_session=sent.otp_session or otp_session))
    context.accept()
    return True


def pending_mobile(context: PageContext) -> str | None:
    """The mobile whose code is awaited."""
    code = context.session.read("mobile", PendingCode, PENDING_KEPT)
    return code.mobile if code else None


def _otp_session(context: PageContext, mobile: str) -> str | None:
    code = context.session.read("mobile", PendingCode, PENDING_KEPT)
    return code.otp_session if code is not None and code.mobile == mobile else None


async def check_code(context: PageContext, mobile: str) -> bool:
    """Signs the visitor in; False with an error beside the field."""
    typed = context.field_value("code")
    code = identifiers.only_number(typed, CODE_DIGITS) or identifiers.compact_digits(typed)
    if not code:
        context.add_error("code", "need_otp")
        return False
    try:
        tokens = await context.gateway.verify_otp(context.visitor(), mobile, code, _otp_session(context, mobile))
    except (BadCode, TooMany, InvalidField) as error:
        context.add_problem("code", error)
        return False
    context.session.renew()
    _save_tokens(context, tokens, mobile)
    context.session.drop("mobile")
    context.accept()
    return True


async def access_token(context: PageContext) -> str | None:
    """A token that is good for a while yet, renewed where needed; None when the visitor is not signed in (any more)."""
    signed_in = context.signed_in
    if signed_in is None:
        return None
    if signed_in.expires_at - time.time() > 60:
        return signed_in.access_token
    try:
        tokens = await context.gateway.refresh(context.visitor(), signed_in.refresh_token)
    except NotAuthenticated:
        context.session.drop("citizen")
        return None
    _save_tokens(context, tokens, signed_in.mobile)
    return tokens.access_token


async def sign_out(context: PageContext) -> None:
    """Signs out, also where the refresh token was taken. The draft is taken into the new session; what was opened is not."""
    signed_in = context.signed_in
    for name in ("citizen", "mobile", "case", "answer"):
        context.session.drop(name)
    context.session.drop_all("typed:/case")
    context.session.renew()
    if signed_in is not None:
        with suppress(PeygirError):  # it runs out by itself; this browser has forgotten it
            await context.gateway.revoke(context.visitor(), signed_in.refresh_token)


def _save_tokens(context: PageContext, tokens: Tokens, mobile: str) -> None:
    context.session.write(
        "citizen",
        SignedIn(
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            mobile=mobile,
            expires_at=time.time() + tokens.expires_in,
        ),
    )

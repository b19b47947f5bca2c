"""Who the visitor is: a mobile, a one-time code by SMS, and the tokens kept with the visit."""

from __future__ import annotations

import time
from contextlib import suppress

from pydantic import BaseModel

from contracts import identifiers
from contracts.accounts import Tokens
from contracts.errors import BadCode, InvalidField, NotAuthenticated, PeygirError, TooMany
from gateway.pages.draft import SignedIn
from gateway.pages.visit import Visit

PENDING_KEPT = 30 * 60  # seconds
CODE_DIGITS = 6  # of a one-time code; a whole message with one may be pasted


class Pending(BaseModel):
    """A mobile that a code was sent to. `otp_session`: by it the tries of this browser are counted apart from others'."""

    mobile: str
    otp_session: str | None = None


async def send_code(visit: Visit, typed: str) -> bool:
    """Sends a one-time code to the mobile that was typed; False with an error beside the field."""
    mobile = identifiers.mobile(typed)
    if mobile is None:
        visit.wrong("mobile", "need_mobile")
        return False
    otp_session = _otp_session(visit, mobile)
    try:
        sent = await visit.door.request_otp(visit.visitor(), mobile, otp_session)
    except (TooMany, InvalidField) as error:
        visit.refused("mobile", error)
        return False
    visit.cookies.write("mobile", Pending(mobile=mobile, otp_session=sent.otp_session or otp_session))
    visit.accept()
    return True


def pending(visit: Visit) -> str | None:
    """The mobile whose code is awaited."""
    found = visit.cookies.read("mobile", Pending, PENDING_KEPT)
    return found.mobile if found else None


def _otp_session(visit: Visit, mobile: str) -> str | None:
    found = visit.cookies.read("mobile", Pending, PENDING_KEPT)
    return found.otp_session if found is not None and found.mobile == mobile else None


async def check_code(visit: Visit, mobile: str) -> bool:
    """Signs the visitor in; False with an error beside the field."""
    typed = visit.typed("code")
    code = identifiers.only_number(typed, CODE_DIGITS) or identifiers.compact_digits(typed)
    if not code:
        visit.wrong("code", "need_otp")
        return False
    try:
        tokens = await visit.door.verify_otp(visit.visitor(), mobile, code, _otp_session(visit, mobile))
    except (BadCode, TooMany, InvalidField) as error:
        visit.refused("code", error)
        return False
    visit.cookies.renew_visit()
    _keep(visit, tokens, mobile)
    visit.cookies.drop("mobile")
    visit.accept()
    return True


async def access_token(visit: Visit) -> str | None:
    """A token that is good for a while yet, renewed where needed; None when the visitor is not signed in (any more)."""
    known = visit.signed_in
    if known is None:
        return None
    if known.expires_at - time.time() > 60:
        return known.access_token
    try:
        tokens = await visit.door.refresh(visit.visitor(), known.refresh_token)
    except NotAuthenticated:
        visit.cookies.drop("citizen")
        return None
    _keep(visit, tokens, known.mobile)
    return tokens.access_token


async def leave(visit: Visit) -> None:
    """Signs out, also where the refresh token was taken. A draft goes along into the new visit; what was opened does not."""
    known = visit.signed_in
    for name in ("citizen", "mobile", "case", "answer"):
        visit.cookies.drop(name)
    visit.cookies.drop_all("typed:/case")
    visit.cookies.renew_visit()
    if known is not None:
        with suppress(PeygirError):  # it runs out by itself; this browser has forgotten it
            await visit.door.revoke(visit.visitor(), known.refresh_token)


def _keep(visit: Visit, tokens: Tokens, mobile: str) -> None:
    visit.cookies.write(
        "citizen",
        SignedIn(
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            mobile=mobile,
            expires_at=time.time() + tokens.expires_in,
        ),
    )

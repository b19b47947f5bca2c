"""The rules of signing in by OpenID Connect (Core 1.0; PKCE: RFC 7636)."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

SIGN_IN_VALID = timedelta(minutes=10)
"""From the way to the provider to the way back, second factor included."""
CLOCK_TOLERANCE = 60
"""Seconds by which the provider's clock may be wrong."""
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Of ID tokens: with public keys alone. A token can choose neither "none" nor one that is signed with the client's secret."""


def challenge_of(verifier: str) -> str:
    """The code challenge of PKCE, method S256."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def wrong_with_claims(
    claims: Mapping[str, object], issuer: str, client_id: str, nonce: str, at: datetime
) -> str | None:
    """Which claim of an ID token is wrong (Core 1.0, 3.1.3.7); None when none is. Its signature is checked before."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    now = at.timestamp()
    if claims.get("iss") != issuer:
        return "iss"
    if client_id not in audiences:
        return "aud"
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != client_id:
        return "azp"
    if not _is_after(claims.get("exp"), now - CLOCK_TOLERANCE):
        return "exp"
    if _is_after(claims.get("iat"), now + CLOCK_TOLERANCE) or _is_after(claims.get("nbf"), now + CLOCK_TOLERANCE):
        return "iat"
    if claims.get("nonce") != nonce:
        return "nonce"
    return None if isinstance(claims.get("sub"), str) and claims["sub"] else "sub"


def asked_for_second_factor(claims: Mapping[str, object], acr: Collection[str], amr: Collection[str]) -> bool:
    """Whether the provider says that it did, in one of the words that the installation trusts."""
    methods = claims.get("amr")
    return claims.get("acr") in acr or (isinstance(methods, list) and any(method in amr for method in methods))


def username_in(claims: Mapping[str, object], claim: str) -> str | None:
    """The user name that a claim holds. An e-mail address counts when the provider has verified it."""
    value = claims.get(claim)
    if not isinstance(value, str) or not value or (claim == "email" and claims.get("email_verified") is not True):
        return None
    return value


def _is_after(value: object, moment: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > moment

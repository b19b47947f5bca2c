"""What browsers are asked with about passkeys: the JSON forms of WebAuthn Level 3 (PublicKeyCredentialCreationOptionsJSON,
PublicKeyCredentialRequestOptionsJSON), which `parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON` take."""

from __future__ import annotations

from typing import Literal

from contracts.base import Answer
from contracts.own_account import PasskeyChallenge, PasskeyRegistration


class RelyingPartyOptions(Answer):
    id: str
    name: str


class UserOptions(Answer):
    id: str
    name: str
    displayName: str  # noqa: N815  # as browsers name it


class KeyOptions(Answer):
    type: Literal["public-key"] = "public-key"
    alg: int


class CredentialOptions(Answer):
    type: Literal["public-key"] = "public-key"
    id: str


class AuthenticatorOptions(Answer):
    """A passkey that the browser finds by itself, and that asks its owner for a fingerprint, a face or a PIN."""

    residentKey: Literal["required"] = "required"  # noqa: N815
    requireResidentKey: Literal[True] = True  # noqa: N815
    userVerification: Literal["required"] = "required"  # noqa: N815


class PasskeyCreationOptions(Answer):
    """`timeout`: milliseconds. Nobody's make of authenticator is asked for (`attestation`)."""

    rp: RelyingPartyOptions
    user: UserOptions
    challenge: str
    pubKeyCredParams: list[KeyOptions]  # noqa: N815
    timeout: int
    excludeCredentials: list[CredentialOptions]  # noqa: N815
    authenticatorSelection: AuthenticatorOptions  # noqa: N815
    attestation: Literal["none"] = "none"


class PasskeyRequestOptions(Answer):
    """`timeout`: milliseconds."""

    challenge: str
    rpId: str  # noqa: N815
    timeout: int
    userVerification: Literal["required"] = "required"  # noqa: N815
    allowCredentials: list[CredentialOptions] = []  # noqa: N815


def creation_options(given: PasskeyRegistration) -> PasskeyCreationOptions:
    """Of what accounts answers."""
    return PasskeyCreationOptions(
        rp=RelyingPartyOptions(id=given.rp_id, name=given.rp_name),
        user=UserOptions(id=given.user_id, name=given.username, displayName=given.display_name),
        challenge=given.challenge,
        pubKeyCredParams=[KeyOptions(alg=algorithm) for algorithm in given.algorithms],
        timeout=given.timeout,
        excludeCredentials=[CredentialOptions(id=credential_id) for credential_id in given.excluded],
        authenticatorSelection=AuthenticatorOptions(),
    )


def request_options(given: PasskeyChallenge) -> PasskeyRequestOptions:
    """Of what accounts answers."""
    return PasskeyRequestOptions(challenge=given.challenge, rpId=given.rp_id, timeout=given.timeout)

"""The two ceremonies of WebAuthn, registering a passkey and using one, verified by the library `webauthn`.

The challenge of an answer is looked up by its hash and deleted: the row says that accounts gave it, for what, and until when.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection
from webauthn import base64url_to_bytes, verify_authentication_response, verify_registration_response
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.cose import COSEAlgorithmIdentifier

from backbone.process import logs
from contracts.errors import PasskeysUnavailable
from services.accounts.passkeys import store
from services.accounts.passkeys.rules import CHALLENGE_VALID, rp_id_of

log = logs.get("passkeys")

ALGORITHMS = (
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)
"""Those that all authenticators of today have one of, the preferred one first."""
_TRANSPORTS = frozenset({"ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"})


@dataclass(frozen=True)
class NewPasskey:
    """What registering gave."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    synced: bool
    transports: list[str]


@dataclass(frozen=True)
class PasskeyUse:
    """A verified answer of a passkey, not taken yet."""

    passkey_id: UUID
    sign_count: int


class RelyingParty:
    """Whose passkeys they are: the host of `origin`; answers from this origin alone are right."""

    def __init__(self, origin: str) -> None:
        self.origin, self._id = origin, rp_id_of(origin)

    @property
    def is_there(self) -> bool:
        """Whether passkeys can be used at all."""
        return self._id is not None

    @property
    def id(self) -> str:
        """PasskeysUnavailable where there is none."""
        if self._id is None:
            raise PasskeysUnavailable
        return self._id

    def challenge(self, connection: Connection, staff_id: UUID | None, at: datetime) -> str:
        """A fresh one, base64url. `staff_id`: whose registration it is for; None: for a use, by whomever."""
        if not self.is_there:
            raise PasskeysUnavailable
        challenge = secrets.token_bytes(32)
        store.add_challenge(connection, _hash(challenge), staff_id, at + CHALLENGE_VALID)
        return bytes_to_base64url(challenge)

    def registered(self, connection: Connection, staff_id: UUID, credential: str, at: datetime) -> NewPasskey | None:
        """The passkey that this answer makes; None for one that answers no challenge of this account."""
        challenge = _challenge_of(credential)
        if challenge is None or not store.take_challenge(connection, _hash(challenge), staff_id, at):
            return None
        try:
            verified = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origin,
                require_user_verification=True,
                supported_pub_key_algs=list(ALGORITHMS),
            )
            transports = json.loads(credential)["response"].get("transports") or []
            return NewPasskey(
                credential_id=verified.credential_id,
                public_key=verified.credential_public_key,
                sign_count=verified.sign_count,
                synced=verified.credential_backed_up,
                transports=[transport for transport in transports if transport in _TRANSPORTS],
            )
        except Exception as error:  # noqa: BLE001  # the library raises many things on hostile input
            log.info("an answer that registers no passkey", error=type(error).__name__)
            return None


class PasskeyUses:
    def __init__(self, party: RelyingParty) -> None:
        self._party = party

    def check(self, connection: Connection, staff_id: UUID, credential: str, at: datetime) -> PasskeyUse | None:
        """The use that this answer shows of a passkey of this account; None when it shows none. Its challenge is used up."""
        challenge = _challenge_of(credential)
        if challenge is None or not store.take_challenge(connection, _hash(challenge), None, at):
            return None
        try:
            answer = json.loads(credential)
            row = store.by_credential(connection, staff_id, base64url_to_bytes(answer["rawId"]))
            user_handle = answer["response"].get("userHandle")
            if row is None or (user_handle and base64url_to_bytes(user_handle) != staff_id.bytes):
                return None
            verified = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._party.id,
                expected_origin=self._party.origin,
                credential_public_key=row.public_key,
                credential_current_sign_count=row.sign_count,
                require_user_verification=True,
            )
        except Exception as error:  # noqa: BLE001  # the same
            log.info("an answer that shows no passkey", error=type(error).__name__)
            return None
        return PasskeyUse(row.passkey_id, verified.new_sign_count)

    def take(self, connection: Connection, staff_id: UUID, use: PasskeyUse, at: datetime) -> bool:
        """Accepts a use once."""
        return store.use(connection, staff_id, use.passkey_id, use.sign_count, at)


def _challenge_of(credential: str) -> bytes | None:
    """The challenge that an answer says it answers."""
    try:
        client_data = json.loads(base64url_to_bytes(json.loads(credential)["response"]["clientDataJSON"]))
        return base64url_to_bytes(client_data["challenge"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _hash(challenge: bytes) -> str:
    """Random challenges need neither salt nor slowness."""
    return hashlib.sha256(challenge).hexdigest()

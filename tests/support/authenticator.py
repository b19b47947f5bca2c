"""A software authenticator of WebAuthn, written on its own from the specification (Level 3): it keeps passkeys, asks nobody, and
answers the options that a browser would be given, as `credential.toJSON()` does."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

JSON = dict[str, Any]
_PRESENT, _VERIFIED, _CREDENTIAL = 0x01, 0x04, 0x40
_MAY_BE_SYNCED, _SYNCED = 0x08, 0x10


@dataclass
class _Passkey:
    rp_id: str
    user_id: str
    credential_id: bytes
    key: ec.EllipticCurvePrivateKey
    sign_count: int = 0


@dataclass
class Authenticator:
    """`origin`: of the page; `verifies`: whether its owner shows who they are; `synced`: its passkeys are copied to other
    devices, and count nothing."""

    origin: str
    verifies: bool = True
    synced: bool = False
    passkeys: list[_Passkey] = field(default_factory=list)

    def create(self, options: JSON) -> JSON:
        """A new passkey, by PublicKeyCredentialCreationOptionsJSON."""
        assert {"type": "public-key", "alg": -7} in options["pubKeyCredParams"]
        assert options["authenticatorSelection"]["residentKey"] == "required"
        key = ec.generate_private_key(ec.SECP256R1())
        passkey = _Passkey(options["rp"]["id"], options["user"]["id"], secrets.token_bytes(32), key)
        self.passkeys.append(passkey)
        numbers = key.public_key().public_numbers()
        public_key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        length = len(passkey.credential_id).to_bytes(2, "big")
        attested = bytes(16) + length + passkey.credential_id + cbor2.dumps(public_key)
        data = self._data(passkey, _CREDENTIAL) + attested
        client_data = self._client_data("webauthn.create", options["challenge"])
        return {
            **self._head(passkey),
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {"credProps": {"rk": True}},
            "response": {
                "clientDataJSON": encode(client_data),
                "attestationObject": encode(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
                "transports": ["internal"],
            },
        }

    def get(self, options: JSON, passkey: int = -1, count: bool = True) -> JSON:
        """An answer of one of its passkeys, by PublicKeyCredentialRequestOptionsJSON. `count`: False: a copy that was stolen,
        which counts from where it was copied."""
        chosen = self.passkeys[passkey]
        assert options["rpId"] == chosen.rp_id
        if not self.synced and count:
            chosen.sign_count += 1
        data = self._data(chosen, 0)
        client_data = self._client_data("webauthn.get", options["challenge"])
        signed = data + hashlib.sha256(client_data).digest()
        return {
            **self._head(chosen),
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(client_data),
                "authenticatorData": encode(data),
                "signature": encode(chosen.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
                "userHandle": chosen.user_id,
            },
        }

    def _head(self, passkey: _Passkey) -> JSON:
        credential_id = encode(passkey.credential_id)
        return {"id": credential_id, "rawId": credential_id, "type": "public-key"}

    def _data(self, passkey: _Passkey, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.verifies else 0) | (_MAY_BE_SYNCED | _SYNCED if self.synced else 0)
        rp_id_hash = hashlib.sha256(passkey.rp_id.encode()).digest()
        return rp_id_hash + bytes([flags]) + passkey.sign_count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        given = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(given).encode()


def encode(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

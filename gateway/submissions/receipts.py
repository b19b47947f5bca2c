"""Receipts: what was filed and when, signed with Ed25519; anyone with the public key can verify one.

`payload` is JSON text, and the signature is over exactly its bytes. The tracking code is not in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, ConfigDict, Field

RECEIPT_EXAMPLE: dict[str, Any] = {
    "payload": '{"content_hash":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",'
    '"filed_at":"2026-11-23T08:30:00Z","kind":"criticism",'
    '"submission_id":"0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11"}',
    "signature": "c2lnbmF0dXJlIG9mIDY0IGJ5dGVz",
    "key": "6f1ed002ab559585",
}


class Receipt(BaseModel):
    """`signature`: Ed25519 over the UTF-8 bytes of `payload`, base64. `key`: the first 16 hex digits of the SHA-256 of the
    public key, which is at /v1/receipts/key. The payload names submission_id, filed_at, kind and content_hash: SHA-256 over
    what was filed (docs/verify_receipt.py makes it again)."""

    model_config = ConfigDict(json_schema_extra={"examples": [RECEIPT_EXAMPLE]})

    payload: str
    signature: str
    key: str = Field(pattern=r"^[0-9a-f]{16}$")


CHECKPOINT_EXAMPLE: dict[str, Any] = {
    "payload": '{"commitment":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",'
    '"made_at":"2026-11-23T20:31:00+00:00","name":"2026-11-23","type":"public_checkpoint"}',
    "signature": "c2lnbmF0dXJlIG9mIDY0IGJ5dGVz",
    "key": "6f1ed002ab559585",
}


class Checkpoint(BaseModel):
    """Signed as a receipt is. The payload names the checkpoint (`name`), its moment (`made_at`) and the SHA-256 of the full
    checkpoint's payload (`commitment`), which the office keeps."""

    model_config = ConfigDict(json_schema_extra={"examples": [CHECKPOINT_EXAMPLE]})

    payload: str
    signature: str
    key: str = Field(pattern=r"^[0-9a-f]{16}$")


class Signer:
    """Signs with the office's key; also accepts signatures by `earlier` keys (public, 32 octets each)."""

    def __init__(self, seed: bytes, earlier: Sequence[bytes] = ()) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.earlier = tuple(key for key in earlier if key != self.public)
        all_keys = (self.public, *self.earlier)
        self.key_ids = tuple(hashlib.sha256(key).hexdigest()[:16] for key in all_keys)
        self.key_id = self.key_ids[0]
        self._accepted_keys = [Ed25519PublicKey.from_public_bytes(key) for key in all_keys]

    def sign(self, submission_id: UUID, filed_at: datetime, kind: str, content_hash: str) -> Receipt:
        payload = payload_of(submission_id, filed_at, kind, content_hash)
        signature = base64.b64encode(self.signature(payload.encode())).decode()
        return Receipt.model_construct(payload=payload, signature=signature, key=self.key_id)

    def signature(self, content: bytes) -> bytes:
        """64 octets."""
        return self._key.sign(content)

    def verify(self, content: bytes, signature: bytes) -> bool:
        """Whether one of the keys signed exactly this."""
        for key in self._accepted_keys:
            try:
                key.verify(signature, content)
            except InvalidSignature:
                continue
            return True
        return False


def payload_of(submission_id: UUID, filed_at: datetime, kind: str, content_hash: str) -> str:
    """The payload of a receipt, as it is signed. `filed_at` in UTC."""
    return json.dumps(
        {
            "content_hash": content_hash,
            "filed_at": filed_at.isoformat().replace("+00:00", "Z"),
            "kind": kind,
            "submission_id": str(submission_id),
        },
        separators=(",", ":"),
    )


def content_hash(filed: dict[str, Any]) -> str:
    """SHA-256 in hex of what was filed, as JSON with sorted names, no spaces and UTF-8: whoever has the text and the
    uploads' ids can compute it again."""
    return hashlib.sha256(
        json.dumps(filed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()

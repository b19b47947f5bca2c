"""Sealed identities at rest: AES-256-GCM under a data key of their own, which a master key wraps.

Rotating the master key re-wraps the data keys and touches no identity (RFC 3394 key wrap).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from contracts.gateway import Identity


class Damaged(Exception):
    """The stored bytes are not what was stored, or belong to another submission."""


@dataclass(frozen=True)
class SealedIdentity:
    master_key: str
    wrapped_key: bytes
    nonce: bytes
    ciphertext: bytes


class Vault:
    """Seals under the current master key, opens under any that is held. `master_keys`: id → 32 bytes, current first."""

    def __init__(self, master_keys: dict[str, bytes]) -> None:
        if not master_keys:
            raise ValueError("a master key is needed")
        self._keys = master_keys
        self.current = next(iter(master_keys))

    def seal(self, submission_id: UUID, identity: Identity) -> SealedIdentity:
        key, nonce = AESGCM.generate_key(256), os.urandom(12)
        ciphertext = AESGCM(key).encrypt(nonce, identity.model_dump_json().encode(), submission_id.bytes)
        return SealedIdentity(self.current, aes_key_wrap(self._keys[self.current], key), nonce, ciphertext)

    def open(self, submission_id: UUID, sealed: SealedIdentity) -> Identity:
        try:
            key = aes_key_unwrap(self._key(sealed.master_key), sealed.wrapped_key)
            return Identity.model_validate_json(
                AESGCM(key).decrypt(sealed.nonce, sealed.ciphertext, submission_id.bytes)
            )
        except (InvalidUnwrap, InvalidTag) as error:
            raise Damaged(str(submission_id)) from error

    def rewrap(self, master_key: str, wrapped_key: bytes) -> bytes:
        """The same data key under the current master key."""
        return aes_key_wrap(self._keys[self.current], aes_key_unwrap(self._key(master_key), wrapped_key))

    def _key(self, name: str) -> bytes:
        if name not in self._keys:
            raise Damaged(f"the master key {name} is not held")
        return self._keys[name]

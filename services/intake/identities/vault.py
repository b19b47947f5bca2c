"""Identities encrypted at rest: AES-256-GCM under a data key of their own, which a master key wraps.

Rotating the master key re-wraps the data keys and touches no identity (RFC 3394 key wrap).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from pydantic import BaseModel

from contracts.gateway import GroupMembers, Identity

_MEMBERS = b"members"
"""Marks the associated data of members; with the submission's id in it no row can stand for another."""


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
        return self._encrypt(submission_id.bytes, identity)

    def open(self, submission_id: UUID, sealed: SealedIdentity) -> Identity:
        return Identity.model_validate_json(self._decrypt(submission_id.bytes, sealed))

    def seal_members(self, submission_id: UUID, members: GroupMembers) -> SealedIdentity:
        return self._encrypt(submission_id.bytes + _MEMBERS, members)

    def open_members(self, submission_id: UUID, sealed: SealedIdentity) -> GroupMembers:
        return GroupMembers.model_validate_json(self._decrypt(submission_id.bytes + _MEMBERS, sealed))

    def rewrap(self, master_key: str, wrapped_key: bytes) -> bytes:
        """The same data key under the current master key."""
        return aes_key_wrap(self._keys[self.current], aes_key_unwrap(self._key(master_key), wrapped_key))

    def _encrypt(self, associated: bytes, value: BaseModel) -> SealedIdentity:
        key, nonce = AESGCM.generate_key(256), os.urandom(12)
        ciphertext = AESGCM(key).encrypt(nonce, value.model_dump_json().encode(), associated)
        return SealedIdentity(self.current, aes_key_wrap(self._keys[self.current], key), nonce, ciphertext)

    def _decrypt(self, associated: bytes, sealed: SealedIdentity) -> bytes:
        try:
            key = aes_key_unwrap(self._key(sealed.master_key), sealed.wrapped_key)
            return AESGCM(key).decrypt(sealed.nonce, sealed.ciphertext, associated)
        except (InvalidUnwrap, InvalidTag) as error:
            raise Damaged(str(UUID(bytes=associated[:16]))) from error

    def _key(self, name: str) -> bytes:
        if name not in self._keys:
            raise Damaged(f"the master key {name} is not held")
        return self._keys[name]

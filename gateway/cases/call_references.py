"""What stands for a case while an operator calls its citizen.

Whoever is told a mobile must not learn of which case it is (DOMAIN: No single person can learn who complained): neither its id
nor its number leaves the gateway. The reference holds the id, encrypted, and is good for the operator who was given it alone.
"""

from __future__ import annotations

import base64
from uuid import UUID

from backbone import sealing
from contracts.errors import UnknownCase

MAX_LENGTH = 300


class CallReferences:
    """`contact_key`: the key that the gateways of an installation share; what is made of it here opens nothing else."""

    def __init__(self, contact_key: bytes) -> None:
        self._key = bytes.fromhex(sealing.keyed_hash("call reference", contact_key))

    def make(self, operator: UUID, case_id: UUID) -> str:
        """A reference, another each time; URL-safe."""
        encrypted = sealing.encrypt(f"{operator} {case_id}", self._key)
        return base64.urlsafe_b64encode(base64.b64decode(encrypted)).decode()

    def case_id(self, operator: UUID, reference: str) -> UUID:
        """UnknownCase for what is no reference, or was given to somebody else."""
        try:
            encrypted = base64.b64encode(base64.urlsafe_b64decode(reference)).decode()
            given_to, _, case_id = sealing.decrypt(encrypted, self._key).partition(" ")
        except ValueError:
            raise UnknownCase from None
        if given_to != str(operator):
            raise UnknownCase
        return UUID(case_id)

"""The tracking code of a case, from the sealed box in which it rests: it is not stored otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from backbone import sealing
from backbone.process import logs
from contracts.gateway import Contact

log = logs.get("contacts")


def code_of(contact: Row[Any] | None, private_keys: Sequence[bytes]) -> str | None:
    """None where the contact holds none, or is sealed to a key that is held no longer."""
    if contact is None or contact.sealed_contact is None:
        return None
    try:
        return sealing.unseal(contact.sealed_contact, Contact, private_keys).code
    except ValueError as error:
        log.error("a contact could not be opened", error=logs.describe(error))
        return None

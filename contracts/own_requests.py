"""What requests about one's own account have in common."""

from __future__ import annotations

from uuid import UUID

from contracts.accounts import SecondFactor
from contracts.base import Request
from contracts.gateway import Actor


class OwnRequest(Request):
    """Of somebody about their own account. `session_id`: the session in which it is asked."""

    actor: Actor
    session_id: UUID


class GuardedRequest(OwnRequest):
    """One that a second factor is shown for. InvalidField for a wrong one; TooMany after several, as when signing in."""

    second_factor: SecondFactor

"""Who of the staff looks at a case or edits it now: what gateways tell each other, and what they answer. It is stored nowhere."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from contracts.base import Answer
from contracts.tracking import CaseAudience

PresenceState = Literal["looking", "editing"]


class PresenceNoted(Answer):
    """Broadcast by one gateway to all: a member of staff has the case before them in one of their tabs, or, `state` None, no
    more. It holds for `seconds` from when it is received."""

    case_id: UUID
    staff_id: UUID
    name: str | None
    tab: str
    state: PresenceState | None
    seconds: float
    audience: CaseAudience


class PresentStaff(Answer):
    """`state`: editing, where they edit it in any of their tabs."""

    staff_id: UUID
    name: str | None
    state: PresenceState


class CasePresence(Answer):
    """Who is there now, oneself included. `renew_in`: seconds after which one's own presence is to be said again; it is over
    after `expires_in`."""

    items: list[PresentStaff]
    renew_in: int
    expires_in: int

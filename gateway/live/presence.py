"""Who of the staff looks at a case or edits it now.

A client says so every `RENEW_SECONDS`, to any gateway. That one asks tracking whether this person may know of the case, and
broadcasts it; each gateway keeps what it hears for `SECONDS`. So nothing is stored, a closed laptop or a killed gateway leaves
nothing behind, and a gateway that has just started knows all who are there at their next renewal. What changes is told by the
streams of the staff who may know of the case (event_stream.py), and to nobody else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from backbone.process import logs
from contracts.presence import CasePresence, PresenceNoted, PresenceState, PresentStaff
from contracts.tracking import CaseAudience, GetCaseAudience
from gateway.auth.tokens import Caller
from gateway.live.event_stream import EventStream
from gateway.rabbit.client import RabbitClient

log = logs.get("presence")

RENEW_SECONDS = 20
SECONDS = 45
"""After two renewals that did not come it is over."""
_TABS_MOST = 10
_SWEEP_SECONDS = 1.0


@dataclass
class _Tab:
    state: PresenceState
    ends: float


@dataclass
class _Present:
    """A member of staff at one case, by their tabs."""

    name: str | None
    tabs: dict[str, _Tab] = field(default_factory=dict)

    @property
    def state(self) -> PresenceState:
        return "editing" if any(tab.state == "editing" for tab in self.tabs.values()) else "looking"


@dataclass
class _Case:
    audience: CaseAudience
    present: dict[UUID, _Present] = field(default_factory=dict)
    told: tuple[PresentStaff, ...] = ()


class Presence:
    """`clock`: seconds, only ever growing."""

    def __init__(
        self, rabbit: RabbitClient, event_stream: EventStream, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rabbit, self._event_stream, self._clock = rabbit, event_stream, clock
        self._cases: dict[UUID, _Case] = {}
        rabbit.add_broadcast_listener(self.handle_broadcast)
        event_stream.add_state_listener(self._follow)

    async def note(
        self, caller: Caller, request: GetCaseAudience, tab: str, state: PresenceState | None
    ) -> CasePresence:
        """A tab of this member of staff has the case before it, or, `state` None, no more. UnknownCase for who may not know of
        it; NotAllowed for who knows of no cases."""
        audience = await self._audience(request)
        noted = PresenceNoted(
            case_id=request.case_id,
            staff_id=caller.id,
            name=caller.name,
            tab=tab,
            state=state,
            seconds=SECONDS,
            audience=audience,
        )
        self._apply(noted)  # at once; as it comes back from the broker it changes nothing
        self._rabbit.broadcast(noted.model_dump_json().encode())
        return self._answer(request.case_id)

    async def read(self, request: GetCaseAudience) -> CasePresence:
        """Who is there. Errors: as of `note`."""
        await self._audience(request)
        return self._answer(request.case_id)

    def handle_broadcast(self, body: bytes) -> None:
        """What another gateway heard, or this one."""
        try:
            self._apply(PresenceNoted.model_validate_json(body))
        except ValidationError as error:
            log.warning("a broadcast cannot be read", error=logs.describe(error))

    async def expire_forever(self) -> None:
        """Ends what was not renewed."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self.expire()

    def expire(self) -> None:
        for case_id, case in list(self._cases.items()):
            self._drop_expired(case)
            self._tell(case_id, case)

    async def _audience(self, request: GetCaseAudience) -> CaseAudience:
        return await self._rabbit.call("tracking", "get_case_audience", request, CaseAudience)

    def _apply(self, noted: PresenceNoted) -> None:
        case = self._cases.get(noted.case_id)
        if case is None:
            if noted.state is None:
                return
            case = self._cases[noted.case_id] = _Case(noted.audience)
        case.audience = noted.audience
        person = case.present.setdefault(noted.staff_id, _Present(noted.name))
        person.name = noted.name
        person.tabs.pop(noted.tab, None)
        if noted.state is not None:
            person.tabs[noted.tab] = _Tab(noted.state, self._clock() + min(noted.seconds, SECONDS))
        for tab in list(person.tabs)[:-_TABS_MOST]:
            del person.tabs[tab]
        self._drop_expired(case)
        self._tell(noted.case_id, case)

    def _drop_expired(self, case: _Case) -> None:
        at = self._clock()
        for staff_id, person in list(case.present.items()):
            for name in [name for name, tab in person.tabs.items() if tab.ends <= at]:
                del person.tabs[name]
            if not person.tabs:
                del case.present[staff_id]

    def _tell(self, case_id: UUID, case: _Case) -> None:
        """Sends who is there, where that has changed."""
        there = _there(case)
        if there != case.told:
            case.told = there
            self._event_stream.send_presence(str(case_id), case.audience.model_dump(mode="json"), list(there))
        if not case.present:
            self._cases.pop(case_id, None)

    def _follow(self, case_id: UUID, state: dict[str, Any]) -> None:
        """An event of a case says who may know of it from now on."""
        case = self._cases.get(case_id)
        if case is not None:
            case.audience = CaseAudience.model_validate(state)

    def _answer(self, case_id: UUID) -> CasePresence:
        case = self._cases.get(case_id)
        if case is not None:
            self._drop_expired(case)
            self._tell(case_id, case)
        items = list(_there(case)) if case is not None else []
        return CasePresence(items=items, renew_in=RENEW_SECONDS, expires_in=SECONDS)


def _there(case: _Case) -> tuple[PresentStaff, ...]:
    people = ((person.name or "", staff_id, person) for staff_id, person in case.present.items())
    return tuple(
        PresentStaff(staff_id=staff_id, name=person.name, state=person.state)
        for _, staff_id, person in sorted(people, key=lambda line: line[:2])
    )

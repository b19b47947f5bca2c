"""One decision for a group of like cases: each case gets a command of its own, judged by its own rules.

There is no transaction over the group. The key of each command is derived from the group's key, so whatever ends a request
early, the same request sent again goes on where it was, and no case is decided twice (`case.idempotency` in tracking)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from contracts.errors import FourEyesNeeded, PeygirError, StaleVersion, Unavailable
from contracts.gateway import Actor
from contracts.tracking import Decide, ExecuteCommand, Propose
from gateway.cases.case_cache import CaseCache
from gateway.rabbit.client import RabbitClient

_AT_ONCE = 4
"""Cases of one group that are commanded at a time: the rest of the office goes on meanwhile."""


@dataclass(frozen=True, slots=True)
class CaseToDecide:
    case_id: UUID
    expected_version: int


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of one case. `version`: the case's after it; `error`: why nothing did."""

    case_id: UUID
    result: Literal["decided", "proposed", "refused"]
    version: int | None = None
    error: PeygirError | None = None


class GroupDecisions:
    """Decides the cases of a group, or proposes their decision where it needs four eyes."""

    def __init__(self, rabbit: RabbitClient, case_cache: CaseCache) -> None:
        self._rabbit, self._case_cache = rabbit, case_cache

    async def decide(
        self, actor: Actor, decision: Decide, cases: Sequence[CaseToDecide], group_key: str
    ) -> list[CaseResult]:
        """The result of each case, in their order. Once tracking does not answer, the cases that are left are not tried: they
        are refused with the same error, and the same request, sent again, decides them."""
        slots, outages = asyncio.Semaphore(_AT_ONCE), list[PeygirError]()

        async def decide_one(case: CaseToDecide) -> CaseResult:
            async with slots:
                if outages:
                    return CaseResult(case.case_id, "refused", error=outages[0])
                try:
                    return await self._decide_or_propose(actor, decision, case, group_key)
                except PeygirError as error:
                    if isinstance(error, Unavailable):
                        outages.append(error)
                    return CaseResult(case.case_id, "refused", error=error)
                finally:
                    self._case_cache.invalidate(case.case_id)

        return list(await asyncio.gather(*map(decide_one, cases)))

    async def _decide_or_propose(
        self, actor: Actor, decision: Decide, case: CaseToDecide, group_key: str
    ) -> CaseResult:
        try:
            return CaseResult(case.case_id, "decided", await self._execute(actor, decision, case, group_key))
        except (FourEyesNeeded, StaleVersion) as error:
            # A stale case may be one that this group's proposal has changed, in a request that was cut short: its key tells.
            proposal = Propose.model_validate(decision.model_dump(exclude={"type"}))
            try:
                return CaseResult(case.case_id, "proposed", await self._execute(actor, proposal, case, group_key))
            except StaleVersion:
                # Without the case as it is now: the answer would hold two hundred of them.
                raise type(error)({name: value for name, value in error.params.items() if name != "case"}) from None

    async def _execute(self, actor: Actor, command: Decide | Propose, case: CaseToDecide, group_key: str) -> int | None:
        request = ExecuteCommand(
            actor=actor,
            case_id=case.case_id,
            expected_version=case.expected_version,
            idempotency_key=_key_of(group_key, case.case_id, command.type),
            command=command,
        )
        return (await self._rabbit.call_raw("tracking", "execute", request)).version


def _key_of(group_key: str, case_id: UUID, command: str) -> str:
    """The key of one case's command: the same whenever the group's request is repeated, and of the length of any key."""
    return hashlib.sha256(f"{group_key}\n{case_id}\n{command}".encode()).hexdigest()

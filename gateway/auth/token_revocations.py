"""Whose account was changed: access tokens of before are good for nothing any more.

A token is believed as it is, and tells of roles and unit as they were when it was made, up to a quarter of an hour ago. Who was
moved into a unit meanwhile, or dismissed, must not read on until then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from backbone.process import logs
from contracts.accounts import ChangedStaff, ListChangedStaff, StaffChanged
from contracts.errors import PeygirError
from gateway.rabbit.client import RabbitClient

log = logs.get("standing")

_PAUSE = 5.0


class TokenRevocations:
    """Hears of changes as long as it listens; asks accounts for those before. Once heard, a version only grows."""

    def __init__(self, rabbit: RabbitClient) -> None:
        self._bus = rabbit
        self._versions: dict[UUID, int] = {}
        self._on_change: list[Callable[[UUID], None]] = []
        self._asking: asyncio.Task[None] | None = None
        rabbit.on_event(self.heard)
        rabbit.on_subscription(self._subscription)

    def on_change(self, listener: Callable[[UUID], None]) -> None:
        """`listener(staff_id)` whenever an account was changed."""
        self._on_change.append(listener)

    def is_past(self, staff_id: UUID, version: int) -> bool:
        """Whether this account is known to have been changed since that version of it."""
        return self._versions.get(staff_id, 0) > version

    def heard(self, name: str, body: str | bytes) -> None:
        """Listens to events; accounts alone tells of staff."""
        if name == StaffChanged.name:
            event = StaffChanged.model_validate_json(body)
            self._know(event.staff_id, event.version)

    def stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    def _know(self, staff_id: UUID, version: int) -> None:
        if self.is_past(staff_id, version - 1):
            return
        self._versions[staff_id] = version
        for listener in self._on_change:
            listener(staff_id)

    def _subscription(self, subscribed: bool) -> None:
        """What happened while nobody listened is asked for."""
        self.stop()
        if subscribed:
            self._asking = asyncio.get_running_loop().create_task(self._ask())

    async def _ask(self) -> None:
        while True:
            try:
                changed = await self._bus.ask("accounts", "list_changed_staff", ListChangedStaff(), ChangedStaff)
            except PeygirError as error:
                log.info("accounts cannot tell yet whose tokens are past", error=error.code)
                await asyncio.sleep(_PAUSE)
            else:
                for one in changed.items:
                    self._know(one.staff_id, one.version)
                return


__all__ = ["TokenRevocations"]

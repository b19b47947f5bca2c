"""Changed staff accounts: access tokens issued before the change are refused.

A token carries roles and unit as they were when it was issued, up to a quarter of an hour ago. Staff who were moved to another
unit meanwhile, or dismissed, must not go on reading until it expires.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from backbone.process import logs
from contracts.accounts import ChangedStaff, ListChangedStaff, StaffChanged
from contracts.errors import PeygirError
from gateway.rabbit.client import RabbitClient

log = logs.get("token_revocations")

_RETRY_SECONDS = 5.0


class TokenRevocations:
    """The newest version of each changed account. Kept up to date by `staff.changed.v1` while subscribed, and by asking accounts
    whenever the subscription begins. A version never decreases."""

    def __init__(self, rabbit: RabbitClient) -> None:
        self._rabbit = rabbit
        self._versions: dict[UUID, int] = {}
        self._listeners: list[Callable[[UUID], None]] = []
        self._loading: asyncio.Task[None] | None = None
        rabbit.add_event_listener(self.handle_event)
        rabbit.add_subscription_listener(self._set_subscribed)

    def add_listener(self, listener: Callable[[UUID], None]) -> None:
        """`listener(staff_id)` is called for each changed account."""
        self._listeners.append(listener)

    def is_revoked(self, staff_id: UUID, version: int) -> bool:
        """Whether this account was changed since that version of it, as far as this gateway knows."""
        return self._versions.get(staff_id, 0) > version

    def handle_event(self, name: str, body: str | bytes) -> None:
        """Takes in `staff.changed.v1`; accounts alone may publish it."""
        if name == StaffChanged.name:
            event = StaffChanged.model_validate_json(body)
            self._add(event.staff_id, event.version)

    def stop(self) -> None:
        if self._loading is not None:
            self._loading.cancel()

    def _add(self, staff_id: UUID, version: int) -> None:
        if self.is_revoked(staff_id, version - 1):
            return
        self._versions[staff_id] = version
        for listener in self._listeners:
            listener(staff_id)

    def _set_subscribed(self, subscribed: bool) -> None:
        """Asks for the accounts that were changed while events were not received."""
        self.stop()
        if subscribed:
            self._loading = asyncio.get_running_loop().create_task(self._load())

    async def _load(self) -> None:
        while True:
            try:
                changed = await self._rabbit.ask("accounts", "list_changed_staff", ListChangedStaff(), ChangedStaff)
            except PeygirError as error:
                log.info("accounts cannot list changed staff yet", error=error.code)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                for account in changed.items:
                    self._add(account.staff_id, account.version)
                return

"""Changes of staff accounts and their leaves: received as events, and asked of accounts whenever events may have been missed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from backbone.process import logs
from contracts.accounts import ChangedStaff, ListChangedStaff, StaffChanged
from contracts.errors import PeygirError
from contracts.leaves import LeaveChanged
from gateway.rabbit.client import RabbitClient

log = logs.get("account_changes")

_RETRY_SECONDS = 5.0


class AccountChanges:
    """Forwards `staff.changed.v1`, and what accounts answers about all of them: whenever the subscription begins, and when a
    leave has changed. It is asked once for all who listen. One object a process."""

    def __init__(self, rabbit: RabbitClient) -> None:
        self._rabbit = rabbit
        self._change_listeners: list[Callable[[StaffChanged], None]] = []
        self._list_listeners: list[Callable[[ChangedStaff], None]] = []
        self._loading: asyncio.Task[None] | None = None
        rabbit.add_event_listener(self.handle_event)
        rabbit.add_subscription_listener(self._set_subscribed)

    def add_listener(self, changed: Callable[[StaffChanged], None], listed: Callable[[ChangedStaff], None]) -> None:
        """`changed(event)` is called for each change, `listed(answer)` for each answer of accounts."""
        self._change_listeners.append(changed)
        self._list_listeners.append(listed)

    def handle_event(self, name: str, body: str | bytes) -> None:
        """Takes in what accounts alone may publish."""
        if name == StaffChanged.name:
            event = StaffChanged.model_validate_json(body)
            for listener in self._change_listeners:
                listener(event)
        elif name == LeaveChanged.name:
            self._set_subscribed(True)

    def stop(self) -> None:
        if self._loading is not None:
            self._loading.cancel()

    def _set_subscribed(self, subscribed: bool) -> None:
        self.stop()
        if subscribed:
            self._loading = asyncio.get_running_loop().create_task(self._load())

    async def _load(self) -> None:
        while True:
            try:
                changed = await self._rabbit.call("accounts", "list_changed_staff", ListChangedStaff(), ChangedStaff)
            except PeygirError as error:
                log.info("accounts cannot list changed staff yet", error=error.code)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                for listener in self._list_listeners:
                    listener(changed)
                return

"""The way to the handsets and back: moves each message towards its ending, and calls the office's webhooks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping

import httpx

from . import rules
from .settings import Settings
from .store import Inbound, Message, Store

log = logging.getLogger("sms_simulator")

# The provider reports 4, then 5 on some routes; both mean "handed to the operator".
_NEXT = {rules.QUEUED: rules.AT_TELECOM, rules.SCHEDULED: rules.AT_TELECOM, rules.AT_TELECOM: rules.SENT_ON}


class Network:
    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self.step_delay = settings.step_delay
        self._changed = asyncio.Condition()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._client = httpx.AsyncClient(timeout=5)

    async def run(self) -> None:
        while True:
            self._wake.clear()
            now = time.time()
            for message in self._store.open_before(now - self.step_delay):
                await self._step(message, now)
            with contextlib.suppress(TimeoutError):
                # While nothing is on its way there is nothing to look at, until a message is accepted.
                pending = bool(self._store.open_before(now + 1))
                await asyncio.wait_for(self._wake.wait(), max(self.step_delay / 4, 0.01) if pending else None)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def accepted(self) -> None:
        """Wakes the loop: there is a message to carry."""
        self._wake.set()

    async def wait_for_arrival(self, seconds: float) -> None:
        """Returns when any message has arrived at a handset, or after `seconds`."""
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)

    async def _step(self, message: Message, now: float) -> None:
        status = _NEXT.get(message.status, message.ending)
        stepped = self._store.step(message.id, status, now)
        if status in rules.FINAL:
            self._call(
                self._settings.delivery_url,
                {
                    "messageid": str(stepped.id),
                    "status": str(stepped.status),
                    "statustext": rules.STATUS_TEXTS[stepped.status],
                    "receptor": stepped.receptor,
                    "sender": stepped.sender,
                    "date": str(int(now)),
                },
            )
        async with self._changed:
            self._changed.notify_all()

    def inbound(self, inbound: Inbound) -> None:
        self._call(
            self._settings.inbound_url,
            {
                "messageid": str(inbound.id),
                "from": inbound.sender,
                "to": inbound.line,
                "message": inbound.text,
                "date": str(int(inbound.created)),
            },
        )

    def _call(self, url: str | None, form: Mapping[str, str]) -> None:
        if url is None:
            return
        task = asyncio.create_task(self._call_until_accepted(url, form))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call_until_accepted(self, url: str, form: Mapping[str, str]) -> None:
        for wait in (*self._settings.hook_waits, None):
            try:
                answer = await self._client.post(url, data=dict(form))
                if answer.is_success:
                    return
                failure = f"answered {answer.status_code}"
            except httpx.HTTPError as error:
                failure = type(error).__name__
            if wait is None:
                log.warning("webhook for message %s given up: %s", form["messageid"], failure)
                return
            await asyncio.sleep(wait)

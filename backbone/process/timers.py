"""Work that becomes due by what a process has just done: looked for soon after that, and seldom while nothing happens.

A service at rest would otherwise ask its database every second whether there is something to do. What a process that was killed
left undone, and what the clock makes due, is found by the rarer look, and by whoever starts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet
from nameko.extensions import DependencyProvider, Entrypoint, SharedExtension
from nameko.timer import Timer

from backbone.process import logs

log = logs.get("timers")

REST = 10.0
"""Seconds between two looks while the process has nothing else to do."""


class Rhythm:
    """When a loop looks for work: after `wake`, but at most every `pause` seconds; and `rest` seconds after the last look at
    the latest. The first time as if it had been woken: others may have left something undone."""

    def __init__(self, pause: float, rest: float = REST) -> None:
        self._pause, self._rest = pause, rest
        self._woken = eventlet.event.Event()
        self.wake()

    def wake(self) -> None:
        """There may be something to do. Also while the loop works: then it looks once more."""
        if not self._woken.ready():
            self._woken.send(None)

    def wait(self, rest: float | None = None) -> bool:
        """Until the next look is due; whether it was woken. `rest`: in place of the usual one, in seconds."""
        eventlet.sleep(self._pause)
        with eventlet.Timeout(max(0.0, (self._rest if rest is None else rest) - self._pause), False):
            self._woken.wait()
        woken = bool(self._woken.ready())
        if woken:
            self._woken = eventlet.event.Event()
        return woken


class WorkSignal(SharedExtension):  # type: ignore[misc]  # nameko is untyped
    """Says to whoever subscribed that a worker of the process has ended."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[], None]] = []  # here, since extensions are set up in no certain order
        super().__init__()

    def subscribe(self, wake: Callable[[], None]) -> None:
        self._subscribers.append(wake)

    def send(self) -> None:
        for wake in self._subscribers:
            wake()


class WorkerEnds(DependencyProvider):  # type: ignore[misc]  # nameko is untyped
    """Sends the signal for each worker that may have made work: all but timers that found nothing to do."""

    signal = WorkSignal()

    def worker_result(self, worker_ctx: Any, result: Any = None, exc_info: Any = None) -> None:
        if result or exc_info or not isinstance(worker_ctx.entrypoint, FollowUp | Timer):
            self.signal.send()


class FollowUp(Entrypoint):  # type: ignore[misc]  # nameko is untyped
    """Calls the method after other workers of this process have ended, at most every `pause` seconds; and every `rest` seconds
    when none has. A call that returned something true, or failed, is repeated after `pause`; a failure is logged."""

    signal = WorkSignal()

    def __init__(self, pause: float, rest: float = REST, **kwargs: Any) -> None:
        self._rhythm = Rhythm(pause, rest)
        self._ended = eventlet.event.Event()
        super().__init__(**kwargs)

    def setup(self) -> None:
        self.signal.subscribe(self._rhythm.wake)

    def start(self) -> None:
        self._thread = self.container.spawn_managed_thread(self._repeat)

    def stop(self) -> None:
        """A call that runs is waited for by the container, as every worker is."""
        self._thread.kill()

    def _repeat(self) -> None:
        while True:
            self._rhythm.wait()
            self._ended = eventlet.event.Event()
            self.container.spawn_worker(self, (), {}, handle_result=self._note_end)
            self._ended.wait()

    def _note_end(self, worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        if exc_info:
            log.warning("a timer failed", timer=self.method_name, error=logs.describe(exc_info[1]))
        self._ended.send(None)
        return result, exc_info


follow_up = FollowUp.decorator


def give_way(seconds: float) -> None:
    """Lets the other green threads of the process work for so long, or for one turn at least."""
    eventlet.sleep(seconds)

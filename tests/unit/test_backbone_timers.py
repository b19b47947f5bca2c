"""Work that follows other work: when a process looks for it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # eventlet says of itself that it is deprecated
    import eventlet
    from nameko.containers import ServiceContainer
    from nameko.testing.services import dummy

    from backbone.process.timers import Rhythm, WorkerEnds, follow_up

NEVER = 3600.0
"""Seconds: no test waits for the rest between two looks."""


class Looks:
    """What the service under test does: how often it has looked for work, and what each look returns or raises."""

    made = 0
    results: list[Any]

    def look(self) -> Any:
        self.made += 1
        result = self.results.pop(0) if self.results else False
        if isinstance(result, Exception):
            raise result
        return result


looks = Looks()


class Service:
    name = "follower"
    worker_ends = WorkerEnds()

    @follow_up(pause=0, rest=NEVER)  # type: ignore[untyped-decorator]  # nameko is untyped
    def look(self) -> Any:
        return looks.look()

    @dummy  # type: ignore[untyped-decorator]  # as above
    def work(self) -> None:
        """What any other entrypoint does."""


@pytest.fixture
def call_worker() -> Iterator[Callable[[], None]]:
    """Starts a worker of the service."""
    looks.made, looks.results = 0, []
    container = ServiceContainer(Service, config={})
    container.start()
    entrypoint = next(extension for extension in container.entrypoints if extension.method_name == "work")
    yield lambda: container.spawn_worker(entrypoint, (), {})
    container.stop()


def settled() -> int:
    """How many looks were made, when everything that can run now has run."""
    for _ in range(50):
        eventlet.sleep(0)
    return looks.made


def test_a_process_looks_once_at_its_start_for_what_others_left(call_worker: Callable[[], None]) -> None:
    assert settled() == 1


def test_and_again_after_each_worker(call_worker: Callable[[], None]) -> None:
    settled()
    call_worker()
    assert settled() == 2
    call_worker()
    assert settled() == 3


@pytest.mark.parametrize("result", [pytest.param(3, id="found work"), pytest.param(OSError("away"), id="failed")])
def test_a_look_that_found_work_or_failed_is_repeated(call_worker: Callable[[], None], result: Any) -> None:
    settled()
    looks.results = [result, result]
    call_worker()
    # Then twice more than once, and no more after the one that found nothing
    assert settled() == 4


def test_a_failure_is_logged_without_its_text(call_worker: Callable[[], None]) -> None:
    settled()
    looks.results = [OSError("which may quote a citizen")]
    with capture_logs() as lines:
        call_worker()
        settled()
    [line] = lines
    assert (line["timer"], line["error"].split()[0]) == ("look", "OSError")
    assert "citizen" not in str(line)


def test_a_wake_during_the_work_is_not_lost() -> None:
    rhythm = Rhythm(pause=0, rest=NEVER)
    assert rhythm.wait()
    rhythm.wake()  # while the loop works
    rhythm.wake()
    assert rhythm.wait()
    # And both together are one
    assert not rhythm.wait(rest=0)

"""The queue of papers to render: fair between requesters, bounded, and without memory of the gateway's."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from typing import Any

import pytest

from contracts.errors import TooMany, Unavailable
from gateway.papers.paper import Paper, VerificationBlock
from gateway.papers.pdf_queue import FairLock, PdfQueue


def test_the_renderer_uses_no_memory_of_the_gateway() -> None:
    program = "import gateway.app, sys; print({'typst', 'segno', 'fontTools', 'PIL'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "set()\n"
    )


PAPER, STAMP = (
    Paper("fa", "بازرسی", "نامه", (), ()),
    VerificationBlock("a", (), "{page}{pages}", "2026-12-06T09:00:00+00:00"),
)


class SuspendedWorkers:
    """Real workers, each suspended as soon as it is started: it renders nothing before the test resumes it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.started: list[Process] = []
        self._start, self._queue = asyncio.create_subprocess_exec, asyncio.Queue[Process]()
        monkeypatch.setattr(asyncio, "create_subprocess_exec", self._start_suspended)

    async def _start_suspended(self, *arguments: Any, **options: Any) -> Process:
        worker = await self._start(*arguments, **options)
        worker.send_signal(signal.SIGSTOP)
        self.started.append(worker)
        self._queue.put_nowait(worker)
        return worker

    async def next(self) -> Process:
        async with asyncio.timeout(60):
            return await self._queue.get()


async def _other_work() -> None:
    """A task of the same event loop that takes many turns of it."""
    for _ in range(1_000):
        await asyncio.sleep(0)


def test_documents_are_rendered_in_turn_without_blocking_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        workers, pdf_queue = SuspendedWorkers(monkeypatch), PdfQueue(60, 5, 5, 5)
        first, second = (
            asyncio.create_task(pdf_queue.render(Paper("fa", "", str(number), (), ()), STAMP, "a"))
            for number in range(2)
        )
        # While a document is being rendered other tasks run to their end, and the next document waits
        worker = await workers.next()
        await _other_work()
        assert not first.done()
        assert workers.started == [worker]
        # Only when it is rendered the next one is begun
        worker.send_signal(signal.SIGCONT)
        worker = await workers.next()
        assert first.done()
        await _other_work()
        assert not second.done()
        worker.send_signal(signal.SIGCONT)
        assert [pdf[:5] for pdf in await asyncio.gather(first, second)] == [b"%PDF-", b"%PDF-"]

    asyncio.run(go())


def test_too_many_documents_are_refused_and_a_slow_one_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        with pytest.raises(Unavailable):
            await PdfQueue(60, 0, 5, 5).render(PAPER, STAMP, "a")
        workers = SuspendedWorkers(monkeypatch)
        with pytest.raises(Unavailable) as refused:
            await PdfQueue(0.05, 5, 5, 7).render(PAPER, STAMP, "a")
        assert refused.value.params == {"retry_after": 7}
        # A worker that would never have answered was ended
        assert all(worker.returncode == -signal.SIGKILL for worker in workers.started)

    asyncio.run(go())


def test_a_document_that_cannot_be_rendered_does_not_affect_the_next() -> None:
    async def go() -> bytes:
        pdf_queue = PdfQueue(60, 5, 5, 5)
        with pytest.raises(Unavailable):
            await pdf_queue.render(
                PAPER, VerificationBlock("x" * 9000, (), "{page}{pages}", "2026-12-06T09:00:00+00:00"), "a"
            )
        return await pdf_queue.render(PAPER, STAMP, "a")

    assert asyncio.run(go()).startswith(b"%PDF-")


def test_one_requester_cannot_fill_the_queue_of_the_others() -> None:
    async def go() -> None:
        pdf_queue = PdfQueue(60, 20, 2, 7)
        many = [
            asyncio.create_task(pdf_queue.render(Paper("fa", "", str(n), (), ()), STAMP, "greedy")) for n in range(50)
        ]
        await asyncio.sleep(0)
        assert pdf_queue.waiting == 2
        made = await pdf_queue.render(PAPER, STAMP, "another")
        assert made.startswith(b"%PDF-")
        outcomes = await asyncio.gather(*many, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, TooMany)]
        assert len(refused) == 48
        assert refused[0].params == {"retry_after": 7}
        assert pdf_queue.waiting == 0
        # What was rendered is cached, and no requester is remembered for ever.
        assert await pdf_queue.render(PAPER, STAMP, "greedy") == made

    asyncio.run(go())


def test_requesters_are_served_in_turn_and_a_cancelled_one_leaves_no_gap() -> None:
    async def go() -> list[str]:
        turns, served, ends = FairLock(), [], asyncio.Event()

        async def paper(requester: str, name: str) -> None:
            async with turns.hold(requester):
                served.append(name)
                await ends.wait()

        wanted = [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("c", "c1"), ("b", "b2")]
        tasks = {name: asyncio.create_task(paper(requester, name)) for requester, name in wanted}
        await asyncio.sleep(0)
        tasks["c1"].cancel()  # while it waits
        ends.set()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        async with asyncio.timeout(5), turns.hold("d"):
            served.append("d1")
        return served

    assert asyncio.run(go()) == ["a1", "a2", "b1", "a3", "b2", "d1"]


def test_the_turn_of_a_requester_who_cancels_goes_to_the_next() -> None:
    async def go() -> None:
        turns = FairLock()
        first = turns.hold("a")
        await first.__aenter__()

        async def wait(requester: str) -> str:
            async with turns.hold(requester):
                return requester

        leaving, next_ = asyncio.create_task(wait("b")), asyncio.create_task(wait("c"))
        await asyncio.sleep(0)
        await first.__aexit__(None, None, None)  # b has the turn and does not know it yet
        leaving.cancel()
        async with asyncio.timeout(5):
            assert await next_ == "c"
        assert leaving.cancelled()

    asyncio.run(go())

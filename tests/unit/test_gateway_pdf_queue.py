"""The queue of papers to render: fair between requesters, bounded, and without memory of the gateway's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest

from contracts.errors import TooMany, Unavailable
from gateway.papers.paper import Paper, VerificationBlock
from gateway.papers.pdf_queue import FairLock, PdfQueue


def test_what_draws_papers_takes_no_memory_of_the_gateway() -> None:
    look = "import gateway.app, sys; print({'typst', 'segno', 'fontTools', 'PIL'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout == "set()\n"


PAPER, STAMP = (
    Paper("fa", "بازرسی", "نامه", (), ()),
    VerificationBlock("a", (), "{page}{pages}", "2026-12-06T09:00:00+00:00"),
)


def test_papers_wait_for_each_other_and_the_loop_goes_on() -> None:
    async def go() -> tuple[list[bytes], int]:
        pdf_queue, ticks = PdfQueue(60, 5, 5, 5), 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        made = await asyncio.gather(
            *(pdf_queue.render(Paper("fa", "", str(one), (), ()), STAMP, "a") for one in range(2))
        )
        ticking.cancel()
        return made, ticks

    made, ticks = asyncio.run(go())
    assert [one[:5] for one in made] == [b"%PDF-", b"%PDF-"]
    assert ticks > 20


def test_too_many_papers_are_refused_and_one_that_takes_too_long_is_given_up() -> None:
    async def go() -> None:
        with pytest.raises(Unavailable):
            await PdfQueue(60, 0, 5, 5).render(PAPER, STAMP, "a")
        started = time.monotonic()
        with pytest.raises(Unavailable) as refused:
            await PdfQueue(0.05, 5, 5, 7).render(PAPER, STAMP, "a")
        assert refused.value.params == {"retry_after": 7}
        assert time.monotonic() - started < 10

    asyncio.run(go())


def test_a_paper_that_cannot_be_drawn_is_unavailable_and_the_next_one_is_drawn() -> None:
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
        told = await asyncio.gather(*many, return_exceptions=True)
        refused = [one for one in told if isinstance(one, TooMany)]
        assert len(refused) == 48
        assert refused[0].params == {"retry_after": 7}
        assert pdf_queue.waiting == 0
        # What was rendered is cached, and no requester is remembered for ever.
        assert await pdf_queue.render(PAPER, STAMP, "greedy") == made

    asyncio.run(go())


def test_turns_go_round_among_requesters_and_whoever_leaves_leaves_no_gap() -> None:
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


def test_a_turn_that_was_given_to_somebody_who_leaves_goes_to_the_next() -> None:
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

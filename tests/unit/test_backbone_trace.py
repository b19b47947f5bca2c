"""The W3C trace context: what comes in goes on, and nonsense starts a trace of its own."""

from __future__ import annotations

import re
from contextvars import copy_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.process import traces
from tests.support.tracing import continued

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
FORM = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def test_a_trace_continues_with_a_new_span() -> None:
    with continued(PARENT) as ours:
        version, trace_id, span, flags = ours.split("-")
        assert (version, trace_id, flags) == ("00", TRACE, "01")
        assert span != SPAN
        assert traces.trace_id() == TRACE
        assert traces.current() == ours


def test_the_sampling_flag_is_passed_on() -> None:
    with continued(f"00-{TRACE}-{SPAN}-00") as ours:
        assert ours.endswith("-00")


def test_the_previous_trace_continues_afterwards() -> None:
    with continued(PARENT) as outer:
        with continued(None):
            assert traces.trace_id() != TRACE
        assert traces.current() == outer


def test_outside_a_trace_logs_have_none_and_a_message_starts_one() -> None:
    def outside() -> None:
        assert traces.trace_id() is None
        assert FORM.fullmatch(traces.current())

    copy_context().run(outside)


def test_an_adopted_trace_stays_within_its_own_task() -> None:
    def work() -> str | None:
        traces.adopt(PARENT)
        return traces.trace_id()

    assert copy_context().run(work) == TRACE
    assert traces.trace_id() != TRACE


@pytest.mark.parametrize(
    "parent",
    [
        None,
        "",
        17,
        b"00-" + TRACE.encode(),
        TRACE,
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-01\r\nX-Injected: 1",
        f" 00-{TRACE}-{SPAN}-01",
    ],
)
def test_a_malformed_header_starts_a_new_trace(parent: object) -> None:
    def work() -> str:
        traces.adopt(parent)
        return traces.current()

    started = copy_context().run(work)
    assert FORM.fullmatch(started)
    assert TRACE not in started


@given(st.text(max_size=80))
def test_the_outgoing_header_is_well_formed_for_any_input(parent: str) -> None:
    with continued(parent) as ours:
        assert FORM.fullmatch(ours)

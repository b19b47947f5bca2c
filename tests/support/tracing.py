"""Work of tests under a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from backbone.process import traces


@contextmanager
def continued(parent: str | None) -> Iterator[str]:
    """Work under the trace that came in as `parent`, as a green thread of its own would do; the trace before goes on."""
    before = traces._current.set(traces.current())
    traces.adopt(parent)
    try:
        yield traces.current()
    finally:
        traces._current.reset(before)

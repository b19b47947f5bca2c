"""What comes in between two statements of one piece of work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from backbone.storage.database import Database


@contextmanager
def meanwhile(database: Database, action: Callable[[], object], before: str) -> Iterator[list[str]]:
    """Once, before a statement that begins so is sent, the action. The statements sent, without those of the action."""
    sent: list[str] = []
    waiting = [action]

    def step_in(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)
        if waiting and statement.startswith(before):
            own = len(sent)
            waiting.pop()()
            del sent[own:]

    event.listen(database.engine, "before_cursor_execute", step_in)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", step_in)
    assert not waiting, "no such statement was sent"

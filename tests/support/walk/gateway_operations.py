"""What a world without a broker answers about how it runs."""

from __future__ import annotations

from typing import Any

from contracts import operations
from contracts.errors import NotFound
from contracts.vocabulary import Role

_OF_THE_BROKER = frozenset(
    {"read_queues", "list_dead_letters", "show_dead_letter", "replay_dead_letter", "drop_dead_letter"}
)


def answer(method: str, request: Any) -> Any:
    """None for what the services themselves answer, refusals to all but administrators among it. NotFound."""
    if method == "read_status":
        return operations.ServiceStatus(version="walk", outbox_waiting=0)
    if method not in _OF_THE_BROKER or Role.ADMINISTRATOR not in request.actor.roles:
        return None
    if method == "list_dead_letters":
        return operations.DeadLetters(items=[], by_queue=[])
    raise NotFound

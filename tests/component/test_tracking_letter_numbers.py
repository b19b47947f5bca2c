"""The number of a letter is drawn by lot. Where each that was drawn is taken, nothing is decided, and others are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from contracts.vocabulary import Kind
from deploy.local.parts import PostgreSQL
from services.tracking.letters import store
from tests.support.tracking import decision
from tests.support.tracking_in_process import TrackingInProcess


@pytest.fixture
def service(postgres: PostgreSQL) -> TrackingInProcess:
    return TrackingInProcess(postgres.url, "letter_numbers")


class Lot:
    """Draws these numbers, and then the last of them again and again."""

    def __init__(self, *numbers: int) -> None:
        self._numbers: Iterator[int] = iter(numbers)
        self._last = numbers[-1]

    def randbelow(self, _: int) -> int:
        return next(self._numbers, self._last)


def rows_of(service: TrackingInProcess) -> dict[str, Any]:
    tables = ("timeline", "letters", "outbox", "commands", "audit_waiting")
    return {table: service.one(f"SELECT count(*) FROM {table}") for table in tables}


def test_a_decision_whose_numbers_are_all_taken_is_made_with_others(
    service: TrackingInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "secrets", Lot(7))
    first, second = (service.investigated(kind=Kind.CRITICISM).case_id for _ in range(2))
    service.do(service.inspector, first, decision())
    monkeypatch.setattr(store, "secrets", Lot(*[7] * store._DRAWN, 8))
    decided = service.do(service.inspector, second, decision())
    assert decided.stage == "decided"
    assert [entry.entry for entry in decided.timeline].count("decided") == 1
    serials = service.one("SELECT array_agg(serial ORDER BY serial) FROM letters")
    assert serials == [store._FEWEST + 7, store._FEWEST + 8]


def test_where_none_is_free_nothing_is_decided_and_the_same_command_can_be_given_again(
    service: TrackingInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "secrets", Lot(7))
    first, second = (service.investigated(kind=Kind.CRITICISM).case_id for _ in range(2))
    service.do(service.inspector, first, decision())
    request, before = service.request(service.inspector, second, decision()), rows_of(service)
    with pytest.raises(IntegrityError):
        service.ask("execute", request)
    assert rows_of(service) == before
    monkeypatch.setattr(store, "secrets", Lot(9))
    assert service.ask("execute", request).stage == "decided"
    assert service.ask("execute", request).version == service.version(second)  # once

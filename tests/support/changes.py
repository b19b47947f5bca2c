"""What tests ask of a change of a case."""

from __future__ import annotations

from typing import TypeVar

from services.tracking.case.lifecycle import Change, Effect

E = TypeVar("E", bound=Effect)


def effect(change: Change, kind: type[E]) -> E | None:
    """The change's effect of this type; None when it has none."""
    return next((effect for effect in change.effects if isinstance(effect, kind)), None)


def sure(change: Change, kind: type[E]) -> E:
    """The same, which must be there."""
    value = effect(change, kind)
    assert value is not None
    return value

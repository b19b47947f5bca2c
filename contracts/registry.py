"""Every event and command by its name, so that a message can be read wherever it arrives."""

from __future__ import annotations

from typing import TypeVar

from contracts import (
    accounts,
    bulk,
    call_backs,
    desk,
    gateway,
    identities,
    intake,
    leaves,
    media,
    notify,
    own_account,
    staff_changes,
    tracking,
)
from contracts.base import Command, Event

T = TypeVar("T")

# Named so that importing this module imports, and so registers, every contract.
_MODULES = (
    accounts,
    bulk,
    call_backs,
    desk,
    gateway,
    identities,
    intake,
    leaves,
    media,
    notify,
    own_account,
    staff_changes,
    tracking,
)


def events() -> dict[str, type[Event]]:
    """Concrete events by name, such as "case.opened.v1"."""
    return {cls.name: cls for cls in _concrete(Event)}


def commands() -> dict[str, type[Command]]:
    """Concrete commands by name, such as "file_submission.v1"."""
    return {cls.name: cls for cls in _concrete(Command)}


def messages() -> dict[str, type[Event] | type[Command]]:
    """Everything that travels through a queue, by name."""
    return {**events(), **commands()}


def _concrete(base: type[T]) -> list[type[T]]:
    classes: list[type[T]] = []
    for cls in base.__subclasses__():
        if "name" in cls.__dict__:
            classes.append(cls)
        classes.extend(_concrete(cls))
    return classes

"""Which unit a submission is about (DOMAIN: What is filed), and whose code is another's (DOMAIN: The tracking code)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.gateway import FileSubmission
from contracts.intake import Catalogue


@dataclass(frozen=True)
class Target:
    """The unit that a submission is about, with its names on that day. `unit` None: screening sets it right."""

    unit: str | None
    name_fa: str | None = None
    name_en: str | None = None


def target_of(unit_code: str, catalogue: Catalogue) -> Target:
    """The unit with this code as the target of a submission.

    An unknown or closed unit, and the root, which is no office in particular, are left to screening.
    """
    unit = next((unit for unit in catalogue.units if unit.code == unit_code), None)
    if unit is None or not unit.active or unit.parent is None:
        return Target(None)
    return Target(unit.code, unit.name_fa, unit.name_en)


def with_code_of_another(commands: Sequence[FileSubmission], owners: Mapping[str, UUID]) -> set[UUID]:
    """Of these new submissions those whose code another one has: a stored one, by `owners`, or of two of them the first.

    A code is hashed under each index key. One that was filed under a key that is not the current one any more (or not yet) keeps
    its code, be it later among them."""
    first: dict[str, UUID] = {}
    for command in commands:
        first.setdefault(command.code_hash, command.submission_id)
    having = {**first, **owners}
    return {
        command.submission_id
        for command in commands
        if any(
            having.get(code_hash, command.submission_id) != command.submission_id
            for code_hash in (command.code_hash, *command.other_code_hashes)
        )
    }

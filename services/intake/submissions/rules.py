"""Which unit a submission is about (DOMAIN: What is filed)."""

from __future__ import annotations

from dataclasses import dataclass

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

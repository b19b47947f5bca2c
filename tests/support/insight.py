"""Events for insight: catalogues and cases, as other services publish them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from contracts.intake import Catalogue, CatalogueChanged, Ground, Unit
from contracts.tracking import CaseOpened, CaseSnapshot
from contracts.vocabulary import Kind
from tests.support.events import case_snapshot


def catalogue_changed(
    at: datetime, parents: Mapping[str, str | None], version: int = 1, grounds: Iterable[str] = ()
) -> CatalogueChanged:
    """`parents`: unit → the unit above it."""
    units = [Unit(code=code, parent=parents[code], level="unit", name_fa=code, name_en=code) for code in parents]
    offered = [Ground(code=code, kinds=[Kind.COMPLAINT], name_fa=code, name_en=code) for code in grounds]
    catalogue = Catalogue(version=version, units=units, grounds=offered)
    return CatalogueChanged(id=uuid4(), occurred_at=at, catalogue=catalogue)


def snapshot(filed_at: datetime, **changes: Any) -> CaseSnapshot:
    """A complaint about delay that was just registered."""
    return case_snapshot(**{"unit": "dep.urb.permits", "filed_at": filed_at, **changes})


def case_opened(filed_at: datetime, case_id: UUID | None = None, **changes: Any) -> CaseOpened:
    """The first event of such a case."""
    return CaseOpened(
        id=uuid4(),
        occurred_at=filed_at,
        case_id=case_id or uuid4(),
        sequence=1,
        state=snapshot(filed_at, **changes),
    )

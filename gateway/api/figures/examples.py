"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

VISIT_FIGURES: dict[str, Any] = {"asked": 20, "held": 10, "avoided": 5, "cancelled": None, "no_show": 0}
VISIT_CELL: dict[str, Any] = {"key": ["1405-09"], **VISIT_FIGURES}
CELL: dict[str, Any] = {"key": ["complaint"], "count": 35}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Cell": CELL,
    "VisitCell": VISIT_CELL,
    "VisitCounts": {"by": ["month"], "cells": [VISIT_CELL], "totals": VISIT_FIGURES, "until": None},
    "VisitFigures": VISIT_FIGURES,
    "Counts": {"by": ["kind"], "cells": [CELL], "total": 35, "until": "2026-11-20"},
}

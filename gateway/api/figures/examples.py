"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

VISIT_FIGURES: dict[str, Any] = {"asked": 20, "held": 10, "avoided": 5, "cancelled": None, "no_show": 0}
VISIT_CELL: dict[str, Any] = {"key": ["1405-09"], **VISIT_FIGURES}
DECISION_FIGURES: dict[str, Any] = {"decided": 40, "settled": 9, "settled_early": 4}
DECISION_CELL: dict[str, Any] = {"key": ["complaint"], **DECISION_FIGURES}
RATING_FIGURES: dict[str, Any] = {"unasked": 21, "unasked_average": 3.9, "by_phone": 8, "by_phone_average": 4.25}
RATING_CELL: dict[str, Any] = {"key": ["1405-09"], **RATING_FIGURES}
CELL: dict[str, Any] = {"key": ["complaint"], "count": 35}

EXAMPLES: dict[str, dict[str, Any]] = {
    "Cell": CELL,
    "DecisionCell": DECISION_CELL,
    "DecisionCounts": {"by": ["kind"], "cells": [DECISION_CELL], "totals": DECISION_FIGURES},
    "DecisionFigures": DECISION_FIGURES,
    "RatingCell": RATING_CELL,
    "RatingCounts": {"by": ["month"], "cells": [RATING_CELL], "totals": RATING_FIGURES},
    "RatingFigures": RATING_FIGURES,
    "VisitCell": VISIT_CELL,
    "VisitCounts": {"by": ["month"], "cells": [VISIT_CELL], "totals": VISIT_FIGURES, "until": None},
    "VisitFigures": VISIT_FIGURES,
    "Counts": {"by": ["kind"], "cells": [CELL], "total": 35, "until": "2026-11-20"},
}

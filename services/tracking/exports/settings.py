"""What tracking reads from its environment about searches and exports."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.tracking.visits.settings import VisitSettings


class ExportSettings(VisitSettings):
    """`searches_most`: how many searches one person keeps. `exports_open`: how many exports one person may have in the
    making; `exports_keep`: seconds until a finished one is gone; `exports_most_rows`: of a larger one nothing is made;
    `exports_page`: rows read at once; `exports_lease`: seconds after which what another replica was at is taken up."""

    searches_most: Annotated[int, Field(ge=1, le=10_000)] = 200
    exports_open: Annotated[int, Field(ge=1, le=100)] = 3
    exports_keep: Annotated[float, Field(gt=0)] = 24 * 3600
    exports_most_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 200_000
    exports_page: Annotated[int, Field(ge=1, le=5_000)] = 500
    exports_lease: Annotated[float, Field(ge=1)] = 60

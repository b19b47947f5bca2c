"""What tracking reads from its environment about bulk commands and macros."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.tracking.exports.settings import ExportSettings


class BulkSettings(ExportSettings):
    """`bulks_open`: how many bulk commands one person may have under way; `bulks_most_cases`: that one may have;
    `bulks_keep`: seconds until a finished one is gone with its report; `bulks_batch`: cases that a replica takes at once;
    `bulks_lease`: seconds after which what another replica was at is taken up; `bulks_share`: percent of its time that a replica
    works on them, so that others do not wait. `macros_most`: how many macros one person keeps."""

    bulks_open: Annotated[int, Field(ge=1, le=100)] = 3
    bulks_most_cases: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    bulks_keep: Annotated[float, Field(gt=0)] = 7 * 24 * 3600
    bulks_batch: Annotated[int, Field(ge=1, le=1_000)] = 20
    bulks_lease: Annotated[float, Field(ge=1)] = 30
    bulks_share: Annotated[int, Field(ge=1, le=100)] = 50
    macros_most: Annotated[int, Field(ge=1, le=10_000)] = 100

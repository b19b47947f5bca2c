"""The body of a request for a file of cases."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.exports import ExportFormat
from contracts.vocabulary import Language
from gateway.api.fields import Body, Distinct, example
from gateway.api.searches.bodies import FiltersBody


class ExportBody(Body):
    """All that `filters` find, and `search`, a kept search, as well; of `case_ids` alone, where they are given. `language`: of
    the headings."""

    filters: FiltersBody = FiltersBody()
    search: UUID | None = None
    case_ids: Annotated[Distinct[UUID], Field(max_length=1_000)] = []
    format: ExportFormat
    language: Language = Language.FA
    model_config = example(filters={"unit": ["dep.urb"], "filed_from": "1405/07/01"}, format="xlsx")

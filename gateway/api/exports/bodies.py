"""The body of a request for a file of cases."""

from __future__ import annotations

from uuid import UUID

from contracts.exports import ExportFormat
from contracts.vocabulary import Language
from gateway.api.fields import Body, example
from gateway.api.searches.bodies import FiltersBody


class ExportBody(Body):
    """All that `filters` find, and `search`, a kept search, as well. `language`: of the headings."""

    filters: FiltersBody = FiltersBody()
    search: UUID | None = None
    format: ExportFormat
    language: Language = Language.FA
    model_config = example(filters={"unit": ["dep.urb"], "filed_from": "1405/07/01"}, format="xlsx")

"""The composition root: each use case is given what it needs, one object for the process of each shared thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.insight.figures.catalogue import FIGURES
from services.insight.figures.catalogue.published import PUBLISHED_ALONE
from services.insight.figures.figure import Figure
from services.insight.figures.use_cases import FigureUseCases
from services.insight.ingest.use_cases import IngestUseCases
from services.insight.publication.published import PublishedUseCases
from services.insight.publication.use_cases import PublicationUseCases


@dataclass(frozen=True)
class InsightUseCases:
    """The use cases by capability."""

    ingest: IngestUseCases
    figures: FigureUseCases
    publication: PublicationUseCases
    published: PublishedUseCases


def compose(figures: Sequence[Figure] = FIGURES) -> InsightUseCases:
    """All of them, for one process. `figures`: the catalogue."""
    publication = PublicationUseCases([*figures, *PUBLISHED_ALONE])
    return InsightUseCases(IngestUseCases(), FigureUseCases(figures, publication), publication, PublishedUseCases())

"""Every figure there is: one module each, which defines FIGURE (docs/how-to/add-a-figure.md)."""

from __future__ import annotations

from services.insight.figures.catalogue import cases, decisions, ratings, visits

FIGURES = (cases.FIGURE, decisions.FIGURE, ratings.FIGURE, visits.FIGURE)

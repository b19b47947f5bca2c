"""The rules of figures, without anything around them."""

from __future__ import annotations

import pytest

from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role, Stage
from services.insight.figures.rules import SEE_EXACT_FIGURES, Question, Viewer, viewer, wrong_with_question


class TestViewer:
    @pytest.mark.parametrize("role", list(Role))
    def test_entitled_staff_see_exact_figures(self, role: Role) -> None:
        actor = Actor(kind=ActorKind.STAFF, id="x", roles=frozenset({role}), unit="mayor")
        exact = role not in {Role.OPERATOR, Role.LIAISON, Role.CUSTODIAN, Role.AUDITOR, Role.SUBSTITUTE}
        assert viewer(actor).sees_exactly(SEE_EXACT_FIGURES) is exact
        assert viewer(actor).unit == "mayor"

    def test_nobody_else_does_with_any_claimed_roles(self) -> None:
        assert viewer(None) == Viewer(roles=frozenset(), unit=None)
        for kind in set(ActorKind) - {ActorKind.STAFF}:
            actor = Actor(kind=kind, id="x", roles=frozenset({Role.HEAD}))
            assert not viewer(actor).sees_exactly(SEE_EXACT_FIGURES)


class TestQuestion:
    def test_a_query_within_a_figures_dimensions_is_valid(self) -> None:
        question = Question(by=("month", "unit"), unit="mayor")
        assert wrong_with_question(question, ("month", "unit", "ground"), ("kind", "unit")) == []

    def test_repeated_or_foreign_dimensions_and_filters_are_named(self) -> None:
        question = Question(by=("month", "month", "stage"), stage=Stage.DECIDED)
        assert wrong_with_question(question, ("month",), ("kind",)) == [
            {"field": "by", "reason": "twice"},
            {"field": "by", "reason": "enum"},
            {"field": "stage", "reason": "extra_forbidden"},
        ]

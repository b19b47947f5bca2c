"""The rules of figures, without anything around them."""

from __future__ import annotations

import pytest

from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.insight import domain
from services.insight.domain import Viewer

TREE = {
    "mq": None,
    "dep": "mq",
    "dep.urb": "dep",
    "dep.urb.permits": "dep.urb",
    "dep.urb.control": "dep.urb",
    "mayor": "mq",
}


class TestTree:
    def test_a_subtree_is_the_unit_and_all_below_it(self) -> None:
        assert domain.subtree("dep.urb", TREE) == {"dep.urb", "dep.urb.permits", "dep.urb.control"}
        assert domain.subtree("mq", TREE) == set(TREE)
        assert domain.subtree("mayor", TREE) == {"mayor"}

    def test_a_lineage_is_the_unit_and_all_above_it(self) -> None:
        assert domain.lineage("dep.urb.permits", TREE) == {"dep.urb.permits", "dep.urb", "dep", "mq"}

    def test_an_unknown_unit_stands_alone_and_a_circle_ends(self) -> None:
        assert domain.subtree("new", TREE) == domain.lineage("new", TREE) == {"new"}
        circle = {"a": "b", "b": "a"}
        assert domain.subtree("a", circle) == domain.lineage("a", circle) == {"a", "b"}


class TestViewer:
    @pytest.mark.parametrize("role", list(Role))
    def test_staff_whose_work_it_is_see_exactly(self, role: Role) -> None:
        actor = Actor(kind=ActorKind.STAFF, id="x", roles=frozenset({role}), unit="mayor")
        exact = role not in {Role.OPERATOR, Role.LIAISON, Role.CUSTODIAN}
        assert domain.viewer(actor) == Viewer(exact=exact, unit="mayor")

    def test_nobody_else_does_whatever_roles_are_claimed(self) -> None:
        assert domain.viewer(None) == Viewer(exact=False, unit=None)
        for kind in set(ActorKind) - {ActorKind.STAFF}:
            actor = Actor(kind=kind, id="x", roles=frozenset({Role.HEAD}))
            assert domain.viewer(actor).exact is False

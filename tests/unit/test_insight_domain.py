"""The rules of figures, without anything around them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


class TestSmallCells:
    def test_below_five_nothing_is_told_and_above_only_fives(self) -> None:
        told = [domain.public(count) for count in (0, 1, 4, 5, 9, 10, 11, 14)]
        assert told == [0, None, None, 5, 5, 10, 10, 10]

    def test_the_difference_of_two_figures_is_never_known_to_be_small(self) -> None:
        """Of any two told figures, of a set and of a part of it, the rest may be at least four different numbers."""
        for whole, part in product(range(60), repeat=2):
            if part <= whole:
                told = (domain.public(whole), domain.public(part))
                rests = {
                    other_whole - other_part
                    for other_whole, other_part in product(range(70), repeat=2)
                    if other_part <= other_whole and (domain.public(other_whole), domain.public(other_part)) == told
                }
                assert len(rests) >= 4 or rests == {0}

    @given(st.lists(st.integers(1, 13), min_size=1, max_size=6))
    def test_an_answer_leaves_every_suppressed_cell_anything_from_one_to_four(self, counts: list[int]) -> None:
        total = domain.public_total(counts)
        told = [domain.public(count) for count in counts]
        if total is None or None not in told:
            return
        ranges = [range(1, 5) if cell is None else range(cell, cell + 5) for cell in told]
        place = told.index(None)
        possible = {cells[place] for cells in product(*ranges) if total <= sum(cells) <= total + 4}
        assert possible == {1, 2, 3, 4}

    def test_a_total_that_would_reveal_is_left_out(self) -> None:
        assert domain.public_total([4, 4, 4, 4, 4]) is None
        assert domain.public_total([4]) is None

    def test_a_total_that_reveals_nothing_is_told(self) -> None:
        assert domain.public_total([]) == 0
        assert domain.public_total([12, 13]) == 25
        assert domain.public_total([12, 2]) == 10
        assert domain.public_total([12, 3]) == 15

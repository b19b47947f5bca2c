"""The tree of units: what is above and below a unit, and who has a conflict of interest."""

from __future__ import annotations

import pytest

from contracts.units import UnitTree

TREE = UnitTree(
    {
        "mq": None,
        "dep": "mq",
        "dep.urb": "dep",
        "dep.urb.permits": "dep.urb",
        "dep.urb.control": "dep.urb",
        "mayor": "mq",
    }
)
CYCLE = UnitTree({"a": "b", "b": "a"})


class TestTree:
    def test_units_above_include_the_unit_and_all_up_to_the_root(self) -> None:
        assert TREE.above("dep.urb.permits") == {"dep.urb.permits", "dep.urb", "dep", "mq"}
        assert TREE.above("mq") == {"mq"}

    def test_units_below_include_the_unit_and_all_under_it(self) -> None:
        assert TREE.below("dep.urb") == {"dep.urb", "dep.urb.permits", "dep.urb.control"}
        assert TREE.below("mq") == set(TREE.codes())
        assert TREE.below("mayor") == {"mayor"}

    def test_each_unit_is_above_the_units_below_it(self) -> None:
        for unit in TREE.codes():
            assert all(unit in TREE.above(code) for code in TREE.below(unit))

    def test_an_unknown_unit_is_a_tree_of_its_own(self) -> None:
        assert TREE.above("new") == TREE.below("new") == {"new"}
        assert "new" not in TREE
        assert "dep" in TREE

    def test_a_cycle_terminates(self) -> None:
        assert CYCLE.above("a") == CYCLE.below("a") == {"a", "b"}

    def test_a_later_change_of_the_mapping_has_no_effect(self) -> None:
        parents: dict[str, str | None] = {"a": None, "b": "a"}
        tree = UnitTree(parents)
        parents["c"] = "b"
        assert "c" not in tree
        assert tree.below("a") == {"a", "b"}


class TestConflictOfInterest:
    @pytest.mark.parametrize("case_unit", ["dep.urb.permits", "dep.urb", "dep", "mq"])
    def test_staff_of_the_unit_complained_about_or_below_it_have_a_conflict(self, case_unit: str) -> None:
        assert TREE.has_conflict_of_interest("dep.urb.permits", case_unit)

    @pytest.mark.parametrize(
        ("staff_unit", "case_unit"),
        [("dep.urb", "dep.urb.permits"), ("dep.urb.control", "dep.urb.permits"), ("mayor", "dep"), ("mq", "mayor")],
    )
    def test_staff_of_parent_or_sibling_units_have_no_conflict(self, staff_unit: str, case_unit: str) -> None:
        assert not TREE.has_conflict_of_interest(staff_unit, case_unit)

    def test_without_a_unit_there_is_no_conflict(self) -> None:
        assert not TREE.has_conflict_of_interest(None, "dep")
        assert not TREE.has_conflict_of_interest("dep", None)
        assert TREE.in_conflict(None) == frozenset()

    def test_units_in_conflict_are_those_of_every_unit_the_person_belongs_to(self) -> None:
        assert TREE.in_conflict("dep.urb", None, "mayor") == {"dep.urb", "dep", "mq", "mayor"}

    def test_both_functions_agree(self) -> None:
        for staff_unit in (None, *TREE.codes(), "new"):
            for case_unit in (*TREE.codes(), "new"):
                hidden = case_unit in TREE.in_conflict(staff_unit)
                assert TREE.has_conflict_of_interest(staff_unit, case_unit) is hidden


def test_what_is_about_the_inspection_is_its_offices_and_all_above_them() -> None:
    tree = UnitTree({"city": None, "mayor": "city", "insp": "mayor", "law": "mayor", "dep": "city"})
    assert tree.about_inspection("insp", "mayor", "nowhere") == {"insp", "mayor", "city"}
    assert tree.inspection_branch("insp", "mayor") == {"insp", "mayor", "law"}
    assert UnitTree({}).about_inspection("insp") == frozenset()

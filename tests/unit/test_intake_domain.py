"""The rules of filing, and the keys of the vault, without anything around them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from backbone import keys
from contracts.intake import Catalogue, Unit
from services.intake.domain import Target, check_tree, target
from services.intake.seed import SAMPLE, read
from services.intake.settings import Settings

KEY, OTHER = "ab" * 32, "cd" * 32


def unit(code: str, parent: str | None, active: bool = True) -> Unit:
    return Unit(
        code=code, parent=parent, level="office", name_fa=f"اداره {code}", name_en=f"Office {code}", active=active
    )


TREE = [unit("city", None), unit("works", "city"), unit("roads", "works"), unit("closed", "works", active=False)]
CATALOGUE = Catalogue(version=1, units=TREE, grounds=[])


class TestTarget:
    def test_a_unit_has_the_names_of_its_day(self) -> None:
        assert target("roads", CATALOGUE) == Target("roads", "اداره roads", "Office roads")

    @pytest.mark.parametrize("asked", ["nowhere", "closed", "city"])
    def test_screening_sets_right_what_names_no_open_office(self, asked: str) -> None:
        assert target(asked, CATALOGUE) == Target(None)

    def test_before_there_is_a_catalogue_all_is_left_to_screening(self) -> None:
        assert target("roads", Catalogue(version=0, units=[], grounds=[])) == Target(None)


class TestTree:
    def test_a_tree_is_a_tree(self) -> None:
        assert check_tree(TREE) == []

    def test_the_sample_can_be_filed_in(self) -> None:
        sample = read(SAMPLE)
        assert check_tree(sample.units) == []
        assert all(ground.kinds for ground in sample.grounds)
        assert sample.holidays == sorted(set(sample.holidays))

    def test_a_parent_must_be_there(self) -> None:
        assert check_tree([*TREE, unit("lost", "gone")]) == ["lost: its parent gone is not there"]

    def test_a_code_stands_once(self) -> None:
        assert check_tree([*TREE, unit("roads", "city")]) == ["a code stands twice"]

    @pytest.mark.parametrize("units", [[], [*TREE[1:2], unit("city", "works")], [*TREE, unit("another", None)]])
    def test_there_is_one_root(self, units: list[Unit]) -> None:
        assert "there must be exactly one root" in check_tree(units)

    def test_nobody_is_their_own_ancestor(self) -> None:
        round_about = [unit("a", "c"), unit("b", "a"), unit("c", "b"), unit("d", "c")]
        problems = check_tree([*TREE, *round_about])
        assert sorted(problems) == [f"{code}: its ancestors form a circle" for code in "abcd"]


class TestMasterKeys:
    def settings(self, master_keys: str) -> Settings:
        given = {"AMQP_URL": "amqp://", "DATABASE_URL": "postgresql://", **keys.generate()}
        return Settings.model_validate({k.lower(): v for k, v in given.items()} | {"identity_master_keys": master_keys})

    def test_the_current_one_stands_first(self) -> None:
        read = self.settings(f"k2:{OTHER}, k1:{KEY}").identity_master_keys
        assert {name: key.get_secret_value() for name, key in read.items()} == {
            "k2": bytes.fromhex(OTHER),
            "k1": bytes.fromhex(KEY),
        }
        assert list(read) == ["k2", "k1"]

    @pytest.mark.parametrize("wrong", [KEY, f":{KEY}", "k1:", f"k1:{KEY[:-2]}", f"k1:{KEY},", f"k1:{'x' * 64}", ","])
    def test_what_is_no_key_with_its_name_is_refused(self, wrong: str) -> None:
        with pytest.raises(ValidationError, match="identity_master_keys"):
            self.settings(wrong)

    def test_a_new_key_under_the_old_ones_name_is_refused(self) -> None:
        """The old one would be forgotten, and with it every identity under it."""
        with pytest.raises(ValidationError, match="names k1 twice"):
            self.settings(f"k1:{OTHER},k1:{KEY}")

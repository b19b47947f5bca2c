"""The rules of filing, and the keys of the vault, without anything around them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from backbone.process import keys
from contracts.intake import (
    Catalogue,
    Condition,
    DeadlineRule,
    Ground,
    ListedCause,
    ListedReason,
    Option,
    PutUnit,
    Question,
    QuestionType,
    RetentionRule,
    SetCalendar,
    Unit,
)
from contracts.vocabulary import Kind
from services.intake.catalogue.rules import Difference, apply, differences, problems
from services.intake.catalogue.seed import SAMPLE, read
from services.intake.settings import Settings
from services.intake.submissions.rules import Target, target_of

KEY, OTHER = "ab" * 32, "cd" * 32


def unit(code: str, parent: str | None, active: bool = True) -> Unit:
    return Unit(
        code=code, parent=parent, level="office", name_fa=f"اداره {code}", name_en=f"Office {code}", active=active
    )


TREE = [unit("city", None), unit("works", "city"), unit("roads", "works"), unit("closed", "works", active=False)]
CATALOGUE = Catalogue(version=1, units=TREE, grounds=[])


class TestTarget:
    def test_a_unit_has_the_names_of_its_day(self) -> None:
        assert target_of("roads", CATALOGUE) == Target("roads", "اداره roads", "Office roads")

    @pytest.mark.parametrize("asked", ["nowhere", "closed", "city"])
    def test_screening_sets_right_what_names_no_open_office(self, asked: str) -> None:
        assert target_of(asked, CATALOGUE) == Target(None)

    def test_before_there_is_a_catalogue_all_is_left_to_screening(self) -> None:
        assert target_of("roads", Catalogue(version=0, units=[], grounds=[])) == Target(None)


def wrong(units: list[Unit] | None = None, **more: Any) -> dict[str, str]:
    """Which fields of this catalogue are wrong, and why."""
    catalogue = Catalogue(version=1, units=TREE if units is None else units, grounds=more.pop("grounds", []), **more)
    return {problem.field: problem.reason for problem in problems(catalogue)}


def asks(*questions: Question) -> list[Ground]:
    return [Ground(code="delay", kinds=[Kind.COMPLAINT], name_fa="اطاله", name_en="Delay", questions=list(questions))]


WHERE = Question(
    code="where",
    type=QuestionType.CHOICE,
    name_fa="کجا",
    name_en="Where",
    options=[Option(value=value, name_fa=value, name_en=value) for value in ("desk", "phone")],
)


def text(code: str, **more: Any) -> Question:
    return Question(code=code, type=QuestionType.TEXT, name_fa=code, name_en=code, **more)


class TestTree:
    def test_a_tree_is_a_tree(self) -> None:
        assert wrong() == {}

    def test_the_sample_can_be_filed_in(self) -> None:
        sample = read(SAMPLE)
        assert problems(sample) == []
        assert all(ground.kinds for ground in sample.grounds)
        assert sample.holidays == sorted(set(sample.holidays))

    def test_a_parent_must_be_there(self) -> None:
        assert wrong([*TREE, unit("lost", "gone")]) == {"units.lost.parent": "unknown_unit"}

    def test_a_code_stands_once(self) -> None:
        assert wrong([*TREE, unit("roads", "city")]) == {"units.roads": "twice"}

    def test_there_is_one_root(self) -> None:
        assert wrong([]) == {"units": "no_root"}
        assert wrong([*TREE, unit("another", None)]) == {"units.another.parent": "second_root"}

    def test_nobody_is_their_own_ancestor(self) -> None:
        round_about = [unit("a", "c"), unit("b", "a"), unit("c", "b"), unit("d", "c")]
        found = wrong([*TREE, *round_about])
        assert found == {f"units.{code}.parent": "circle" for code in "abc"}

    def test_a_unit_with_open_ones_below_it_cannot_be_closed(self) -> None:
        closing = apply(CATALOGUE, [PutUnit(unit=unit("works", "city", active=False))])
        assert [(one.field, one.reason) for one in problems(closing)] == [("units.works.active", "open_children")]

    @pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00b", "a\u202eb", "دو\nسطر"])
    def test_a_name_is_a_line_of_text(self, name: str) -> None:
        assert "units.city.name_fa" in wrong([unit("city", None).model_copy(update={"name_fa": name})])


class TestQuestions:
    def test_a_question_may_wait_for_an_earlier_answer(self) -> None:
        assert wrong(grounds=asks(WHERE, text("counter", when=Condition(question="where", values=["desk"])))) == {}

    @pytest.mark.parametrize(
        ("questions", "field", "reason"),
        [
            ([text("a"), text("a")], "a", "twice"),
            ([WHERE.model_copy(update={"options": []})], "where.options", "missing"),
            ([text("a", options=WHERE.options)], "a.options", "not_for_this_type"),
            ([WHERE.model_copy(update={"options": WHERE.options * 2})], "where.options", "twice"),
            (
                [text("a", when=Condition(question="where", values=["desk"])), WHERE],
                "a.when.question",
                "not_an_earlier_question",
            ),
            ([text("a", when=Condition(question="a", values=["x"]))], "a.when.question", "not_an_earlier_question"),
            ([text("b"), text("a", when=Condition(question="b", values=["x"]))], "a.when.question", "not_a_choice"),
            ([WHERE, text("a", when=Condition(question="where", values=[]))], "a.when.values", "missing"),
            ([WHERE, text("a", when=Condition(question="where", values=["web"]))], "a.when.values", "not_an_option"),
        ],
    )
    def test_what_could_not_be_asked_is_refused(self, questions: list[Question], field: str, reason: str) -> None:
        assert wrong(grounds=asks(*questions)) == {f"grounds.delay.questions.{field}": reason}


class TestRules:
    @pytest.mark.parametrize(("days", "good"), [(0, False), (1, True), (250, True), (251, False), (-1, False)])
    def test_a_deadline_is_between_1_and_250_working_days(self, days: int, good: bool) -> None:
        assert (wrong(deadlines=[DeadlineRule(days=days)]) == {}) is good
        assert (wrong(auto_close_days=days) == {}) is good

    def test_a_deadline_stands_once_and_for_a_ground_that_is_there(self) -> None:
        rules = [DeadlineRule(days=1), DeadlineRule(days=2), DeadlineRule(days=3, ground="gone")]
        assert wrong(deadlines=rules) == {"deadlines.1": "twice", "deadlines.2.ground": "unknown_ground"}

    def test_the_week_keeps_a_working_day(self) -> None:
        assert wrong(weekend=[0, 1, 2, 3, 4, 5]) == {}
        assert wrong(weekend=[]) == {}
        assert wrong(weekend=[0, 1, 2, 3, 4, 5, 6]) == {"weekend": "no_working_day"}
        assert wrong(weekend=[7]) == {"weekend": "not_a_weekday"}
        assert wrong(weekend=[4, 4]) == {"weekend": "twice"}

    def test_reasons_and_causes_are_the_offices_own_with_names_in_both_languages(self) -> None:
        reason = ListedReason(code="no_stamp", name_fa="بی‌مهر", name_en="Without a stamp")
        cause = ListedCause(code="weather", name_fa="هوا", name_en="")
        assert wrong(refusal_reasons=[reason], root_causes=[cause]) == {"root_causes.weather.name_en": "missing"}
        assert wrong(refusal_reasons=[reason, reason]) == {"refusal_reasons.no_stamp": "twice"}
        many = [reason.model_copy(update={"code": f"r{number}"}) for number in range(201)]
        assert wrong(refusal_reasons=many) == {"refusal_reasons": "too_long"}

    def test_retention_is_said_once_for_each_outcome(self) -> None:
        rule = RetentionRule(kind=Kind.COMPLAINT, identity_months=12, evidence_months=0)
        assert wrong(retention=[rule]) == {"retention.0.evidence_months": "greater_than_equal"}
        assert wrong(retention=[rule.model_copy(update={"evidence_months": 1})] * 2) == {"retention.1": "twice"}

    @pytest.mark.parametrize("name", ["See evil.xyz", "bit[.]ly", "by my.qazvin.ir"])
    def test_a_refusal_reason_goes_into_an_sms_and_holds_no_link(self, name: str) -> None:
        reason = ListedReason(code="no_stamp", name_fa="بی‌مهر", name_en=name)
        assert wrong(refusal_reasons=[reason]) == {"refusal_reasons.no_stamp.name_en": "link_in_sms"}
        turned = ListedReason(code="no_stamp", name_fa="بی\u2066مهر", name_en="Without a stamp")
        assert wrong(refusal_reasons=[turned]) == {"refusal_reasons.no_stamp.name_fa": "forbidden_characters"}
        elsewhere = ListedReason(code="no_stamp", name_fa="بی‌مهر", name_en="No stamp", address_en="my.qazvin.ir")
        assert wrong(refusal_reasons=[elsewhere]) == {}  # the address is told in the answer, not by SMS


class TestChanges:
    def test_a_change_is_told_as_before_and_after(self) -> None:
        renamed = unit("roads", "city").model_copy(update={"name_en": "Streets"})
        new = unit("parks", "city")
        after = apply(CATALOGUE, [PutUnit(unit=renamed), PutUnit(unit=new), SetCalendar(weekend=[4])])
        assert differences(CATALOGUE, after) == [
            Difference("units", "roads", TREE[2].model_dump(mode="json"), renamed.model_dump(mode="json")),
            Difference("units", "parks", None, new.model_dump(mode="json")),
            Difference("weekend", None, [3, 4], [4]),
        ]

    def test_what_says_the_same_is_no_change(self) -> None:
        assert differences(CATALOGUE, apply(CATALOGUE, [PutUnit(unit=TREE[1]), SetCalendar(holidays=[])])) == []

    def test_a_unit_keeps_its_place_in_the_list(self) -> None:
        after = apply(CATALOGUE, [PutUnit(unit=TREE[1].model_copy(update={"name_en": "W"}))])
        assert [one.code for one in after.units] == [one.code for one in TREE]


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

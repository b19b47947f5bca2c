"""The rules of filing, and the keys of the vault, without anything around them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from backbone.process import keys
from contracts.base import now
from contracts.gateway import FileSubmission
from contracts.intake import (
    Catalogue,
    Condition,
    DeadlineRule,
    Ground,
    ListedCause,
    ListedReason,
    Option,
    OutsideBody,
    PutUnit,
    Question,
    QuestionType,
    RetentionRule,
    SetCalendar,
    Unit,
)
from contracts.vocabulary import Channel, Kind, Language
from services.intake.catalogue.rules import Difference, apply, differences, problems
from services.intake.catalogue.seed import SAMPLE, read
from services.intake.settings import Settings
from services.intake.submissions.rules import Target, target_of, with_code_of_another

KEY, OTHER = "ab" * 32, "cd" * 32


def unit(code: str, parent: str | None, active: bool = True) -> Unit:
    return Unit(
        code=code, parent=parent, level="office", name_fa=f"اداره {code}", name_en=f"Office {code}", active=active
    )


TREE = [unit("city", None), unit("works", "city"), unit("roads", "works"), unit("closed", "works", active=False)]
CATALOGUE = Catalogue(version=1, units=TREE, grounds=[])


class TestTarget:
    def test_a_unit_has_its_names_at_filing(self) -> None:
        assert target_of("roads", CATALOGUE) == Target("roads", "اداره roads", "Office roads")

    @pytest.mark.parametrize("unit_code", ["nowhere", "closed", "city"])
    def test_a_unit_that_is_not_open_is_left_to_screening(self, unit_code: str) -> None:
        assert target_of(unit_code, CATALOGUE) == Target(None)

    def test_without_a_catalogue_every_unit_is_left_to_screening(self) -> None:
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
    def test_a_valid_tree_has_no_problems(self) -> None:
        assert wrong() == {}

    def test_the_sample_catalogue_accepts_submissions(self) -> None:
        sample = read(SAMPLE)
        assert problems(sample) == []
        assert all(ground.kinds for ground in sample.grounds)
        assert sample.holidays == sorted(set(sample.holidays))

    def test_a_parent_must_exist(self) -> None:
        assert wrong([*TREE, unit("lost", "gone")]) == {"units.lost.parent": "unknown_unit"}

    def test_a_code_is_unique(self) -> None:
        assert wrong([*TREE, unit("roads", "city")]) == {"units.roads": "twice"}

    def test_there_is_one_root(self) -> None:
        assert wrong([]) == {"units": "no_root"}
        assert wrong([*TREE, unit("another", None)]) == {"units.another.parent": "second_root"}

    def test_nobody_is_their_own_ancestor(self) -> None:
        round_about = [unit("a", "c"), unit("b", "a"), unit("c", "b"), unit("d", "c")]
        problems_by_field = wrong([*TREE, *round_about])
        assert problems_by_field == {f"units.{code}.parent": "circle" for code in "abc"}

    def test_a_unit_with_open_ones_below_it_cannot_be_closed(self) -> None:
        closing = apply(CATALOGUE, [PutUnit(unit=unit("works", "city", active=False))])
        assert [(problem.field, problem.reason) for problem in problems(closing)] == [
            ("units.works.active", "open_children")
        ]

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
    def test_an_impossible_question_is_refused(self, questions: list[Question], field: str, reason: str) -> None:
        assert wrong(grounds=asks(*questions)) == {f"grounds.delay.questions.{field}": reason}


class TestRules:
    @pytest.mark.parametrize(("days", "good"), [(0, False), (1, True), (250, True), (251, False), (-1, False)])
    def test_a_deadline_is_between_1_and_250_working_days(self, days: int, good: bool) -> None:
        assert (wrong(deadlines=[DeadlineRule(days=days)]) == {}) is good
        assert (wrong(auto_close_days=days) == {}) is good

    @pytest.mark.parametrize(("transfers", "good"), [(-1, False), (0, True), (20, True), (21, False)])
    def test_a_case_may_change_its_unit_0_to_20_times_without_the_head(self, transfers: int, good: bool) -> None:
        assert (wrong(transfers_without_head=transfers) == {}) is good

    def test_a_deadline_is_unique_and_its_ground_exists(self) -> None:
        rules = [DeadlineRule(days=1), DeadlineRule(days=2), DeadlineRule(days=3, ground="gone")]
        assert wrong(deadlines=rules) == {"deadlines.1": "twice", "deadlines.2.ground": "unknown_ground"}

    def test_the_week_has_at_least_one_working_day(self) -> None:
        assert wrong(weekend=[0, 1, 2, 3, 4, 5]) == {}
        assert wrong(weekend=[]) == {}
        assert wrong(weekend=[0, 1, 2, 3, 4, 5, 6]) == {"weekend": "no_working_day"}
        assert wrong(weekend=[7]) == {"weekend": "not_a_weekday"}
        assert wrong(weekend=[4, 4]) == {"weekend": "twice"}

    def test_reasons_and_causes_have_names_in_both_languages(self) -> None:
        reason = ListedReason(code="no_stamp", name_fa="بی‌مهر", name_en="Without a stamp")
        cause = ListedCause(code="weather", name_fa="هوا", name_en="")
        assert wrong(refusal_reasons=[reason], root_causes=[cause]) == {"root_causes.weather.name_en": "missing"}
        assert wrong(refusal_reasons=[reason, reason]) == {"refusal_reasons.no_stamp": "twice"}
        many = [reason.model_copy(update={"code": f"r{number}"}) for number in range(201)]
        assert wrong(refusal_reasons=many) == {"refusal_reasons": "too_long"}

    def test_retention_is_given_once_for_each_outcome(self) -> None:
        rule = RetentionRule(kind=Kind.COMPLAINT, identity_months=12, evidence_months=0)
        assert wrong(retention=[rule]) == {"retention.0.evidence_months": "greater_than_equal"}
        assert wrong(retention=[rule.model_copy(update={"evidence_months": 1})] * 2) == {"retention.1": "twice"}

    @pytest.mark.parametrize("name", ["See evil.xyz", "bit[.]ly", "by my.qazvin.ir"])
    def test_a_refusal_reason_is_used_in_sms_and_contains_no_link(self, name: str) -> None:
        reason = ListedReason(code="no_stamp", name_fa="بی‌مهر", name_en=name)
        assert wrong(refusal_reasons=[reason]) == {"refusal_reasons.no_stamp.name_en": "link_in_sms"}
        turned = ListedReason(code="no_stamp", name_fa="بی\u2066مهر", name_en="Without a stamp")
        assert wrong(refusal_reasons=[turned]) == {"refusal_reasons.no_stamp.name_fa": "forbidden_characters"}
        elsewhere = ListedReason(code="no_stamp", name_fa="بی‌مهر", name_en="No stamp", address_en="my.qazvin.ir")
        assert wrong(refusal_reasons=[elsewhere]) == {}  # the address is told in the answer, not by SMS


class TestChanges:
    def test_a_change_is_recorded_as_before_and_after(self) -> None:
        renamed = unit("roads", "city").model_copy(update={"name_en": "Streets"})
        new = unit("parks", "city")
        after = apply(CATALOGUE, [PutUnit(unit=renamed), PutUnit(unit=new), SetCalendar(weekend=[4])])
        assert differences(CATALOGUE, after) == [
            Difference("units", "roads", TREE[2].model_dump(mode="json"), renamed.model_dump(mode="json")),
            Difference("units", "parks", None, new.model_dump(mode="json")),
            Difference("weekend", None, [3, 4], [4]),
        ]

    def test_an_equal_value_is_not_a_change(self) -> None:
        assert differences(CATALOGUE, apply(CATALOGUE, [PutUnit(unit=TREE[1]), SetCalendar(holidays=[])])) == []

    def test_a_unit_keeps_its_place_in_the_list(self) -> None:
        after = apply(CATALOGUE, [PutUnit(unit=TREE[1].model_copy(update={"name_en": "W"}))])
        assert [unit.code for unit in after.units] == [unit.code for unit in TREE]


class TestMasterKeys:
    def settings(self, master_keys: str) -> Settings:
        given = {"AMQP_URL": "amqp://", "DATABASE_URL": "postgresql://", **keys.generate()}
        return Settings.model_validate({k.lower(): v for k, v in given.items()} | {"identity_master_keys": master_keys})

    def test_the_current_key_is_first(self) -> None:
        read = self.settings(f"k2:{OTHER}, k1:{KEY}").identity_master_keys
        assert {name: key.get_secret_value() for name, key in read.items()} == {
            "k2": bytes.fromhex(OTHER),
            "k1": bytes.fromhex(KEY),
        }
        assert list(read) == ["k2", "k1"]

    @pytest.mark.parametrize("wrong", [KEY, f":{KEY}", "k1:", f"k1:{KEY[:-2]}", f"k1:{KEY},", f"k1:{'x' * 64}", ","])
    def test_a_malformed_named_key_is_refused(self, wrong: str) -> None:
        with pytest.raises(ValidationError, match="identity_master_keys"):
            self.settings(wrong)

    def test_a_new_key_with_the_name_of_the_old_one_is_refused(self) -> None:
        """The old one would be forgotten, and with it every identity under it."""
        with pytest.raises(ValidationError, match="names k1 twice"):
            self.settings(f"k1:{OTHER},k1:{KEY}")


class TestCodesOfOthers:
    @staticmethod
    def filed(code_hash: str, *others: str) -> FileSubmission:
        return FileSubmission(
            submission_id=uuid4(),
            code_hash=code_hash * 64,
            other_code_hashes=[other * 64 for other in others],
            kind=Kind.INFORMATION,
            unit="roads",
            ground="delay",
            text="متن",
            channel=Channel.WEB,
            language=Language.FA,
            filed_at=now(),
            content_hash="0" * 64,
        )

    def test_a_code_that_nobody_has_is_kept(self) -> None:
        assert with_code_of_another([self.filed("a"), self.filed("b", "c")], {"d" * 64: uuid4()}) == set()

    def test_of_two_with_one_code_the_first_keeps_it(self) -> None:
        first, later = self.filed("a"), self.filed("a")
        assert with_code_of_another([first, later], {}) == {later.submission_id}

    def test_a_stored_code_is_kept_by_whom_it_was_stored_for(self) -> None:
        first, later = self.filed("a"), self.filed("a")
        owners = {"a" * 64: uuid4()}
        assert with_code_of_another([first, later], owners) == {first.submission_id, later.submission_id}

    def test_a_code_under_a_former_key_is_kept_stored_or_not(self) -> None:
        under_former_key, later = self.filed("a"), self.filed("b", "a")
        for order in ([under_former_key, later], [later, under_former_key]):
            assert with_code_of_another(order, {}) == {later.submission_id}
        assert with_code_of_another([later], {"a" * 64: uuid4()}) == {later.submission_id}


AGE_KEY = "age103hxfpfsdnsgsenjntpdafc4dqpry7ls37pcuc65mq7ra39jfgfsqjzukx"


@pytest.mark.parametrize(
    "key",
    [
        *(
            AGE_KEY[:-1],
            AGE_KEY + "q",
            AGE_KEY.upper(),
            "age2" + AGE_KEY[4:],
            AGE_KEY.replace("xf", "fx"),
            " " + AGE_KEY,
        ),
        *("AGE-SECRET-KEY-1" + AGE_KEY[4:], "ssh-ed25519 AAAA", AGE_KEY[:-1] + "p", "۱" + AGE_KEY[1:]),
    ],
)
def test_a_key_of_an_outside_body_is_one_of_age(key: str) -> None:
    body = OutsideBody(code="court", name_fa="دادگاه", name_en="Court", age_key=key)
    assert wrong(outside_bodies=[body]) == {"outside_bodies.court.age_key": "not_an_age_key"}
    for good in ("", AGE_KEY):
        assert wrong(outside_bodies=[body.model_copy(update={"age_key": good})]) == {}
    assert wrong(outside_bodies=[body.model_copy(update={"age_key": "", "name_fa": " "})]) == {
        "outside_bodies.court.name_fa": "missing"
    }

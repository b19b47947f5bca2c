"""Commands as steps of a bulk or a macro: judged by their own bodies, completed as the command itself is, told by their own
fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.errors import InvalidField, MacroStepRefused, of_code
from contracts.intake import ListedReason
from contracts.macros import Step
from contracts.tracking import Refuse
from contracts.vocabulary import Language
from gateway.api.steps import EXAMPLES, StepBody, step_of
from gateway.edge.problems import invalid, own_path, problem_details
from gateway.submissions.catalogue_cache import CatalogueCache
from tests.support.gateway import CATALOGUE
from texts.errors import error_text

BODY: TypeAdapter[Any] = TypeAdapter(StepBody)


@pytest.fixture
def catalogue(tmp_path: Path) -> CatalogueCache:
    cache = CatalogueCache(tmp_path)
    cache.put(CATALOGUE)
    return cache


@pytest.mark.parametrize("contract", get_args(get_args(Step)[0]), ids=lambda contract: contract.__name__)
def test_each_has_a_body_whose_example_makes_it(contract: Any, catalogue: CatalogueCache) -> None:
    example = EXAMPLES[contract.__name__]
    step = step_of(BODY.validate_python(example), catalogue, "step")
    assert type(step) is contract
    again = step_of(BODY.validate_python(step.model_dump(mode="json")), catalogue, "step")
    assert again == step  # what is answered can be sent back


def test_a_refusal_has_the_address_that_is_listed_with_its_reason(catalogue: CatalogueCache) -> None:
    listed = ListedReason(
        code="outside_remit", name_fa="بیرون از صلاحیت", name_en="Outside the remit", address_fa="میدان آزادی"
    )
    catalogue.refusal_reasons = {listed.code: listed}
    body = BODY.validate_python({"type": "refuse", "reason": listed.code, "explanation": "با ما نیست."})
    step = step_of(body, catalogue, "step")
    assert isinstance(step, Refuse)
    assert step.address == "میدان آزادی"


def test_what_is_not_offered_is_told_by_the_steps_own_field(catalogue: CatalogueCache) -> None:
    catalogue.root_causes = {"process": object()}  # type: ignore[dict-item]  # only its codes are looked at
    body = BODY.validate_python({"type": "decide", "outcome": "upheld", "reasons": "شد.", "root_causes": ["nobody"]})
    with pytest.raises(InvalidField) as raised:
        step_of(body, catalogue, "steps.2")
    assert raised.value.params["fields"] == [{"field": "steps.2.root_causes", "reason": "unknown_code"}]


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("step.add_note.text", "step.text"),
        ("steps.3.remind_in_days.working_days", "steps.3.working_days"),
        ("steps.0.text", "steps.0.text"),
        ("step", "step"),
        ("steps", "steps"),
        ("steps.1.decide.recommendations.0.text", "steps.1.recommendations.0.text"),
    ],
)
def test_no_path_has_the_type_that_pydantic_puts_into_it(path: str, own: str) -> None:
    assert own_path(path) == own


def test_a_command_that_is_for_one_case_alone_is_no_step() -> None:
    with pytest.raises(ValidationError) as raised:
        BODY.validate_python({"type": "approve"})
    [field] = invalid(raised.value).params["fields"]
    assert field["reason"] == "union_tag_invalid"


@pytest.mark.parametrize(("language", "words"), [(Language.FA, "گام ۲"), (Language.EN, "Step 2")])
def test_a_refused_step_of_a_macro_says_which_and_why(language: Language, words: str) -> None:
    inner = {"stage": "closed", "command": "assign"}
    error = MacroStepRefused(step=2, command="assign", refusal="wrong_stage", refusal_params=inner)
    text = error_text(error, language)
    assert words in text
    assert error_text(of_code("wrong_stage", inner), language) in text
    assert problem_details(error, language)["params"]["refusal"] == "wrong_stage"


def test_an_error_that_nobody_knows_is_still_one() -> None:
    assert of_code("no_such_code", {}).code == "internal"

"""The document as generators of clients read it: what always comes is said so, and nothing is an object of whatever fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.gateway import Gateway

JSON = dict[str, Any]
SOMETIMES = {
    "Problem": {"errors", "params"},
    "ProblemParams": {
        *("retry_after", "challenge", "current", "changes", "case", "limit", "stage", "state", "command", "offset"),
    },
    "CaseDeadline": {"paused_why"},
    "CaseQuestion": {"unit_name"},
    "CaseLine": {
        *("days_left", "expected_on", "group_members", "handler", "handler_name", "last_activity", "outcome"),
        *("question_to", "unit", "unit_name_fa", "warn_on"),
    },
    "Decide": {"articles"},
    "FollowedRecommendation": {"commands"},
    "FollowedRecommendationView": {"commands"},
    "Propose": {"articles"},
    "Question": {"when"},
    "ShownCommand": {"bounds", "choices", "code", "four_eyes", "next_stage", "why"},
    "StaffCase": {"ground_name", "unit_name"},
    "Command": {
        *("at_least_one", "code", "four_eyes", "method", "needs", "next_stage", "path", "why"),
    },
    "CommandField": {
        *("choices", "choices_from", "earliest", "fields", "latest", "many", "max_items", "max_length", "maximum"),
        *("min_items", "min_length", "minimum", "required_when"),
    },
}
"""Fields of answers that are left out where there is nothing to say."""
OF_OTHERS = "/v1/webhooks/"
"""What SMS providers push has the form that they give it."""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> JSON:
    openapi: JSON = Gateway(tmp_path_factory.mktemp("gateway")).app.openapi()
    return openapi


def operations(document: JSON) -> Iterator[tuple[str, JSON]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def names(value: Any, schemas: JSON, found: set[str]) -> set[str]:
    """Of the schemas that this refers to, and what these refer to."""
    if isinstance(value, list):
        for item in value:
            names(item, schemas, found)
    elif isinstance(value, dict):
        name = str(value.get("$ref", "")).rpartition("/")[2]
        if name and name not in found:
            found.add(name)
            names(schemas[name], schemas, found)
        for item in value.values():
            names(item, schemas, found)
    return found


def not_always_there(schema: JSON) -> set[str]:
    """But for texts for people, which come with what they are texts of."""
    missing = set(schema.get("properties", ())) - set(schema.get("required", ()))
    return {name for name in missing if not name.endswith("_text")}


def test_a_text_comes_always_where_what_it_is_a_text_of_always_comes(document: JSON) -> None:
    schemas = document["components"]["schemas"]
    assert {"stage_text", "filed_text", "kind_text"} <= set(schemas["StaffCase"]["required"])
    assert schemas["StaffCase"]["properties"]["filed_text"]["type"] == "string"
    assert "expected_text" not in schemas["StaffCase"]["required"]


def test_a_field_of_an_answer_always_comes_unless_it_is_listed(document: JSON) -> None:
    schemas = document["components"]["schemas"]
    answers = names([operation["responses"] for _, operation in operations(document)], schemas, set())
    optional = {name: missing for name in sorted(answers) if (missing := not_always_there(schemas[name]))}
    assert optional == SOMETIMES


def test_what_may_be_left_out_of_a_body_is_not_required_and_has_no_default_of_a_generator(document: JSON) -> None:
    schemas = document["components"]["schemas"]
    bodies = names([operation.get("requestBody") for _, operation in operations(document)], schemas, set())
    assert "SubmissionBody" in bodies
    assert [
        (name, field)
        for name in sorted(bodies)
        for field, schema in schemas[name].get("properties", {}).items()
        if "default" in schema
    ] == []
    assert schemas["SubmissionBody"]["properties"]["channel"]["description"].endswith('Left out: "web".')


def test_no_object_and_no_value_is_of_whatever_kind(document: JSON) -> None:
    bare: list[str] = []

    def look(schema: Any, place: str) -> None:
        if isinstance(schema, list):
            for item in schema:
                look(item, place)
            return
        if not isinstance(schema, dict):
            return
        kinds = {"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"}
        if "properties" in schema or "additionalProperties" in schema or not kinds & set(schema):
            inner = {**schema.get("properties", {}), **schema.get("patternProperties", {})}
            others = schema.get("additionalProperties")
            if schema.get("type") != "object" or not (inner or others is False or isinstance(others, dict)):
                bare.append(place)
        elif schema.get("type") == "object" and "patternProperties" not in schema:
            bare.append(place)
        for name, field in (schema.get("properties") or {}).items():
            look(field, f"{place}.{name}")
        for word in ("items", "anyOf", "oneOf", "allOf", "prefixItems"):
            look(schema.get(word), f"{place}.{word}")
        if isinstance(schema.get("additionalProperties"), dict):
            look(schema["additionalProperties"], f"{place}.*")

    for name, schema in document["components"]["schemas"].items():
        look(schema, name)
    for path, operation in operations(document):
        if path.startswith(OF_OTHERS):
            continue
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in contents:
            for media in content.get("content", {}).values():
                look(media.get("schema"), path)
        for parameter in operation.get("parameters", ()):
            look(parameter["schema"], f"{path} {parameter['name']}")
    assert bare == []

"""Examples of answers, completed with what always comes: an area's examples say what is worth saying, and no more."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from backbone.persian.date_text import day_text, moment_text
from contracts.vocabulary import Language
from texts.vocabulary import CHANNEL_NAMES, KIND_NAMES, OUTCOME_NAMES, STAGE_NAMES

_WORDS = {
    word.value: str(names[Language.FA])
    for table in (KIND_NAMES, STAGE_NAMES, OUTCOME_NAMES, CHANNEL_NAMES)
    for word, names in table.items()
}


def complete_examples(schemas: Mapping[str, Any]) -> None:
    """Gives each example of a schema the required fields that it leaves out: their defaults, and the texts for people."""
    for name, schema in schemas.items():
        if "examples" in schema:
            schema["examples"] = [completed(example, schemas[name], schemas) for example in schema["examples"]]


def completed(example: Any, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """One example of this schema. `schemas`: those that it refers to, by name."""
    schema = _resolved(schema, example, schemas)
    if isinstance(example, list):
        return [completed(item, schema.get("items", {}), schemas) for item in example]
    if not isinstance(example, dict):
        return example
    fields = schema.get("properties", {})
    whole = {name: completed(value, fields.get(name, {}), schemas) for name, value in example.items()}
    for name in schema.get("required", ()):
        if name not in whole and "default" in fields.get(name, {}):
            whole[name] = copy.deepcopy(fields[name]["default"])
        elif name not in whole and {"type": "null"} in fields.get(name, {}).get("anyOf", ()):
            whole[name] = None
    for name in schema.get("required", ()):
        if name not in whole and name.endswith("_text"):
            base = name.removesuffix("_text")
            source = next((one for one in (f"{base}_at", f"{base}_on", f"{base}_kind", base) if one in whole), None)
            if source is not None:
                whole[name] = _text(whole[source], fields[source].get("format"))
    return whole


def _text(value: Any, form: str | None) -> str:
    if form == "date-time":
        return moment_text(datetime.fromisoformat(value), Language.FA)
    if form == "date":
        return day_text(date.fromisoformat(value), Language.FA)
    return _WORDS.get(value, str(value))


def _resolved(schema: Mapping[str, Any], example: Any, schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that describes this value: behind references, and of several the one whose fields it has."""
    if "$ref" in schema:
        return _resolved(schemas[schema["$ref"].rpartition("/")[2]], example, schemas)
    if "allOf" in schema and "properties" not in schema:
        return _resolved(schema["allOf"][0], example, schemas)
    choices = [_resolved(one, example, schemas) for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
    if not choices:
        return schema
    if isinstance(example, dict):
        return next((one for one in choices if example.keys() <= one.get("properties", {}).keys()), choices[0])
    wanted = "array" if isinstance(example, list) else None
    return next((one for one in choices if one.get("type") == wanted), choices[0])

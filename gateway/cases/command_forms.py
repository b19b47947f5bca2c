"""How the commands that a case shows are given over HTTP: tracking says which of them its reader may give, and these forms how.

Labels, fields and their limits follow from the bodies that the API takes. What a field chooses from is told by `_SOURCES`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic_core import from_json, to_json

from contracts import tracking
from contracts.base import LEFT_OUT, Answer
from contracts.tracking import ShownCommand
from contracts.vocabulary import OUTCOMES_WITH_CAUSE, Channel, Kind, Language, Outcome
from gateway.cases.field_kinds import FieldKind, kind_of, limits_of
from gateway.submissions.catalogue_cache import CatalogueCache
from texts.loading import area
from texts.vocabulary import CHANNEL_NAMES, KIND_NAMES, OUTCOME_NAMES, STAGE_NAMES

_TEXTS = area("commands")
_BEFORE_COMMANDS = b',"commands":['
_NAMES: dict[type[StrEnum], Mapping[Any, Mapping[Language, str]]] = {
    Kind: KIND_NAMES,
    Outcome: OUTCOME_NAMES,
    Channel: CHANNEL_NAMES,
}


class Choice(Answer):
    """One value of a field, and what it is called in the reader's language."""

    value: str | bool
    label: str


class ChoicesFrom(Answer):
    """Where a field's values come from: each line of `items` in the answer to GET `path` has one in `value`."""

    path: str
    items: str
    value: str


class RequiredWhen(Answer):
    """The field is needed when another one has one of these values."""

    field: str
    values: list[str | bool]


class CommandField(Answer):
    """A field that a command needs or takes; `place`: in the body, or in the path between braces. `many`: a list of such values.
    Limits are of each text, or of each value; `…_items` of a list. `earliest`, `latest`: of a day or a moment."""

    name: str
    label: str
    kind: FieldKind
    place: Literal["body", "path"] = "body"
    required: bool
    many: bool = Field(default=False, exclude_if=lambda many: not many)
    required_when: RequiredWhen | None = LEFT_OUT
    min_length: int | None = LEFT_OUT
    max_length: int | None = LEFT_OUT
    min_items: int | None = LEFT_OUT
    max_items: int | None = LEFT_OUT
    minimum: int | None = LEFT_OUT
    maximum: int | None = LEFT_OUT
    earliest: str | None = LEFT_OUT
    latest: str | None = LEFT_OUT
    choices: list[Choice] | None = LEFT_OUT
    choices_from: ChoicesFrom | None = LEFT_OUT
    fields: list[CommandField] | None = LEFT_OUT


class Command(Answer):
    """A command that the reader of this answer could ever give. Where it is not `possible` now: `why` (`not_yet`: it may become
    so; `not_yours`: it is another's, or not for such a case; `too_late`: its time is over), `code`, what exactly is in the way,
    and `why_text`, a sentence. Where it is: how it is given, what it needs, and the `next_stage`. `four_eyes`: what comes of it
    is a proposal that another has to approve. `at_least_one`: none of its fields is required, but one has to be given."""

    type: str
    label: str
    possible: bool
    why: Literal["not_yet", "not_yours", "too_late"] | None = LEFT_OUT
    code: str | None = LEFT_OUT
    why_text: str | None = LEFT_OUT
    method: Literal["POST"] | None = LEFT_OUT
    path: str | None = LEFT_OUT
    needs: list[CommandField] | None = LEFT_OUT
    at_least_one: bool | None = LEFT_OUT
    next_stage: str | None = LEFT_OUT
    next_stage_text: str | None = LEFT_OUT
    four_eyes: bool | None = LEFT_OUT


class StaffCase(tracking.StaffCase):
    __doc__ = tracking.StaffCase.__doc__

    commands: list[Command] = []  # type: ignore[assignment]  # the same, complete


@dataclass(frozen=True)
class CommandForm:
    """A command, by its type, as it is given: `path` with its parameters in braces, `body` None for none."""

    command: str
    path: str
    body: type[BaseModel] | None = None
    path_fields: Sequence[str] = ()


def _from(path: str, value: str, items: str = "items") -> dict[str, str]:
    return {"path": path, "items": items, "value": value}


_INSPECTORS = _from("/v1/colleagues?role=inspector&case_id={case_id}", "id")
_SOURCES: dict[str, tuple[FieldKind, dict[str, str]]] = {
    "unit": ("unit", _from("/v1/catalogue", "code", "units")),
    "ground": ("ground", _from("/v1/catalogue", "code", "grounds")),
    "articles": ("article", _from("/v1/articles", "code")),
    "inspector": ("staff", _INSPECTORS),
    "colleague": ("staff", _INSPECTORS),
    "mentions": ("staff", _from("/v1/colleagues?case_id={case_id}", "id")),
    "into": ("case", _from("/v1/cases", "case_id")),
    "to": ("case", _from("/v1/cases", "case_id")),
    "media": ("attachment", _from("/v1/cases/{case_id}", "media_id", "attachments")),
    "redacts": ("attachment", _from("/v1/cases/{case_id}", "media_id", "attachments")),
    "slots": ("slot", _from("/v1/visit-slots", "slot_id")),
}
"""What a field of staff names, and where that is listed."""
_CAUSE_NEEDED = {"field": "outcome", "values": sorted(OUTCOMES_WITH_CAUSE)}
_REQUIRED_WHEN: dict[tuple[str, str], dict[str, Any]] = {
    ("decide", "root_causes"): _CAUSE_NEEDED,
    ("propose", "root_causes"): _CAUSE_NEEDED,
    ("settle_recommendation", "reason"): {"field": "accepted", "values": [False]},
    ("report_recommendation", "reason"): {"field": "done", "values": [False]},
}
_ONLY_TRUE = frozenset({("settle_early", "consented")})
_AT_LEAST_ONE = frozenset({"correct", "correct_filed"})


class CommandForms:
    """The forms of all commands, by who gives them; filled when the application is made. `catalogue`: of what the administrator
    lists."""

    def __init__(self, catalogue: CatalogueCache | None = None) -> None:
        self._catalogue = catalogue
        self._forms: dict[str, CommandForm] = {}
        self._fields: dict[tuple[str, Language], list[dict[str, Any]]] = {}
        if catalogue is not None:
            catalogue.add_listener(self._fields.clear)

    def add(self, audience: str, forms: Iterable[CommandForm]) -> None:
        """`audience`: staff, bearer (of a tracking code), citizen or liaison."""
        self._forms |= {f"{audience}:{form.command}": form for form in forms}

    def complete(self, answer: bytes, case_id: UUID, language: Language) -> bytes:
        """A case as tracking answers it to staff, with its commands made complete: they are the last of its fields."""
        place = answer.rfind(_BEFORE_COMMANDS)
        if place < 0:
            return answer
        shown = from_json(answer[place + len(_BEFORE_COMMANDS) - 1 : -1])
        commands = [self._command("staff", one, language, {"case_id": str(case_id)}) for one in shown]
        return answer[: place + len(_BEFORE_COMMANDS) - 1] + to_json(commands) + b"}"

    def completed(self, case: Mapping[str, Any], case_id: UUID, language: Language) -> dict[str, Any]:
        """The same of a case that stands in an error."""
        commands = [
            self._command("staff", one, language, {"case_id": str(case_id)}) for one in case.get("commands", ())
        ]
        return {**case, "commands": commands}

    def of_citizen(
        self, shown: Iterable[ShownCommand], language: Language, case_id: UUID | None = None
    ) -> list[dict[str, Any]]:
        """The commands of a case for who filed it: signed in, where `case_id` is given, else by the tracking code."""
        audience, ids = ("bearer", {}) if case_id is None else ("citizen", {"case_id": str(case_id)})
        return [self._command(audience, one.model_dump(mode="json"), language, ids) for one in shown]

    def of_liaison(self, shown: ShownCommand, language: Language, **ids: UUID) -> Command:
        """A command on what a unit was asked or recommended."""
        values = {name: str(value) for name, value in ids.items()}
        return Command.model_validate(self._command("liaison", shown.model_dump(mode="json"), language, values))

    def _command(
        self, audience: str, shown: Mapping[str, Any], language: Language, ids: Mapping[str, str]
    ) -> dict[str, Any]:
        name = shown["type"]
        command = {"type": name, "label": _TEXTS.text(language, f"command.{name}"), "possible": shown["possible"]}
        if not shown["possible"]:
            key = f"code.{shown['code']}"
            text = _TEXTS.text(language, key if key in _TEXTS else f"why.{shown['why']}")
            return command | {"why": shown["why"], "code": shown["code"], "why_text": text}
        form = self._forms[f"{audience}:{name}"]
        path = form.path
        for parameter, value in ids.items():
            path = path.replace(f"{{{parameter}}}", value)
        needs = [_in_case(field, shown, ids) for field in self._static(audience, form, language)]
        command |= {"method": "POST", "path": path, "needs": needs, "four_eyes": shown.get("four_eyes", False)}
        stage = shown.get("next_stage")
        if stage:
            command |= {"next_stage": stage, "next_stage_text": STAGE_NAMES[stage][language]}
        return command | ({"at_least_one": True} if name in _AT_LEAST_ONE else {})

    def _static(self, audience: str, form: CommandForm, language: Language) -> list[dict[str, Any]]:
        key = (f"{audience}:{form.command}", language)
        found = self._fields.get(key)
        if found is None:
            in_path = [
                {"name": name, "label": _label(name, language), "kind": "id", "place": "path", "required": True}
                for name in form.path_fields
            ]
            in_body: list[dict[str, Any]] = (
                self._of_body(audience, form, form.body, language) if form.body is not None else []
            )
            found = self._fields[key] = [*in_path, *in_body]
        return found

    def _of_body(
        self, audience: str, form: CommandForm, body: type[BaseModel], language: Language
    ) -> list[dict[str, Any]]:
        schema = body.model_json_schema()
        fields = []
        for name, info in body.model_fields.items():
            inner, many = _inner(info.annotation)
            limits = limits_of(schema["properties"][name], many)
            one: dict[str, Any] = {"name": name, "label": _label(name, language), "kind": kind_of(inner)}
            one |= {"place": "body", "required": info.is_required(), **({"many": True} if many else {}), **limits}
            if (form.command, name) in _REQUIRED_WHEN:
                one["required_when"] = _REQUIRED_WHEN[form.command, name]
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                one["fields"] = self._of_body(audience, form, inner, language)
            self._add_choices(one, audience, form, inner, language)
            fields.append(one)
        return fields

    def _add_choices(
        self, one: dict[str, Any], audience: str, form: CommandForm, inner: Any, language: Language
    ) -> None:
        name = one["name"]
        listed = self._listed(form.command, name)
        if isinstance(inner, type) and issubclass(inner, StrEnum):
            one["choices"] = [{"value": word.value, "label": _NAMES[inner][word][language]} for word in inner]
        elif listed is not None:
            names = "name_fa" if language is Language.FA else "name_en"
            one["kind"] = "choice"
            one["choices"] = [{"value": row.code, "label": getattr(row, names)} for row in listed if row.active]
        elif (form.command, name) in _ONLY_TRUE:
            one["choices"] = [{"value": True, "label": one["label"]}]
        elif name == "uploads":
            one["kind"] = "upload"
            one["choices_from"] = _from("/v1/uploads", "upload_id")
        elif name == "slot_id":
            one["kind"] = "slot"
            path = "/v1/tracking/visit-slots" if audience == "bearer" else "/v1/me/cases/{case_id}/visit-slots"
            one["choices_from"] = _from(path, "slot_id")
        elif audience == "staff" and name in _SOURCES:
            one["kind"], one["choices_from"] = _SOURCES[name]

    def _listed(self, command: str, name: str) -> list[Any] | None:
        """What the administrator offers for this field; None where it is of no such list."""
        if self._catalogue is None:
            return None
        if (command, name) == ("refuse", "reason"):
            return list(self._catalogue.refusal_reasons.values())
        return list(self._catalogue.root_causes.values()) if name == "root_causes" else None


def _label(name: str, language: Language) -> str:
    return _TEXTS.text(language, f"field.{name}")


def _inner(annotation: Any) -> tuple[Any, bool]:
    """The type of a field's values, and whether it is a list of them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _inner(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return _inner(next(one for one in get_args(annotation) if one is not type(None)))
    if origin is list:
        return _inner(get_args(annotation)[0])[0], True
    return annotation, False


def _in_case(one: dict[str, Any], shown: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """A field as it is in this case: with the parts that it may name, its days, the case's id in its path."""
    name, changes = one["name"], dict[str, Any]()
    choices, bounds = shown.get("choices") or {}, shown.get("bounds") or {}
    if name in choices:
        changes["choices"] = [{"value": value, "label": label} for value, label in choices[name].items()]
    if name in bounds:
        changes |= bounds[name]
    source = one.get("choices_from")
    if source is not None and "{case_id}" in source["path"]:
        changes["choices_from"] = {**source, "path": source["path"].replace("{case_id}", ids["case_id"])}
    inner = {path.partition(".")[2]: given for path, given in bounds.items() if path.startswith(f"{name}.")}
    if inner and one.get("fields"):
        changes["fields"] = [{**part, **inner.get(part["name"], {})} for part in one["fields"]]
    return {**one, **changes} if changes else one

"""What a person reads of a view: names of its words, and days and moments as they write them, in their language.

A model has a field `x_text` for its field `x_at`, `x_on` or `x`; which text it is follows from the type of that field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from functools import cache, lru_cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from backbone.persian.date_text import day_text, moment_text
from contracts.visits import VisitState
from contracts.vocabulary import Channel, Kind, Language, Outcome, Stage
from texts.loading import area
from texts.vocabulary import CHANNEL_NAMES, KIND_NAMES, OUTCOME_NAMES, STAGE_NAMES, VISIT_STATE_NAMES

View = TypeVar("View", bound=BaseModel)
TextOf = Callable[[Any, Language], str]
_TEXTS = area("staff_case")
_WORDS: dict[type[StrEnum], Any] = {
    Kind: KIND_NAMES,
    Stage: STAGE_NAMES,
    Outcome: OUTCOME_NAMES,
    Channel: CHANNEL_NAMES,
    VisitState: VISIT_STATE_NAMES,
}
_KEYS: dict[str, Callable[[str], str]] = {
    "entry": lambda value: f"entry.{value}",
    "actor_kind": lambda value: f"actor.{value}",
    "state": lambda value: f"recommendation.{value}",
}
"""Fields of plain text whose values are names of a group of texts: the key of a value's text."""


def with_texts(view: View, language: Language) -> View:
    """The view, which its maker alone has as yet, with all its texts."""
    texts, nested = _plan(type(view))
    values = view.__dict__
    for target, source, text_of in texts:
        value = values[source]
        if value is not None:
            values[target] = text_of(value, language)
    for name in nested:
        value = values[name]
        if isinstance(value, list):
            for one in value:
                with_texts(one, language)
        elif value is not None:
            with_texts(value, language)
    return view


@cache
def _plan(model: type[BaseModel]) -> tuple[list[tuple[str, str, TextOf]], list[str]]:
    """(field, the field that it is a text of, what makes it), and the fields that hold models."""
    fields, texts, nested = model.model_fields, [], []
    for name, info in fields.items():
        if name.endswith("_text"):
            base = name.removesuffix("_text")
            source = next((one for one in (f"{base}_at", f"{base}_on", f"{base}_kind", base) if one in fields), None)
            text_of = None if source is None else _text_of(source, _inner(fields[source].annotation))
            if source is not None and text_of is not None:
                texts.append((name, source, text_of))
        elif _has_texts(_inner(info.annotation)):
            nested.append(name)
    return texts, nested


def _has_texts(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel) and any(_plan(kind))


def _inner(annotation: Any) -> Any:
    """The type of a value, or of those in a list."""
    origin = get_origin(annotation)
    if origin is list or hasattr(annotation, "__metadata__"):
        return _inner(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return _inner(next(one for one in get_args(annotation) if one is not type(None)))
    return annotation


def _text_of(name: str, kind: Any) -> TextOf | None:
    """None for a text that the view's maker writes."""
    if name in _KEYS and not (isinstance(kind, type) and issubclass(kind, StrEnum)):
        return lambda value, language: _word(name, value, language)
    if kind is AwareDatetime or kind is datetime:
        return lambda value, language: _moment(value.replace(second=0, microsecond=0), language)
    if kind is date:
        return _day
    names = _WORDS.get(kind)
    return None if names is None else lambda value, language: str(names[value][language])


_moment = lru_cache(8_192)(moment_text)
_day = lru_cache(4_096)(day_text)
"""The same few days stand in all cases; to write one costs more than to read the field."""


@lru_cache(1_024)
def _word(field: str, value: str, language: Language) -> str:
    """The name of a value; the value itself where there is none, as of an entry of a newer release."""
    key = _KEYS[field](value)
    return _TEXTS.text(language, key) if key in _TEXTS else value

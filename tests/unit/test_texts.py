"""The texts that people read: one format, both languages with the same placeholders, each used and each used one there."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import get_args

import pytest
from pydantic_core import core_schema

from contracts.visits import VisitState
from contracts.vocabulary import Channel, Kind, Language, Outcome, RefusalReason, Role, RootCause, Stage
from texts.loading import FOLDER, BadTexts, area, read
from texts.vocabulary import names

ROOT = FOLDER.parent
AREAS = sorted(file.stem for file in FOLDER.glob("*.toml"))
USERS = {
    "calendar": ["gateway/calendars"],
    "cases": ["services/tracking/citizens", "services/tracking/case"],
    "commands": ["gateway/cases"],
    "formats": ["services/notify/wording", "gateway/papers"],
    "evidence": ["contracts/media.py", "services/media", "gateway/evidence"],
    "exports": ["services/tracking/exports", "contracts/vocabulary.py"],
    "macros": ["services/tracking/macros"],
    "messages": ["services/notify", "contracts/vocabulary.py"],
    "staff_case": ["services/tracking"],
    "push": ["services/notify/push"],
    "office": ["gateway/office"],
    "status": ["gateway/cases"],
    "tables": ["backbone/tables"],
    "fields": ["contracts", "backbone", "services", "gateway", "texts/fields.py"],
    "errors": ["contracts/errors.py", "gateway", "services/notify/providers", "texts/errors.py"],
    "pages": ["gateway/pages"],
    "papers": ["gateway/papers"],
    "referrals": ["gateway/referrals"],
}
"""The folders and files whose code names the keys of an area."""
WORDS: dict[str, dict[str, type[StrEnum]]] = {
    "vocabulary": {
        "kind": Kind,
        "stage": Stage,
        "outcome": Outcome,
        "refusal_reason": RefusalReason,
        "root_cause": RootCause,
        "role": Role,
        "visit_state": VisitState,
        "channel": Channel,
    },
}
"""Areas whose texts are the names of enumerations, by group."""


def code_of(users: list[str]) -> str:
    files = [file for user in users for file in sorted((ROOT / user).rglob("*"))] + [ROOT / user for user in users]
    return "\n".join(file.read_text("utf-8") for file in files if file.suffix in (".py", ".html") and file.is_file())


def keys_in(code: str) -> tuple[set[str], list[re.Pattern[str]]]:
    """Keys written out, and patterns of those put together: f"entry_{entry}" and, in a template, "rate_" ~ score."""
    whole = set(re.findall(r"""["']([a-z][a-z0-9_.]*)["']""", code))
    parts = re.findall(r"""f"([a-z0-9_.]*(?:\{[^{}"]+\}[a-z0-9_.]*)+)\"""", code)
    parts = [part for part in parts if len(re.sub(r"\{.*?\}", "", part)) > 2]
    patterns = [re.compile(re.sub(r"\\\{.*?\\\}", "[a-z0-9_]+", re.escape(part))) for part in parts]
    concatenated = re.findall(r"""["']([a-z0-9_]*_)["'] ~ [a-z.]+(?: ~ ["'](_[a-z0-9_]*)["'])?""", code)
    return whole, patterns + [re.compile(f"{first}[a-z0-9_]+{last}") for first, last in concatenated]


def test_each_file_is_an_area_with_declared_users() -> None:
    assert {*USERS, *WORDS} == set(AREAS)


@pytest.mark.parametrize("name", AREAS)
def test_each_text_is_in_both_languages_with_the_same_placeholders(name: str) -> None:
    for key, text in area(name).items():
        assert text.fa.strip(), key
        assert text.en.strip(), key


@pytest.mark.parametrize("name", WORDS)
def test_each_name_belongs_to_a_value(name: str) -> None:
    assert set(area(name)) == {f"{group}.{word}" for group, words in WORDS[name].items() for word in words}


def test_a_value_without_a_name_is_an_error() -> None:
    with pytest.raises(BadTexts, match="kind\\.fa, en"):
        names(Language, "kind")


@pytest.mark.parametrize("name", USERS)
def test_each_text_is_used(name: str) -> None:
    whole, patterns = keys_in(code_of(USERS[name]))
    whole |= set(get_args(core_schema.ErrorType)) if name == "fields" else set()  # pydantic's own reasons
    unused = {
        key
        for key in area(name)
        if not {key, key.rpartition(".")[2].removesuffix("_undated")} & whole
        and not any(each.fullmatch(key) for each in patterns)
    }
    assert unused == set()


@pytest.mark.parametrize("name", ["pages", "papers"])
def test_each_used_key_exists(name: str) -> None:
    code = code_of(USERS[name])
    used = set(re.findall(r"""(?<![\w.])t\(["']([a-z0-9_]+)["']""", code))
    used |= set(re.findall(r"""(?:context|self)\.text\("([a-z0-9_]+)\"""", code))
    used |= set(re.findall(r"""add_error\([^,()]+, "([a-z0-9_]+)\"""", code))
    used |= set(re.findall(r"""(?<![\w.])(?:say|words|text\(language,) ?\(?"([a-z0-9_]+)\"""", code))
    assert len(used) > 10
    assert {key for key in used if not key.endswith("_")} - set(area(name)) == set()


@pytest.mark.parametrize(
    ("toml", "mistake"),
    [
        ('[next]\nfa = "ادامه"', "next needs fa and en"),
        ('[next]\nfa = "ادامه"\nen = "Continue"\nde = "Weiter"', "next needs fa and en"),
        ('[next]\nfa = "ادامه"\nen = 1', "next needs fa and en"),
        ('[next]\nfa = "{count} تا"\nen = "{number}"', "next has other placeholders"),
        ('[next]\nfa = "{count}"\nen = "{count"', "next: "),
        ('[next]\nfa = "{count:5}"\nen = "{count:5}"', "next: {count} is not a name"),
        ('[stage.closed]\nfa = "بسته"', "stage.closed needs fa and en"),
        ('next = "Continue"', "next is neither a text nor a group"),
        ("[next", "file.toml: "),
    ],
)
def test_a_malformed_file_is_not_loaded(toml: str, mistake: str) -> None:
    with pytest.raises(BadTexts, match=re.escape(mistake)):
        read(toml, "file.toml")


def test_all_mistakes_of_a_file_are_named_at_once() -> None:
    with pytest.raises(BadTexts, match=r"first.*second"):
        read('[first]\nfa = "یک"\n[second]\nen = "two"', "file.toml")


def test_a_key_or_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError):
        area("pages").text("fa", "no_such_key")
    with pytest.raises(KeyError):
        area("pages").text("fa", "too_long")


def test_every_file_of_texts_is_in_the_folder_of_texts() -> None:
    elsewhere = [file for part in ("gateway", "services") for file in Path(ROOT / part).rglob("*texts*.toml")]
    assert elsewhere == []

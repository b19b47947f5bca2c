"""The office that this installation serves: its name, how it is reached, its emblem. It comes from a file, so that another
city is an installation: OFFICE_FILE, else deploy/office.toml."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator

from texts.loading import LANGUAGES

SAMPLE = Path(__file__).resolve().parents[1] / "deploy" / "office.toml"
LARGEST_EMBLEM = 200_000  # bytes
_KEYS = ("name", "sms_name", "hours", "address", "phone", "sms_number", "emblem", "elsewhere")


@dataclass(frozen=True)
class Office:
    """`name`, `sms_name`, `hours`, `address`: by language. `sms_name`: how messages name it, where every letter counts; the name
    unless the file has a shorter one. `elsewhere`: a sentence, where citizens turn to with complaints about the inspection itself
    while no substitute is named; empty: the shipped one. `emblem`: an SVG. What is not known is empty."""

    name: Mapping[str, str]
    sms_name: Mapping[str, str]
    hours: Mapping[str, str]
    address: Mapping[str, str]
    phone: str = ""
    sms_number: str = ""
    emblem: str = ""
    elsewhere: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(LANGUAGES, ""))


@cache
def office() -> Office:
    """The office of this process. ValueError when its file cannot be read."""
    return read(Path(os.environ.get("OFFICE_FILE") or SAMPLE))


def read(file: Path) -> Office:
    """The office in a file. ValueError with what is wrong."""
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise ValueError("is no TOML file that can be read") from None
    if unknown := set(values) - set(_KEYS):
        raise ValueError(f"has {', '.join(sorted(unknown))}; known are {', '.join(_KEYS)}")
    if not values.get("name"):
        raise ValueError("has no name")
    emblem = values.get("emblem", "")
    name = _in_both_languages("name", values["name"])
    return Office(
        name=name,
        sms_name=_in_both_languages("sms_name", values["sms_name"]) if values.get("sms_name") else name,
        hours=_in_both_languages("hours", values.get("hours", {})),
        address=_in_both_languages("address", values.get("address", {})),
        phone=_line("phone", values.get("phone", "")),
        sms_number=_line("sms_number", values.get("sms_number", "")),
        elsewhere=_in_both_languages("elsewhere", values.get("elsewhere", {})),
        emblem=emblem_in(file.parent / _line("emblem", emblem)) if emblem else "",
    )


def emblem_in(file: Path) -> str:
    """The SVG in a file. ValueError when it is none, or too large to be put on every paper."""
    try:
        drawing = file.read_bytes()
        text = drawing.decode()
    except (OSError, UnicodeDecodeError):
        raise ValueError("has an emblem that is no SVG file that can be read") from None
    if len(drawing) > LARGEST_EMBLEM or "<svg" not in text:
        raise ValueError(f"has an emblem that is no SVG of at most {LARGEST_EMBLEM} bytes")
    return text


def _in_both_languages(key: str, value: Any) -> Mapping[str, str]:
    if value == {}:
        return dict.fromkeys(LANGUAGES, "")
    if not isinstance(value, dict) or set(value) != set(LANGUAGES):
        raise ValueError(f"needs {key} in fa and en")
    return {language: _line(key, value[language]) for language in LANGUAGES}


def _line(key: str, value: Any) -> str:
    if not isinstance(value, str) or "\n" in value:
        raise ValueError(f"needs one line for {key}")
    return value.strip()


def _readable(file: Path) -> Path:
    read(file)
    return file


OfficeFile = Annotated[Path, AfterValidator(_readable)]
"""A setting that names such a file: read at the start, so that a wrong one is noticed then."""

"""The rows of `bad_input_table.py`: one right request to a command, and what one change makes of it.

`$name` stands for what the office of the walk has (`bad_input_office.py`). What every command has in common (no token, no
version, an old one, an unknown field, …) is not written here: `test_bad_input.py` takes it from the document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.e2e.people import JSON

NOBODY = "00000000-0000-4000-8000-000000000000"
"""An id that nothing has."""


@dataclass(frozen=True)
class Wrong:
    """One change and what comes of it. `by`: another than who may; `of`: other ids in the path; `body`: fields instead."""

    status: int
    code: str
    by: str = ""
    of: JSON = field(default_factory=dict)
    body: JSON = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """A request that would be right where the case is. `by`: an account, `citizen`, `code of <case>` or nobody;
    `version`: the thing whose version If-Match carries."""

    by: str
    wrong: tuple[Wrong, ...]
    of: JSON = field(default_factory=dict)
    body: JSON | None = None
    version: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def stage(name: str) -> Wrong:
    return Wrong(409, "wrong_stage", of={"case_id": f"$case.{name}"})


def not_for(*roles: str) -> tuple[Wrong, ...]:
    return tuple(Wrong(403, "not_allowed", by=role) for role in roles)


def field_wrong(**body: Any) -> Wrong:
    return Wrong(422, "invalid_field", body=body)


def on_case(name: str, by: str, body: JSON | None, *wrong: Wrong, **more: Any) -> Command:
    """A command of staff on the case of this name."""
    of = {"case_id": f"$case.{name}", **more.pop("of", {})}
    liaison = Wrong(403, "not_allowed", by="liaison")
    citizen = Wrong(403, "not_allowed", by="citizen")
    conflict = Wrong(404, "unknown_case", by="screener.permits")
    return Command(by, (liaison, citizen, conflict, *wrong), of, body, version=f"$case.{name}", **more)


def by_code(name: str, body: JSON | None, *wrong: Wrong) -> Command:
    """A command of who holds the code of the case of this name."""
    return Command(f"code of {name}", wrong, body=body)


def own(name: str, body: JSON | None, *wrong: Wrong) -> Command:
    """The same of the citizen who filed it, signed in."""
    of = {"case_id": f"$case.{name}"}
    theirs = Wrong(404, "unknown_case", by="stranger")
    return Command("citizen", (theirs, *not_for("inspector"), *wrong), of, body)


def configured(body: JSON | None, *wrong: Wrong, **of: str) -> Command:
    """A change of the administrator's."""
    return Command(
        "administrator", (*not_for("head", "screener", "citizen"), *wrong), of, body, version="$configuration"
    )


TEXT: JSON = {"text": "چه روزی مراجعه کردید؟"}
DECISION: JSON = {"outcome": "upheld", "reasons": "بی‌اقدام مانده است.", "root_causes": ["process"]}
REFUSAL: JSON = {"reason": "outside_remit", "explanation": "در صلاحیت شهرداری نیست."}
REPORT: JSON = {
    "kind": "information",
    "unit": "dep.civ.roads",
    "ground": "waste",
    "text": "آسفالت نو دوباره کنده شد.",
    "consent": True,
}
SLOT: JSON = {
    "room_id": "$room",
    "inspector": "$inspector",
    "starts_at": "2098-12-01T09:00:00+03:30",
    "ends_at": "2098-12-01T10:00:00+03:30",
}
WEEK: JSON = {
    "room_id": "$room",
    "inspector": "$inspector",
    "first_day": "2098-11-01",
    "opens": "08:00",
    "closes": "10:00",
    "minutes": 30,
}
UNIT: JSON = {"parent": "dep.urb", "level": "office", "name_fa": "اداره آزمون", "name_en": "Office of the test"}
NAMES: JSON = {"name_fa": "نام", "name_en": "Name"}
MEMBER: JSON = {"display_name": "آزمون", "roles": ["operator"], "unit": "mayor.insp", "active": True}
WORDS: JSON = {"text_fa": "{kind} شما تمام شد.\n{code}", "text_en": "Your {kind} is over.\n{code}"}
OWN_PAGE = {"X-Peygir-CSRF": "1", "Sec-Fetch-Site": "same-origin"}
"""What a script of our own page sends."""
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}

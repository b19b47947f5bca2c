"""What stands in the details of a timeline's entries, for the document of the API: all of it is optional, by entry."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Names = dict[str, dict[str, str]]
"""Of codes: name_fa and name_en."""
Changed = dict[str, str | bool | None]
"""The case's fields that a correction changed."""


class EntryDetails(BaseModel):
    """By entry: `text` is what was written; `inspector`, `colleague`, `by`, `proposed_by`, `on_behalf_of` and `mentions` are ids
    of staff, whose names `names` has; `number` is another case's; days are ISO 8601. A later version may have more."""

    model_config = ConfigDict(extra="allow", title="EntryDetails")

    text: str
    reason: str | None
    reason_fa: str
    reason_en: str
    reasons: str
    address: str | None
    outcome: str | None
    final: bool
    early: bool
    root_causes: list[str]
    root_cause_names: Names
    causes: Names
    articles: list[dict[str, str]]
    recommendations: list[dict[str, str]]
    recommendation_id: str
    objection_until: str | None
    inspector: str
    colleague: str
    by: str
    proposed_by: str
    on_behalf_of: str
    mentions: list[str]
    because: str
    before: str | Changed
    after: str | Changed
    transfers: int
    unit: str | None
    unit_asked: str | None
    question_id: str
    consultation_id: str
    uploads: list[str]
    message_id: str
    media_id: str
    was_read: bool
    former_text: str
    former_place: dict[str, str | float | None] | None
    redacts: str
    media: Annotated[int | list[str], Field(description="which; of an entry `erased`: how many")]
    number: str | None
    into: str
    case_id: str
    group_members: int
    consent: dict[str, str | list[str] | None]
    content_hash: str
    visit_id: str
    slot_id: str
    starts_at: str
    place_fa: str
    place_en: str
    item_id: str
    done: bool
    on: str
    at: str
    due_on: str | None
    days: int
    calendar: int
    close_on: str
    until: str
    referral_id: str
    body: str
    body_fa: str
    body_en: str
    answered_on: str
    files: int
    identity: bool
    sha256: str
    score: int
    informed_clearly: bool
    treated_well: bool
    on_time: bool
    asked_improper: bool
    reply: str
    step: str
    level: str
    to_unit: str
    agreed_at: str
    agreed_by: str
    consented: bool
    what: str
    rule: dict[str, str | int | None]
    ended_at: str
    lines: dict[str, list[str]]


def _schema() -> dict[str, object]:
    """Nothing of it always comes."""
    schema = EntryDetails.model_json_schema()
    del schema["required"]
    return schema


Details = Annotated[dict[str, object], WithJsonSchema(_schema())]
"""Values as they were recorded: nothing is checked or changed when they are read, since a timeline is never rewritten."""

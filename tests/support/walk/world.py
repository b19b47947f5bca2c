"""A world for the walk: units five levels deep, staff of every role in many of them, citizens, and cases of every kind and
stage, lived through the use cases themselves. Made of a seed; every case has words of its own (oracle.py)."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from contracts.intake import Catalogue
from contracts.vocabulary import Kind
from tests.support.walk.oracle import Oracle, Person

GROUNDS = {"delay": Kind.COMPLAINT, "conduct": Kind.COMPLAINT, "service": Kind.CRITICISM, "waste": Kind.INFORMATION}
GROUND_TEXTS = {
    "delay": "پروانه ساختمان من چند ماه است که صادر نشده و هیچ کس پاسخ نمی‌دهد",
    "conduct": "رفتار کارمند باجه هنگام پرداخت عوارض بسیار نامناسب و توهین آمیز بود",
    "service": "روشنایی کوچه و جمع آوری زباله در محله ما خوب انجام نمی‌شود",
    "waste": "از خودروی اداری و سوخت آن برای کارهای شخصی استفاده می‌شود",
}
OUTSIDE_BODY, AGE_KEY = "inspection_organisation", "age103hxfpfsdnsgsenjntpdafc4dqpry7ls37pcuc65mq7ra39jfgfsqjzukx"
"""A body to which cases are referred, as the API's example names it, and a key whose other half nobody has."""
SIMILAR_TEXT = "چاه عمیق بدون مجوز کنار باغ قدیمی حفر شده و دیوار باغ ترک برداشته"
"""A story told only of one unit by several cases, each already read: what it suggests must not reach who avoids that unit."""

STORIES = (
    *("registered", "screening", "unknown_unit", "refused", "closed_refused", "withdrawn", "investigating"),
    *("awaiting_citizen", "awaiting_unit", "unit_answered", "proposed", "decided", "recommended", "reported"),
    *("review", "final", "visit_asked", "visit_booked", "visit_held", "merged", "linked", "handed_over", "rated"),
)
"""How far cases come; one of each in every round."""


def units() -> dict[str, str | None]:
    """A tree of five levels under the municipality, two branches, and the office's own unit."""
    tree: dict[str, str | None] = {"mq": None, "insp": "mq"}
    for branch in ("a", "b"):
        path = "mq"
        for level in ("dep", "dist", "org", "off", "desk"):
            code = f"{level}.{branch}"
            tree[code], path = path, code
        tree[f"off2.{branch}"] = f"org.{branch}"
    return tree


def feed_secret(staff_id: str) -> str:
    """The hash of the secret by which a member of staff reads their calendar."""
    return hashlib.sha256(staff_id.encode()).hexdigest()


@dataclass
class World:
    """All that was made. `urls`: the databases; `files`: exports by owner; `slots`: of the visits' calendar."""

    oracle: Oracle
    people: list[Person]
    urls: dict[str, str]
    keys: dict[str, str]
    seed: int
    searches: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    pins: dict[str, UUID] = field(default_factory=dict)
    """The search that each has pinned."""
    exports: dict[UUID, str] = field(default_factory=dict)
    bulks: dict[UUID, str] = field(default_factory=dict)
    bulk_cases: dict[UUID, list[UUID]] = field(default_factory=dict)
    macros: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    recommendations: dict[UUID, tuple[UUID, str | None]] = field(default_factory=dict)
    probes: list[UUID] = field(default_factory=list)
    watched: set[UUID] = field(default_factory=set)
    """Cases of which only few people must not know: they are looked at however thin a walk is."""
    catalogue: Catalogue | None = None
    account_versions: dict[str, int] = field(default_factory=dict)
    """Of each member of staff's account the version that accounts told last."""
    published_units: dict[str, str | None] = field(default_factory=dict)
    """The unit that accounts told last."""

    def save(self, file: Path) -> None:
        file.write_bytes(pickle.dumps(self))

    @staticmethod
    def load(file: Path) -> World:
        world: World = pickle.loads(file.read_bytes())  # noqa: S301  # our own file, of this run
        return world

    def rows(self, service: str, query: str) -> list[dict[str, Any]]:
        """What a database holds, past all services."""
        url = self.urls[service].replace("+psycopg", "")
        with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(query).fetchall()

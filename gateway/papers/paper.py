"""A paper before it is drawn: words in their order, as plain values that travel to the worker as JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Section:
    """A heading (may be empty), pairs of label and value, and paragraphs."""

    heading: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    paragraphs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Paper:
    """`language` fa or en: its direction and page numbers. `facts`: what stands in the head, beside the office's name."""

    language: str
    office: str
    title: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    closing: tuple[str, ...] = ()

    def content(self) -> str:
        """All that is printed but the seal, as JSON with sorted names, no spaces and UTF-8: it lies in the PDF as an
        attachment, and its SHA-256 is in the seal."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def content_hash(self) -> str:
        """In hex."""
        return hashlib.sha256(self.content().encode()).hexdigest()


@dataclass(frozen=True)
class Stamp:
    """What stands beside the QR code. `address`: what it holds; `notes`: how to check it; `of_pages`: page {page} of {pages};
    `made_at`: ISO 8601, for the file's own date. `emblem`: SVG; empty for the product's own."""

    address: str
    notes: tuple[str, ...]
    of_pages: str
    made_at: str
    emblem: str = ""


def to_json(paper: Paper, stamp: Stamp) -> bytes:
    """What the worker is asked."""
    return json.dumps({"paper": asdict(paper), "stamp": asdict(stamp)}, ensure_ascii=False).encode()


def from_json(asked: bytes) -> tuple[Paper, Stamp]:
    told = json.loads(asked)
    paper, stamp = told["paper"], told["stamp"]
    sections = tuple(
        Section(one["heading"], _pairs(one["facts"]), tuple(one["paragraphs"])) for one in paper.pop("sections")
    )
    facts, closing = _pairs(paper.pop("facts")), tuple(paper.pop("closing"))
    return Paper(**paper, facts=facts, sections=sections, closing=closing), Stamp(
        **{**stamp, "notes": tuple(stamp["notes"])}
    )


def _pairs(given: list[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((label, value) for label, value in given)

"""A paper before it is rendered: its texts in their order, as plain values that are sent to the worker as JSON."""

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
    """`language`: fa or en, for direction and page numbers. `facts`: in the head, beside the office's name."""

    language: str
    office: str
    title: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    closing: tuple[str, ...] = ()

    def content(self) -> str:
        """All that is printed except the signature, as JSON with sorted names, no spaces and UTF-8: it is attached to the PDF,
        and its SHA-256 is part of what is signed."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def content_hash(self) -> str:
        """In hex."""
        return hashlib.sha256(self.content().encode()).hexdigest()


@dataclass(frozen=True)
class VerificationBlock:
    """The QR code and the text beside it. `address`: what the code contains; `notes`: how to verify the paper; `of_pages`: page
    {page} of {pages}; `made_at`: ISO 8601, for the file's own date. `emblem`: SVG; empty for the product's own."""

    address: str
    notes: tuple[str, ...]
    of_pages: str
    made_at: str
    emblem: str = ""


def to_json(paper: Paper, verification: VerificationBlock) -> bytes:
    """The worker's input."""
    return json.dumps({"paper": asdict(paper), "verification": asdict(verification)}, ensure_ascii=False).encode()


def from_json(content: bytes) -> tuple[Paper, VerificationBlock]:
    """The reverse of `to_json`."""
    values = json.loads(content)
    paper, verification = values["paper"], values["verification"]
    sections = tuple(
        Section(section["heading"], _pairs(section["facts"]), tuple(section["paragraphs"]))
        for section in paper.pop("sections")
    )
    facts, closing = _pairs(paper.pop("facts")), tuple(paper.pop("closing"))
    return Paper(**paper, facts=facts, sections=sections, closing=closing), VerificationBlock(
        **{**verification, "notes": tuple(verification["notes"])}
    )


def _pairs(values: list[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((label, value) for label, value in values)

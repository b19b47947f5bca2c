"""What counts as evidence, and what the examination of a file may conclude.

The worker process imports this module: it must not import pydantic, which would take memory and time of each file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class MediaKind(StrEnum):
    IMAGE = "image"
    DOCUMENT = "document"
    AUDIO = "audio"
    VIDEO = "video"


class Reason(StrEnum):
    """Why a file was rejected; stable, since texts for people depend on it."""

    TYPE_NOT_PERMITTED = "type_not_permitted"  # the bytes are none of the permitted types, whatever the name says
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    DAMAGED = "damaged"  # cut off, or not readable as what it begins like
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_LONG = "too_long"  # seconds of sound or film, pages of a document
    ENCRYPTED = "encrypted"  # a document that opens only with a password: nobody could check or read it
    TOO_COMPLEX = "too_complex"  # its examination ran out of its share of time, memory or disk
    INFECTED = "infected"


class Note(StrEnum):
    """What those who see accepted evidence should know about it; the values of contracts.media.MediaNote."""

    FIRST_FRAME_ONLY = "first_frame_only"  # of an animated picture or one of several pages
    SCALED_DOWN = "scaled_down"  # more pixels were sent than are kept
    CUT_OFF = "cut_off"  # the file ends early: what is missing is grey
    NO_PLAYABLE_COPY = "no_playable_copy"  # too much work to convert: only some programs play it


class Variant(StrEnum):
    """The files made from one upload. What a citizen sent is itself never handed out."""

    EVIDENCE = "evidence"  # whole, without hidden data: re-encoded image, rewritten document, remuxed sound or film
    PREVIEW = "preview"  # JPEG, at most 1280 px
    THUMBNAIL = "thumbnail"  # JPEG, at most 320 px
    PLAYABLE = "playable"  # what every browser plays: MP4 (H.264, AAC) or M4A (AAC)
    PEAKS = "peaks"  # of sound: how loud it is from beginning to end, JSON


class Rejected(Exception):
    """The file cannot be accepted, and trying again would not change that."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class ToolFailed(Exception):
    """Something of ours that the examination needs is missing or broken; it says nothing about the file."""


@dataclass(frozen=True)
class Limits:
    """What a file may cost. Lengths in bytes, times in seconds.

    `memory` is address space of each process that reads the file (Python, ffmpeg), not what is resident.
    `max_pixels` may be sent; of a picture `kept_pixels` are kept. `reading_seconds`: until a file is judged; only
    the conversion of a recording that was found good may take longer, all in all `wall_seconds`.
    """

    max_bytes: int = 200 * 1024 * 1024
    max_pixels: int = 200_000_000
    kept_pixels: int = 50_000_000
    max_seconds: float = 2 * 3600.0
    max_pages: int = 2000
    cpu_seconds: int = 300
    reading_seconds: float = 45.0
    wall_seconds: float = 600.0
    memory: int = 2 * 1024 * 1024 * 1024
    preview_px: int = 1280
    thumbnail_px: int = 320


@dataclass(frozen=True)
class DerivedFile:
    """One file in the worker's output folder, named `name` there. `pixels`: width and height, of what has them."""

    variant: Variant
    name: str
    content_type: str
    size: int
    sha256: str
    pixels: tuple[int, int] | None = None

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> DerivedFile:
        """What `asdict` wrote, read from JSON, which has no tuples. Raises as `Verdict.from_json`."""
        pixels = tuple(value["pixels"]) if value["pixels"] else None
        return cls(**{**value, "variant": Variant(value["variant"]), "pixels": pixels})


@dataclass(frozen=True)
class Verdict:
    """What the examination concluded. `size` and `sha256` are those of the bytes as they were sent; the latter is empty when the
    examination was cut short."""

    accepted: bool
    size: int
    sha256: str
    content_type: str | None = None
    kind: MediaKind | None = None
    reason: Reason | None = None
    detail: str = ""
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    pages: int | None = None
    removed: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    files: list[DerivedFile] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Verdict:
        """Raises KeyError, TypeError or ValueError for what `to_json` did not write."""
        fields = dict(value)
        fields["files"] = [DerivedFile.from_json(file) for file in value["files"]]
        fields["kind"] = MediaKind(value["kind"]) if value["kind"] else None
        fields["notes"] = [Note(note) for note in value["notes"]]
        fields["reason"] = Reason(value["reason"]) if value["reason"] else None
        return cls(**fields)

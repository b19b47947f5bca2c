"""Size and SHA-256 of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from services.media.processing.rules import DerivedFile, Variant


def sha256_of(path: Path) -> str:
    """Hex digest, read in blocks: a file may be as large as memory is small."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def derived(variant: Variant, path: Path, content_type: str, pixels: tuple[int, int] | None = None) -> DerivedFile:
    """The record of a file the worker has written; `pixels` is (width, height)."""
    return DerivedFile(variant, path.name, content_type, path.stat().st_size, sha256_of(path), pixels)

"""Examines files as media does, in the real worker process, for tests."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from services.media.processing.rules import DerivedFile, Variant, Verdict


class Examined:
    """A verdict with its files at hand."""

    def __init__(self, verdict: Verdict, out: Path) -> None:
        self.verdict = verdict
        self._out = out

    def content(self, variant: Variant) -> bytes:
        return next((self._out / file.name).read_bytes() for file in self.verdict.files if file.variant is variant)

    def file(self, variant: Variant) -> DerivedFile:
        return next(file for file in self.verdict.files if file.variant is variant)

    def picture(self, variant: Variant = Variant.EVIDENCE) -> Image.Image:
        return Image.open(io.BytesIO(self.content(variant)))

    @property
    def variants(self) -> set[Variant]:
        return {file.variant for file in self.verdict.files}


Examiner = Callable[..., Examined]

"""A name planted everywhere in files of every kind is in nothing that anybody may download."""

from __future__ import annotations

import io
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from services.media.processing.examination import examine
from services.media.processing.metadata import jpeg2000_without_metadata
from services.media.processing.rules import Limits, Variant
from tests.support import media_samples as samples
from tests.support import media_traces

pytestmark = pytest.mark.timeout(120)


def made_of(content: bytes, folder: Path) -> dict[Variant, bytes]:
    """All files made of one that must be accepted."""
    source, out = folder / "in", folder / "out"
    source.write_bytes(content)
    out.mkdir()
    verdict = examine(source, out, Limits())
    assert verdict.accepted, verdict
    return {file.variant: (out / file.name).read_bytes() for file in verdict.files}


@pytest.mark.parametrize("kind", media_traces.KINDS)
def test_a_name_in_metadata_is_in_no_copy(kind: str, tmp_path: Path) -> None:
    sent = media_traces.KINDS[kind](tmp_path)
    laid_open = media_traces.everything_in(sent) if kind == "pdf" else sent
    assert any(name in laid_open for name in media_traces.spelled()), "the sample must have the name in it"

    for variant, made in made_of(sent, tmp_path).items():
        content = media_traces.everything_in(made) if made.startswith(b"%PDF") else made
        leaked = [name for name in media_traces.spelled() if name in content]
        assert not leaked, (variant, content[content.index(leaked[0]) - 80 :][:200])
        if kind not in ("jpeg", "png", "webp", "gif", "tiff", "heic", "pdf"):
            assert media_traces.NAME not in samples.described(made, tmp_path)


def test_the_visible_content_of_a_document_is_unchanged(tmp_path: Path) -> None:
    sent = media_traces.pdf(tmp_path)

    made = made_of(sent, tmp_path)[Variant.EVIDENCE]

    before, after = (_drawn(document) for document in (sent, made))
    assert media_traces.shows(after, (50, 250)) == (255, 0, 0)  # the page itself
    assert media_traces.shows(after, (120, 260)) == (255, 255, 0)  # a remark
    assert media_traces.shows(after, (220, 270)) == (0, 0, 255)  # a filled field
    assert after.tobytes() == before.tobytes()
    content = media_traces.everything_in(made)
    assert b"the pavement is broken here" in content
    assert b"'42'" in content


def _drawn(document: bytes) -> Image.Image:
    opened = pypdfium2.PdfDocument(document)
    opened.init_forms()
    drawn: Image.Image = opened[0].render(may_draw_forms=True).to_pil()
    return drawn.convert("RGB")


def test_a_jpeg_2000_loses_its_boxes_and_comments_and_keeps_its_pixels() -> None:
    picture = io.BytesIO()
    samples.picture((64, 48)).save(picture, "JPEG2000", comment=media_traces.NAME)
    box = (8 + 11).to_bytes(4, "big") + b"xml " + media_traces.NAME.encode()
    whole = picture.getvalue() + box

    made = jpeg2000_without_metadata(whole)

    assert media_traces.NAME.encode() not in made
    opened = Image.open(io.BytesIO(made))
    assert opened.tobytes() == Image.open(io.BytesIO(picture.getvalue())).tobytes()

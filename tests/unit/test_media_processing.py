"""The examination of pictures and documents by the real worker process: what is accepted, what is made of it, and why a file is
rejected."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import piexif
import pytest
from PIL import Image
from pypdf import PdfReader

from services.media.processing.examination import ProcessingFailed
from services.media.processing.rules import Limits, MediaKind, Note, Reason, Variant
from tests.support import media_samples as samples
from tests.support.media_examination import Examiner

pytestmark = pytest.mark.timeout(120)


def test_the_location_is_removed_from_every_copy_of_a_photo(examined: Examiner) -> None:
    sent = samples.photo()
    assert piexif.load(sent)["GPS"], "the sample must have the place in it"

    seen = examined(sent)

    assert seen.verdict.accepted
    assert seen.verdict.content_type == "image/jpeg"
    assert seen.variants == {Variant.EVIDENCE, Variant.PREVIEW, Variant.THUMBNAIL}
    assert {"exif", "location", "xmp", "comment"} <= set(seen.verdict.removed)
    for file in seen.verdict.files:
        made = seen.content(file.variant)
        assert not any(piexif.load(made)[part] for part in ("0th", "Exif", "GPS", "1st"))
        assert not any(word in made for word in (b"Exif", b"xmpmeta", b"Neda", samples.CAMERA))
        assert len(made) == file.size


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_photo_taken_sideways_is_turned_upright(examined: Examiner, orientation: int) -> None:
    made = examined(samples.photo(orientation, size=(640, 480))).picture().convert("RGB")

    assert made.size == (640, 480)
    red = made.getpixel((100, 100))
    other = made.getpixel((600, 400))
    assert isinstance(red, tuple)
    assert isinstance(other, tuple)
    assert red[0] > 180
    assert red[1] < 60
    assert other[0] < 60


def test_copies_are_no_larger_than_screen_and_list_need(examined: Examiner) -> None:
    seen = examined(samples.photo(size=(2400, 1200)))

    assert seen.picture().size == (2400, 1200)
    assert seen.picture(Variant.PREVIEW).size == (1280, 640)
    assert seen.picture(Variant.THUMBNAIL).size == (320, 160)


def test_png_and_webp_keep_their_type_and_lose_their_texts(examined: Examiner, tmp_path: Path) -> None:
    seen = examined(samples.png_with_text())

    assert seen.picture().format == "PNG"
    assert seen.picture().mode == "RGBA"
    assert b"Neda" not in seen.content(Variant.EVIDENCE)
    assert b"eXIf" not in seen.content(Variant.EVIDENCE)


def test_webp_loses_its_exif(examined: Examiner) -> None:
    seen = examined(samples.webp())

    assert seen.verdict.content_type == "image/webp"
    assert seen.picture().format == "WEBP"
    assert samples.CAMERA not in seen.content(Variant.EVIDENCE)


def test_heic_becomes_a_jpeg_that_any_browser_shows(examined: Examiner) -> None:
    seen = examined(samples.heic())

    assert seen.verdict.content_type == "image/heic"
    assert seen.picture().format == "JPEG"
    assert seen.picture().size == (640, 480)
    assert seen.verdict.files[0].content_type == "image/jpeg"
    assert samples.CAMERA not in seen.content(Variant.EVIDENCE)


@pytest.mark.parametrize("make", [samples.photo, samples.png_with_text, samples.webp, samples.heic])
def test_a_truncated_picture_is_refused(examined: Examiner, make: Callable[[], bytes]) -> None:
    whole = make()

    assert examined(whole[: len(whole) * 2 // 5]).verdict.reason is Reason.DAMAGED


def test_a_photo_without_its_last_rows_is_shown_as_viewers_show_it(examined: Examiner) -> None:
    whole = samples.photo()

    seen = examined(whole[: len(whole) * 97 // 100])

    assert seen.verdict.accepted, seen.verdict
    assert seen.verdict.notes == [Note.CUT_OFF]
    assert seen.picture().size == (640, 480)


def test_a_truncated_progressive_photo_lacks_only_fine_detail(examined: Examiner) -> None:
    made = io.BytesIO()
    samples.picture((1600, 1200)).save(made, "JPEG", quality=92, progressive=True)
    whole = made.getvalue()

    seen = examined(whole[: len(whole) * 9 // 10])

    assert seen.verdict.accepted, seen.verdict
    assert [*seen.picture().resize((8, 8)).tobytes()] == pytest.approx(
        [*samples.picture((1600, 1200)).resize((8, 8)).tobytes()], abs=12
    )


def test_a_grey_photo_without_only_its_end_marker_is_complete(examined: Examiner) -> None:
    made = io.BytesIO()
    Image.new("RGB", (640, 480), (128, 128, 128)).save(made, "JPEG")

    seen = examined(made.getvalue()[:-2])

    assert (seen.verdict.accepted, seen.verdict.notes) == (True, []), seen.verdict


@pytest.mark.parametrize("share", [0.99, 0.5])
def test_a_truncated_black_png_is_judged_by_how_much_is_there(examined: Examiner, share: float) -> None:
    made = io.BytesIO()
    Image.effect_noise((400, 400), 5).point(lambda value: value // 64).save(made, "PNG", compress_level=0)

    seen = examined(made.getvalue()[: int(len(made.getvalue()) * share)])

    assert seen.verdict.accepted == (share > 0.9), seen.verdict


def test_a_picture_with_only_truncated_metadata_is_complete(examined: Examiner) -> None:
    whole = samples.webp()

    seen = examined(whole[: whole.index(b"EXIF") + 100])

    assert (seen.verdict.accepted, seen.verdict.notes) == (True, []), seen.verdict


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_of_several_pictures_in_a_file_is_kept_and_noted(examined: Examiner, kind: str) -> None:
    sent = samples.frames(kind)
    first = Image.open(io.BytesIO(sent)).convert("RGB")

    seen = examined(sent)

    assert seen.verdict.accepted, seen.verdict
    assert seen.verdict.notes == [Note.FIRST_FRAME_ONLY]
    made = seen.picture().convert("RGB")
    assert [*made.resize((4, 4)).tobytes()] == pytest.approx([*first.resize((4, 4)).tobytes()], abs=12)


@pytest.mark.parametrize("size", [(1, 4000), (4000, 1), (1, 1), (70_000, 2)])
def test_a_picture_of_any_shape_has_copies(examined: Examiner, size: tuple[int, int]) -> None:
    made = io.BytesIO()
    Image.new("RGB", size, "red").save(made, "PNG")

    seen = examined(made.getvalue())

    assert seen.picture().size == size
    assert max(seen.picture(Variant.PREVIEW).size) <= 1280
    assert max(seen.picture(Variant.THUMBNAIL).size) <= 320


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "1")])
def test_more_pixels_than_are_kept_are_scaled_down(examined: Examiner, kind: str, mode: str) -> None:
    made = io.BytesIO()
    Image.new(mode, (14_000, 14_000)).save(made, kind)

    seen = examined(made.getvalue())

    assert seen.verdict.accepted, seen.verdict
    width, height = seen.picture().size
    assert 40_000_000 < width * height <= 50_000_000
    assert seen.verdict.notes == [Note.SCALED_DOWN]


def test_more_pixels_than_may_be_sent_are_refused(examined: Examiner) -> None:
    assert examined(samples.photo(), replace(Limits(), max_pixels=1000)).verdict.reason is Reason.TOO_MANY_PIXELS


def test_a_picture_that_would_fill_memory_is_refused_before_it_is_decoded(examined: Examiner) -> None:
    verdict = examined(samples.bomb()).verdict

    assert verdict.reason is Reason.TOO_MANY_PIXELS


def test_html_called_jpg_is_refused(examined: Examiner) -> None:
    assert examined(b"<!DOCTYPE html><script>alert(1)</script>").verdict.reason is Reason.TYPE_NOT_PERMITTED


def test_data_appended_to_a_photo_is_dropped(examined: Examiner) -> None:
    made = examined(samples.photo() + b"<script>alert(1)</script>PK\x03\x04").content(Variant.EVIDENCE)

    assert b"<script>" not in made
    assert b"PK\x03\x04" not in made


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00" + bytes(200),
        b"PK\x03\x04" + bytes(200),
        b"GIF89a" + bytes(200),
        b"<svg xmlns='http://'/>",
        b"text",
    ],
)
def test_other_types_are_refused(examined: Examiner, content: bytes) -> None:
    assert examined(content).verdict.reason is Reason.TYPE_NOT_PERMITTED


def test_empty_and_too_large_files_are_refused(examined: Examiner) -> None:
    assert examined(b"").verdict.reason is Reason.EMPTY


def test_a_file_beyond_the_limit_is_refused(examined: Examiner) -> None:
    assert examined(samples.photo(), replace(Limits(), max_bytes=1000)).verdict.reason is Reason.TOO_LARGE


def test_a_document_is_rewritten_without_its_author(examined: Examiner) -> None:
    seen = examined(samples.pdf())

    assert (seen.verdict.kind, seen.verdict.pages) == (MediaKind.DOCUMENT, 1)
    assert "information" in seen.verdict.removed
    made = seen.content(Variant.EVIDENCE)
    assert b"Neda" not in made
    assert b"PeygirCam" not in made
    assert len(PdfReader(io.BytesIO(made)).pages) == 1


def test_a_document_loses_scripts_and_attachments(examined: Examiner) -> None:
    sent = samples.pdf(active=True)
    assert all(word in sent for word in (b"/JavaScript", b"/Launch", b"/EmbeddedFile")), "the sample must be active"

    seen = examined(sent)

    assert {"active_content", "attachments"} <= set(seen.verdict.removed)
    made = seen.content(Variant.EVIDENCE)
    words = (b"/JavaScript", b"/JS", b"/Launch", b"/OpenAction", b"/EmbeddedFile", b"MZ attached", b"cmd.exe")
    assert not [word for word in words if word in made]


def test_a_photo_in_a_document_loses_its_location_and_keeps_its_pixels(examined: Examiner) -> None:
    photo = samples.photo()

    seen = examined(samples.pdf(photo_inside=photo))

    assert "exif" in seen.verdict.removed
    made = seen.content(Variant.EVIDENCE)
    assert b"Exif" not in made
    assert samples.CAMERA not in made
    assert b"Neda" not in made
    inside = made[made.index(b"\xff\xd8") : made.rindex(b"\xff\xd9") + 2]
    assert (
        Image.open(io.BytesIO(inside)).convert("RGB").tobytes()
        == Image.open(io.BytesIO(photo)).convert("RGB").tobytes()
    )


def test_a_document_that_needs_a_password_is_refused(examined: Examiner) -> None:
    assert examined(samples.pdf(password="secret")).verdict.reason is Reason.ENCRYPTED


def test_a_document_that_only_forbids_printing_is_accepted_decrypted(examined: Examiner) -> None:
    seen = examined(samples.pdf(owner_password="owner"))

    assert seen.verdict.accepted
    assert not PdfReader(io.BytesIO(seen.content(Variant.EVIDENCE))).is_encrypted


def test_a_truncated_document_is_refused(examined: Examiner) -> None:
    assert examined(b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog").verdict.reason is Reason.DAMAGED


def test_a_file_that_takes_too_long_is_refused_and_nothing_keeps_running(examined: Examiner, tmp_path: Path) -> None:
    verdict = examined(samples.photo(), replace(Limits(), wall_seconds=0.01)).verdict

    assert (verdict.reason, verdict.detail) == (Reason.TOO_COMPLEX, "time")


def test_a_file_that_needs_too_much_memory_is_refused(examined: Examiner) -> None:
    limits = replace(Limits(), memory=220 * 1024 * 1024)

    verdict = examined(samples.photo(size=(6000, 6000)), limits).verdict

    assert verdict.reason is Reason.TOO_COMPLEX


def test_the_worker_sees_none_of_the_services_secrets(examined: Examiner, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.media.processing.examination import _bare_environment

    monkeypatch.setenv("S3_SECRET_KEY", "very secret")

    assert "very secret" not in _bare_environment().values()


def test_a_missing_ffmpeg_does_not_reject_the_file(
    examined: Examiner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = samples.voice_note(tmp_path)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nowhere/ffmpeg")

    with pytest.raises(ProcessingFailed):
        examined(sent)

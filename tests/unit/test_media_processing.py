"""The look at the bytes, by the real worker process: what is accepted, what is made of it, what is refused
and why.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import piexif
import pytest
from PIL import Image
from pypdf import PdfReader

from services.media.processing.examination import ProcessingFailed, examine
from services.media.processing.rules import DerivedFile, Limits, MediaKind, Note, Reason, Variant, Verdict
from tests.support import media_samples as samples

pytestmark = pytest.mark.timeout(120)


class Look:
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


Looker = Callable[..., Look]


@pytest.fixture
def look(tmp_path: Path) -> Looker:
    def at(content: bytes, limits: Limits | None = None) -> Look:
        source, out = tmp_path / "in", tmp_path / "out"
        source.write_bytes(content)
        out.mkdir()
        return Look(examine(source, out, limits or Limits()), out)

    return at


def test_the_place_is_gone_from_every_file_made_of_a_photo(look: Looker) -> None:
    sent = samples.photo()
    assert piexif.load(sent)["GPS"], "the sample must have the place in it"

    seen = look(sent)

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
def test_a_photo_taken_sideways_stands_upright(look: Looker, orientation: int) -> None:
    made = look(samples.photo(orientation, size=(640, 480))).picture().convert("RGB")

    assert made.size == (640, 480)
    red = made.getpixel((100, 100))
    other = made.getpixel((600, 400))
    assert isinstance(red, tuple)
    assert isinstance(other, tuple)
    assert red[0] > 180
    assert red[1] < 60
    assert other[0] < 60


def test_copies_are_no_larger_than_a_screen_and_a_list_need(look: Looker) -> None:
    seen = look(samples.photo(size=(2400, 1200)))

    assert seen.picture().size == (2400, 1200)
    assert seen.picture(Variant.PREVIEW).size == (1280, 640)
    assert seen.picture(Variant.THUMBNAIL).size == (320, 160)


def test_png_and_webp_keep_their_kind_and_lose_their_texts(look: Looker, tmp_path: Path) -> None:
    seen = look(samples.png_with_text())

    assert seen.picture().format == "PNG"
    assert seen.picture().mode == "RGBA"
    assert b"Neda" not in seen.content(Variant.EVIDENCE)
    assert b"eXIf" not in seen.content(Variant.EVIDENCE)


def test_webp_loses_its_exif(look: Looker) -> None:
    seen = look(samples.webp())

    assert seen.verdict.content_type == "image/webp"
    assert seen.picture().format == "WEBP"
    assert samples.CAMERA not in seen.content(Variant.EVIDENCE)


def test_heic_becomes_a_jpeg_that_any_browser_shows(look: Looker) -> None:
    seen = look(samples.heic())

    assert seen.verdict.content_type == "image/heic"
    assert seen.picture().format == "JPEG"
    assert seen.picture().size == (640, 480)
    assert seen.verdict.files[0].content_type == "image/jpeg"
    assert samples.CAMERA not in seen.content(Variant.EVIDENCE)


@pytest.mark.parametrize("make", [samples.photo, samples.png_with_text, samples.webp, samples.heic])
def test_a_picture_cut_off_is_refused(look: Looker, make: Callable[[], bytes]) -> None:
    whole = make()

    assert look(whole[: len(whole) * 2 // 5]).verdict.reason is Reason.DAMAGED


def test_a_photo_that_lacks_its_last_rows_is_shown_as_viewers_show_it(look: Looker) -> None:
    whole = samples.photo()

    seen = look(whole[: len(whole) * 97 // 100])

    assert seen.verdict.accepted, seen.verdict
    assert seen.verdict.notes == [Note.CUT_OFF]
    assert seen.picture().size == (640, 480)


def test_a_progressive_photo_that_lacks_its_end_lacks_fine_detail_alone(look: Looker) -> None:
    made = io.BytesIO()
    samples.picture((1600, 1200)).save(made, "JPEG", quality=92, progressive=True)
    whole = made.getvalue()

    seen = look(whole[: len(whole) * 9 // 10])

    assert seen.verdict.accepted, seen.verdict
    assert [*seen.picture().resize((8, 8)).tobytes()] == pytest.approx(
        [*samples.picture((1600, 1200)).resize((8, 8)).tobytes()], abs=12
    )


def test_a_photo_in_grey_that_lacks_its_end_marker_alone_is_whole(look: Looker) -> None:
    made = io.BytesIO()
    Image.new("RGB", (640, 480), (128, 128, 128)).save(made, "JPEG")

    seen = look(made.getvalue()[:-2])

    assert (seen.verdict.accepted, seen.verdict.notes) == (True, []), seen.verdict


@pytest.mark.parametrize("share", [0.99, 0.5])
def test_a_black_png_that_is_cut_off_is_taken_by_how_much_is_there(look: Looker, share: float) -> None:
    made = io.BytesIO()
    Image.effect_noise((400, 400), 5).point(lambda value: value // 64).save(made, "PNG", compress_level=0)

    seen = look(made.getvalue()[: int(len(made.getvalue()) * share)])

    assert seen.verdict.accepted == (share > 0.9), seen.verdict


def test_a_picture_whose_metadata_alone_is_cut_off_is_whole(look: Looker) -> None:
    whole = samples.webp()

    seen = look(whole[: whole.index(b"EXIF") + 100])

    assert (seen.verdict.accepted, seen.verdict.notes) == (True, []), seen.verdict


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_pictures_in_one_file_the_first_is_kept_and_that_is_said(look: Looker, kind: str) -> None:
    sent = samples.frames(kind)
    first = Image.open(io.BytesIO(sent)).convert("RGB")

    seen = look(sent)

    assert seen.verdict.accepted, seen.verdict
    assert seen.verdict.notes == [Note.FIRST_FRAME_ONLY]
    made = seen.picture().convert("RGB")
    assert [*made.resize((4, 4)).tobytes()] == pytest.approx([*first.resize((4, 4)).tobytes()], abs=12)


@pytest.mark.parametrize("size", [(1, 4000), (4000, 1), (1, 1), (70_000, 2)])
def test_a_picture_of_any_shape_has_copies(look: Looker, size: tuple[int, int]) -> None:
    made = io.BytesIO()
    Image.new("RGB", size, "red").save(made, "PNG")

    seen = look(made.getvalue())

    assert seen.picture().size == size
    assert max(seen.picture(Variant.PREVIEW).size) <= 1280
    assert max(seen.picture(Variant.THUMBNAIL).size) <= 320


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "1")])
def test_more_pixels_than_are_kept_are_scaled_down(look: Looker, kind: str, mode: str) -> None:
    made = io.BytesIO()
    Image.new(mode, (14_000, 14_000)).save(made, kind)

    seen = look(made.getvalue())

    assert seen.verdict.accepted, seen.verdict
    width, height = seen.picture().size
    assert 40_000_000 < width * height <= 50_000_000
    assert seen.verdict.notes == [Note.SCALED_DOWN]


def test_more_pixels_than_may_be_sent_are_refused(look: Looker) -> None:
    assert look(samples.photo(), replace(Limits(), max_pixels=1000)).verdict.reason is Reason.TOO_MANY_PIXELS


def test_a_picture_that_would_fill_memory_is_refused_before_it_is_decoded(look: Looker) -> None:
    verdict = look(samples.bomb()).verdict

    assert verdict.reason is Reason.TOO_MANY_PIXELS


def test_html_called_jpg_is_refused(look: Looker) -> None:
    assert look(b"<!DOCTYPE html><script>alert(1)</script>").verdict.reason is Reason.TYPE_NOT_PERMITTED


def test_what_is_hidden_behind_a_photo_is_left_behind(look: Looker) -> None:
    made = look(samples.photo() + b"<script>alert(1)</script>PK\x03\x04").content(Variant.EVIDENCE)

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
def test_other_types_are_refused(look: Looker, content: bytes) -> None:
    assert look(content).verdict.reason is Reason.TYPE_NOT_PERMITTED


def test_an_empty_file_and_one_too_large_are_refused(look: Looker) -> None:
    assert look(b"").verdict.reason is Reason.EMPTY


def test_a_file_beyond_the_limit_is_refused(look: Looker) -> None:
    assert look(samples.photo(), replace(Limits(), max_bytes=1000)).verdict.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("suffix", "content_type"),
    [
        (".ogg", "audio/ogg"),
        (".webm", "audio/webm"),
        (".m4a", "audio/mp4"),
        (".aac", "audio/aac"),
        (".mp3", "audio/mpeg"),
        (".wav", "audio/wav"),
    ],
)
def test_a_voice_note_plays_everywhere_and_names_nobody(
    look: Looker, tmp_path: Path, suffix: str, content_type: str
) -> None:
    seen = look(samples.voice_note(tmp_path, suffix))

    assert seen.verdict.accepted, seen.verdict
    assert (seen.verdict.kind, seen.verdict.content_type) == (MediaKind.AUDIO, content_type)
    assert seen.verdict.seconds == pytest.approx(2, abs=0.2)
    assert seen.variants == {Variant.EVIDENCE, Variant.PLAYABLE}
    assert seen.content(Variant.PLAYABLE)[4:11] == b"ftypM4A"
    for variant in seen.variants:
        assert not any(word in seen.content(variant) for word in (b"Neda", b"36.2686", b"Qazvin"))


@pytest.mark.parametrize(("suffix", "content_type"), [(".mp4", "video/mp4"), (".webm", "video/webm")])
def test_a_film_loses_its_tags_and_gets_a_poster(look: Looker, tmp_path: Path, suffix: str, content_type: str) -> None:
    seen = look(samples.film(tmp_path, suffix))

    assert seen.verdict.accepted, seen.verdict
    assert (seen.verdict.kind, seen.verdict.content_type) == (MediaKind.VIDEO, content_type)
    assert (seen.verdict.width, seen.verdict.height) == (320, 240)
    assert seen.variants == {Variant.EVIDENCE, Variant.PREVIEW, Variant.THUMBNAIL, Variant.PLAYABLE}
    assert seen.picture(Variant.PREVIEW).size == (320, 240)
    assert not any(word in seen.content(Variant.EVIDENCE) for word in (b"Neda", b"36.2686", b"Qazvin"))


def test_a_film_without_sound_is_a_film(look: Looker, tmp_path: Path) -> None:
    assert look(samples.film(tmp_path, sound=False)).verdict.kind is MediaKind.VIDEO


@pytest.mark.parametrize(
    ("suffix", "pictures"),
    [
        (".mkv", ""),
        (".mov", ""),
        (".mov", "libx265"),
        (".3gp", ""),
        (".avi", ""),
        (".wmv", ""),
        (".ts", ""),
        (".flv", ""),
    ],
)
def test_a_film_is_taken_by_its_streams_whatever_holds_them(
    look: Looker, tmp_path: Path, suffix: str, pictures: str
) -> None:
    seen = look(samples.film(tmp_path, suffix, pictures=pictures))

    assert seen.verdict.accepted, seen.verdict
    assert seen.verdict.kind is MediaKind.VIDEO
    for variant in (Variant.EVIDENCE, Variant.PLAYABLE):
        assert seen.file(variant).content_type == "video/mp4"
    playable = samples.described(seen.content(Variant.PLAYABLE), tmp_path)
    assert "Video: h264" in playable
    assert "yuv420p" in playable
    assert "Audio: aac" in playable
    assert seen.verdict.seconds == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize(("suffix", "codec"), [(".flac", "flac"), (".wma", "wmav2"), (".caf", "alac"), (".mka", "aac")])
def test_sound_is_taken_by_its_streams_whatever_holds_them(
    look: Looker, tmp_path: Path, suffix: str, codec: str
) -> None:
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=2")

    seen = look(samples.ffmpeg(tmp_path, f"sound{suffix}", *tone, "-c:a", codec))

    assert (seen.verdict.accepted, seen.verdict.kind) == (True, MediaKind.AUDIO), seen.verdict
    assert "Audio: aac" in samples.described(seen.content(Variant.PLAYABLE), tmp_path)


def test_a_film_taken_sideways_stands_upright(look: Looker, tmp_path: Path) -> None:
    film = samples.turned(tmp_path, samples.film(tmp_path))

    seen = look(film)

    assert (seen.verdict.width, seen.verdict.height) == (240, 320)
    assert seen.picture(Variant.PREVIEW).size == (240, 320)
    assert "rotation of" in samples.described(seen.content(Variant.PLAYABLE), tmp_path)


def test_sound_too_long_to_convert_in_time_is_evidence_without_a_copy(
    look: Looker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = samples.voice_note(tmp_path, ".ogg")
    slow = tmp_path / "slow"
    slow.write_text(f'#!/bin/sh\ncase "$*" in *64k*) kill -XCPU $$;; esac\nexec {samples.ffmpeg_path()} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(slow))

    seen = look(sound)

    assert (seen.variants, seen.verdict.notes) == ({Variant.EVIDENCE}, [Note.NO_PLAYABLE_COPY]), seen.verdict
    assert seen.verdict.seconds == pytest.approx(2, abs=0.2)


def test_a_film_too_large_to_convert_in_time_is_evidence_without_a_copy(
    look: Looker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = samples.film(tmp_path, ".mov", pictures="libx265")
    slow = tmp_path / "slow"
    slow.write_text(f'#!/bin/sh\ncase "$*" in *libx264*) kill -XCPU $$;; esac\nexec {samples.ffmpeg_path()} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(slow))

    seen = look(film)

    assert seen.verdict.accepted, seen.verdict
    assert Variant.PLAYABLE not in seen.variants
    assert seen.verdict.notes == [Note.NO_PLAYABLE_COPY]


PLAYLISTS = {
    "HLS": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "SDP": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
    "DASH": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
    "SMIL": b"<smil><body><video src='file:///etc/passwd'/></body></smil>",
    "PLS": b"[playlist]\nFile1=file:///etc/passwd\n",
    "subtitles": b"1\n00:00:01,000 --> 00:00:02,000\nhello\n",
    "ffmetadata": b";FFMETADATA1\ntitle=x\n",
    "HLS behind a tag": b"ID3\x04\x00\x00\x00\x00\x00\x00#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_what_only_names_other_files_is_no_recording(look: Looker, kind: str) -> None:
    verdict = look(PLAYLISTS[kind]).verdict

    assert not verdict.accepted
    assert verdict.reason in {Reason.TYPE_NOT_PERMITTED, Reason.DAMAGED}


def test_a_film_whose_index_names_another_file_reads_none(look: Looker, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mov"
    secret.write_bytes(samples.film(tmp_path, ".mov"))

    verdict = look(samples.referring(secret)).verdict

    assert not verdict.accepted, verdict


def test_a_recording_beyond_the_limit_is_refused(look: Looker, tmp_path: Path) -> None:
    verdict = look(samples.voice_note(tmp_path, seconds=5), replace(Limits(), max_seconds=2)).verdict

    assert verdict.reason is Reason.TOO_LONG


def test_a_film_cut_off_before_its_index_is_refused(look: Looker, tmp_path: Path) -> None:
    whole = samples.film(tmp_path)

    assert look(whole[: len(whole) // 2]).verdict.reason is Reason.DAMAGED


def test_a_playlist_dressed_as_a_film_reads_no_other_file(look: Looker) -> None:
    playlist = b"ffconcat version 1.0\nfile /etc/passwd\n"

    assert look(playlist).verdict.reason is Reason.TYPE_NOT_PERMITTED


def test_a_films_head_with_a_playlist_behind_it_is_damaged(look: Looker) -> None:
    head = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"

    assert look(head + b"#EXTM3U\nfile:///etc/passwd\n").verdict.reason is Reason.DAMAGED


def test_a_document_is_written_anew_without_its_author(look: Looker) -> None:
    seen = look(samples.pdf())

    assert (seen.verdict.kind, seen.verdict.pages) == (MediaKind.DOCUMENT, 1)
    assert "information" in seen.verdict.removed
    made = seen.content(Variant.EVIDENCE)
    assert b"Neda" not in made
    assert b"PeygirCam" not in made
    assert len(PdfReader(io.BytesIO(made)).pages) == 1


def test_a_document_loses_what_runs_and_what_is_attached(look: Looker) -> None:
    sent = samples.pdf(active=True)
    assert all(word in sent for word in (b"/JavaScript", b"/Launch", b"/EmbeddedFile")), "the sample must be active"

    seen = look(sent)

    assert {"active_content", "attachments"} <= set(seen.verdict.removed)
    made = seen.content(Variant.EVIDENCE)
    words = (b"/JavaScript", b"/JS", b"/Launch", b"/OpenAction", b"/EmbeddedFile", b"MZ attached", b"cmd.exe")
    assert not [word for word in words if word in made]


def test_a_photo_inside_a_document_loses_its_place_and_keeps_its_pixels(look: Looker) -> None:
    photo = samples.photo()

    seen = look(samples.pdf(photo_inside=photo))

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


def test_a_document_that_needs_a_password_is_refused(look: Looker) -> None:
    assert look(samples.pdf(password="secret")).verdict.reason is Reason.ENCRYPTED


def test_a_document_that_only_forbids_printing_is_accepted_in_the_clear(look: Looker) -> None:
    seen = look(samples.pdf(owner_password="owner"))

    assert seen.verdict.accepted
    assert not PdfReader(io.BytesIO(seen.content(Variant.EVIDENCE))).is_encrypted


def test_a_document_cut_off_is_refused(look: Looker) -> None:
    assert look(b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog").verdict.reason is Reason.DAMAGED


def test_a_file_that_takes_too_long_is_refused_and_nothing_keeps_running(look: Looker, tmp_path: Path) -> None:
    verdict = look(samples.photo(), replace(Limits(), wall_seconds=0.01)).verdict

    assert (verdict.reason, verdict.detail) == (Reason.TOO_COMPLEX, "time")


def test_a_file_that_needs_too_much_memory_is_refused(look: Looker) -> None:
    limits = replace(Limits(), memory=220 * 1024 * 1024)

    verdict = look(samples.photo(size=(6000, 6000)), limits).verdict

    assert verdict.reason is Reason.TOO_COMPLEX


def test_the_worker_sees_none_of_the_services_secrets(look: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.media.processing.examination import _bare_environment

    monkeypatch.setenv("S3_SECRET_KEY", "very secret")

    assert "very secret" not in _bare_environment().values()


def test_a_missing_ffmpeg_is_not_the_files_fault(look: Looker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = samples.voice_note(tmp_path)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nowhere/ffmpeg")

    with pytest.raises(ProcessingFailed):
        look(sent)

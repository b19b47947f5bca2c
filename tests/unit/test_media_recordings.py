"""The examination of sound and film by the real worker process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from services.media.processing.rules import Limits, MediaKind, Note, Reason, Variant
from tests.support import media_samples as samples
from tests.support.media_examination import Examined, Examiner

pytestmark = pytest.mark.timeout(120)


def is_accepted_as(seen: Examined, kind: MediaKind, content_type: str) -> None:
    assert seen.verdict.accepted, seen.verdict
    assert (seen.verdict.kind, seen.verdict.content_type) == (kind, content_type)


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
def test_a_voice_note_plays_everywhere_and_has_no_names(
    examined: Examiner, tmp_path: Path, suffix: str, content_type: str
) -> None:
    seen = examined(samples.voice_note(tmp_path, suffix))

    is_accepted_as(seen, MediaKind.AUDIO, content_type)
    assert seen.verdict.seconds == pytest.approx(2, abs=0.2)
    assert seen.variants == {Variant.EVIDENCE, Variant.PLAYABLE, Variant.PEAKS}
    assert seen.content(Variant.PLAYABLE)[4:11] == b"ftypM4A"
    for variant in seen.variants:
        assert not any(word in seen.content(variant) for word in (b"Neda", b"36.2686", b"Qazvin"))


@pytest.mark.parametrize(("suffix", "content_type"), [(".mp4", "video/mp4"), (".webm", "video/webm")])
def test_a_video_loses_its_tags_and_gets_a_poster(
    examined: Examiner, tmp_path: Path, suffix: str, content_type: str
) -> None:
    seen = examined(samples.film(tmp_path, suffix))

    is_accepted_as(seen, MediaKind.VIDEO, content_type)
    assert (seen.verdict.width, seen.verdict.height) == (320, 240)
    assert seen.variants == {Variant.EVIDENCE, Variant.PREVIEW, Variant.THUMBNAIL, Variant.PLAYABLE}
    assert seen.picture(Variant.PREVIEW).size == (320, 240)
    assert not any(word in seen.content(Variant.EVIDENCE) for word in (b"Neda", b"36.2686", b"Qazvin"))


def test_a_video_without_sound_is_accepted(examined: Examiner, tmp_path: Path) -> None:
    assert examined(samples.film(tmp_path, sound=False)).verdict.kind is MediaKind.VIDEO


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
def test_a_video_is_judged_by_its_streams_in_any_container(
    examined: Examiner, tmp_path: Path, suffix: str, pictures: str
) -> None:
    seen = examined(samples.film(tmp_path, suffix, pictures=pictures))

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
def test_sound_is_judged_by_its_streams_in_any_container(
    examined: Examiner, tmp_path: Path, suffix: str, codec: str
) -> None:
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=2")

    seen = examined(samples.ffmpeg(tmp_path, f"sound{suffix}", *tone, "-c:a", codec))

    assert (seen.verdict.accepted, seen.verdict.kind) == (True, MediaKind.AUDIO), seen.verdict
    assert "Audio: aac" in samples.described(seen.content(Variant.PLAYABLE), tmp_path)


def test_a_video_taken_sideways_is_turned_upright(examined: Examiner, tmp_path: Path) -> None:
    film = samples.turned(tmp_path, samples.film(tmp_path))

    seen = examined(film)

    assert (seen.verdict.width, seen.verdict.height) == (240, 320)
    assert seen.picture(Variant.PREVIEW).size == (240, 320)
    assert "rotation of" in samples.described(seen.content(Variant.PLAYABLE), tmp_path)


def test_sound_too_long_to_convert_is_evidence_without_a_copy(
    examined: Examiner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = samples.voice_note(tmp_path, ".ogg")
    slow = tmp_path / "slow"
    slow.write_text(f'#!/bin/sh\ncase "$*" in *64k*) kill -XCPU $$;; esac\nexec {samples.ffmpeg_path()} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(slow))

    seen = examined(sound)

    assert (seen.variants, seen.verdict.notes) == ({Variant.EVIDENCE}, [Note.NO_PLAYABLE_COPY]), seen.verdict
    assert seen.verdict.seconds == pytest.approx(2, abs=0.2)


def test_a_video_too_large_to_convert_is_evidence_without_a_copy(
    examined: Examiner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = samples.film(tmp_path, ".mov", pictures="libx265")
    slow = tmp_path / "slow"
    slow.write_text(f'#!/bin/sh\ncase "$*" in *libx264*) kill -XCPU $$;; esac\nexec {samples.ffmpeg_path()} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(slow))

    seen = examined(film)

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
def test_a_playlist_is_not_a_recording(examined: Examiner, kind: str) -> None:
    verdict = examined(PLAYLISTS[kind]).verdict

    assert not verdict.accepted
    assert verdict.reason in {Reason.TYPE_NOT_PERMITTED, Reason.DAMAGED}


def test_a_video_whose_index_references_a_file_reads_none(examined: Examiner, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mov"
    secret.write_bytes(samples.film(tmp_path, ".mov"))

    verdict = examined(samples.referring(secret)).verdict

    assert not verdict.accepted, verdict


def test_a_recording_beyond_the_limit_is_refused(examined: Examiner, tmp_path: Path) -> None:
    verdict = examined(samples.voice_note(tmp_path, seconds=5), replace(Limits(), max_seconds=2)).verdict

    assert verdict.reason is Reason.TOO_LONG


def test_a_video_truncated_before_its_index_is_refused(examined: Examiner, tmp_path: Path) -> None:
    whole = samples.film(tmp_path)

    assert examined(whole[: len(whole) // 2]).verdict.reason is Reason.DAMAGED


def test_a_playlist_disguised_as_a_video_reads_no_other_file(examined: Examiner) -> None:
    playlist = b"ffconcat version 1.0\nfile /etc/passwd\n"

    assert examined(playlist).verdict.reason is Reason.TYPE_NOT_PERMITTED


def test_a_video_header_followed_by_a_playlist_is_damaged(examined: Examiner) -> None:
    head = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"

    assert examined(head + b"#EXTM3U\nfile:///etc/passwd\n").verdict.reason is Reason.DAMAGED

"""Sound and film: taken by the streams in them, copied without any metadata, and made playable in every browser.
Runs in the worker process alone.

The evidence holds the streams as they were recorded where a container of the web takes them; otherwise (AMR of old
phones, Windows Media, AVI) they are converted. The playable copy is H.264 and AAC in MP4, or AAC in M4A; a film that
is that already is its own playable copy.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, field, replace
from pathlib import Path

from services.media.processing.audio_frames import adts_frames, mp3_frames
from services.media.processing.derived_files import derived
from services.media.processing.ffmpeg import (
    Streams,
    last_line,
    reading,
    require_ffmpeg,
    run_ffmpeg,
    seconds_written,
    streams_in,
)
from services.media.processing.filetypes import AAC, FLAC, M4A, MP3, MP4, OGG, UNKNOWN, WAV, WEBM, WEBM_AUDIO, FileType
from services.media.processing.images import poster_copies
from services.media.processing.peaks import peaks_of
from services.media.processing.rules import DerivedFile, Limits, MediaKind, Note, Reason, Rejected, Variant

_MUXERS = {
    MP3: "mp3",
    AAC: "adts",
    OGG: "ogg",
    WAV: "wav",
    FLAC: "flac",
    MP4: "mp4",
    WEBM: "webm",
    WEBM_AUDIO: "webm",
}
_PCM = frozenset({"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_alaw", "pcm_mulaw"})
# Codecs that a container may hold as they are, by what the file came in.
_SOUND_AS_IT_IS: dict[str, tuple[FileType, frozenset[str]]] = {
    "mp3": (MP3, frozenset({"mp3"})),
    "aac": (AAC, frozenset({"aac"})),
    "ogg": (OGG, frozenset({"opus", "vorbis"})),
    "wav": (WAV, _PCM),
    "flac": (FLAC, frozenset({"flac"})),
    "matroska": (WEBM_AUDIO, frozenset({"opus", "vorbis"})),
}
_IN_MP4 = frozenset({"aac", "mp3", "opus", "alac", "flac", "ac3", "eac3"})
_IN_IPOD = frozenset({"aac", "alac", "ac3"})
_IN_WEBM = frozenset({"opus", "vorbis"})
_FILM_IN_MP4 = frozenset({"h264", "hevc", "av1", "vp9"})
_FILM_IN_WEBM = frozenset({"vp8", "vp9", "av1"})
# Messages of the recorder inside the stream (dash cameras write their place and owner there) are left out.
_WITHOUT_MESSAGES = {
    "h264": "filter_units=remove_types=6",
    "hevc": "filter_units=remove_types=39|40",
    "av1": "filter_units=remove_types=5",
}
_EVERY_BROWSER_SHOWS = {"yuv420p", "yuvj420p"}
# `bitexact` keeps ffmpeg from writing its own version and a date; without a Xing frame a stripped MP3 is
# frames alone.
_PLAIN = ["-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"]
_PLAIN += ["-flags:a", "+bitexact", "-dn", "-sn"]
_SPECIAL = {
    "mp4": ["-movflags", "+faststart"],
    "ipod": ["-movflags", "+faststart"],
    "mp3": ["-write_xing", "0", "-id3v2_version", "0"],
}
_FRAMES_ALONE = {"mp3": mp3_frames, "adts": adts_frames}
_SOUND_ENCODER = ["-c:a", "aac", "-ac", "1", "-ar", "44100", "-b:a", "64k"]
_FILM_ENCODER = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-pix_fmt", "yuv420p"]
_FILM_ENCODER += ["-crf", "23", "-threads:v", "2"]


@dataclass(frozen=True)
class Recording:
    """What a sound or film file came to; `seconds` as written, not as its header claims."""

    content_type: str
    kind: MediaKind
    files: list[DerivedFile]
    seconds: float
    pixels: tuple[int, int] | None
    notes: list[Note] = field(default_factory=list)


def examine_recording(source: Path, out: Path, begins_as: FileType, limits: Limits) -> Recording:
    """The evidence, a playable copy, and a poster of film.

    Raises Rejected with TYPE_NOT_PERMITTED (neither sound nor film), DAMAGED, TOO_MANY_PIXELS or TOO_LONG;
    ToolFailed without ffmpeg.
    """
    require_ffmpeg()
    try:
        return _examine(source, out, begins_as, limits)
    except Rejected as rejected:
        if begins_as is UNKNOWN and rejected.reason is Reason.DAMAGED:
            raise Rejected(Reason.TYPE_NOT_PERMITTED, rejected.detail) from rejected
        raise


def _examine(source: Path, out: Path, begins_as: FileType, limits: Limits) -> Recording:
    streams = streams_in(source, limits)
    if streams is None or (begins_as is UNKNOWN and not streams.certain):
        raise Rejected(Reason.DAMAGED, "not recognised")
    if streams.sound is None and streams.film is None:
        raise Rejected(Reason.DAMAGED, "neither sound nor pictures")
    if streams.pixels and streams.pixels[0] * streams.pixels[1] > limits.kept_pixels:
        raise Rejected(Reason.TOO_MANY_PIXELS, f"{streams.pixels[0]}x{streams.pixels[1]}")
    if streams.film is not None:
        return _film(source, out, streams, limits)
    return _sound(source, out, streams, limits)


def _sound(source: Path, out: Path, streams: Streams, limits: Limits) -> Recording:
    sound = ["-map", "0:a:0"]
    true_type, fitting = _SOUND_AS_IT_IS.get(streams.container, (M4A, _IN_MP4))
    if streams.sound not in fitting:
        true_type, fitting = M4A, _IN_MP4
    evidence, copied_seconds = None, 0.0
    if streams.sound in fitting:
        muxer = _MUXERS.get(true_type, "ipod" if streams.sound in _IN_IPOD else "mp4")
        path = out / f"evidence{true_type.suffix}"
        # FLAC is encoded anew, which loses nothing: ffmpeg would copy tags behind it as if they were sound.
        how = [*sound, "-c:a", "flac" if true_type is FLAC else "copy"]
        copied = _copied(source, path, streams, how, muxer, limits)
        if copied is not None:
            copied_seconds = copied
            _check_length(copied_seconds, limits)
            if muxer in _FRAMES_ALONE:
                path.write_bytes(_FRAMES_ALONE[muxer](path.read_bytes()))
            evidence = derived(Variant.EVIDENCE, path, true_type.content_type)
    if evidence is None:  # nothing was read yet but headers
        true_type = M4A
        begins = [*reading(source, limits, streams.container), *sound, "-t", "5", "-f", "null", "-"]
        if run_ffmpeg(begins, limits)[0] != 0:
            raise Rejected(Reason.DAMAGED, "nothing in it can be decoded")
    _take_time()
    path = out / "playable.m4a"
    try:
        seconds = _write(source, path, streams, [*sound, *_SOUND_ENCODER], "ipod", limits)
        _check_length(seconds, limits)
    except Rejected as rejected:
        if evidence is None or rejected.reason is not Reason.TOO_COMPLEX:
            raise
        path.unlink(missing_ok=True)
        notes = [Note.NO_PLAYABLE_COPY]
        return Recording(true_type.content_type, MediaKind.AUDIO, [evidence], copied_seconds, None, notes)
    playable = derived(Variant.PLAYABLE, path, M4A.content_type)
    evidence = evidence or replace(playable, variant=Variant.EVIDENCE)
    files = [evidence, playable, *peaks_of(path, out, seconds, limits)]
    return Recording(true_type.content_type, MediaKind.AUDIO, files, seconds, None)


def _film(source: Path, out: Path, streams: Streams, limits: Limits) -> Recording:
    posters = _poster(source, out, streams, limits)
    evidence, seconds = _film_as_it_is(source, out, streams, limits)
    _take_time()
    notes: list[Note] = []
    if evidence is None:
        playable: DerivedFile | None
        playable, seconds = _converted(source, out, streams, limits)
        evidence = replace(playable, variant=Variant.EVIDENCE)
    elif evidence.content_type == MP4.content_type and _plays_everywhere(streams):
        playable = replace(evidence, variant=Variant.PLAYABLE)
    else:
        try:
            playable, _ = _converted(source, out, streams, limits)
        except Rejected:  # the evidence itself is good
            playable = None
            notes.append(Note.NO_PLAYABLE_COPY)
    files = [evidence, *posters, *([playable] if playable else [])]
    return Recording(evidence.content_type, MediaKind.VIDEO, files, seconds, streams.pixels, notes)


def _film_as_it_is(source: Path, out: Path, streams: Streams, limits: Limits) -> tuple[DerivedFile | None, float]:
    """The pictures as they were recorded, with their seconds; None where no container of the web takes them."""
    true_type = _film_container(streams)
    if true_type is None:
        return None, 0.0
    path = out / f"evidence{true_type.suffix}"
    seconds = _copied(source, path, streams, _copying(streams, true_type), _MUXERS[true_type], limits)
    if seconds is None:
        return None, 0.0
    _check_length(seconds, limits)
    return derived(Variant.EVIDENCE, path, true_type.content_type, streams.pixels), seconds


def _check_length(seconds: float, limits: Limits) -> None:
    if seconds <= 0:
        raise Rejected(Reason.DAMAGED, "nothing in it can be played")
    if seconds > limits.max_seconds:
        raise Rejected(Reason.TOO_LONG, f"{seconds:.0f} s")


def _take_time() -> None:
    """The recording can be read: what follows is converting it, which may take longer than judging it."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def _film_container(streams: Streams) -> FileType | None:
    """What takes the pictures as they are; None: they must be converted."""
    if streams.container == "matroska" and streams.film in _FILM_IN_WEBM and streams.sound in _IN_WEBM | {None}:
        return WEBM
    return MP4 if streams.film in _FILM_IN_MP4 else None


def _copying(streams: Streams, true_type: FileType) -> list[str]:
    how = ["-map", "0:V:0", "-c:v", "copy"]
    if streams.film in _WITHOUT_MESSAGES:
        how += ["-bsf:v", _WITHOUT_MESSAGES[streams.film]]
    if streams.film == "hevc":
        how += ["-tag:v", "hvc1"]  # the only form that Apple's players take
    if streams.sound is None:
        return how
    fits = streams.sound in (_IN_WEBM if true_type is WEBM else _IN_MP4)
    return [*how, "-map", "0:a:0", *(["-c:a", "copy"] if fits else _SOUND_ENCODER)]


def _plays_everywhere(streams: Streams) -> bool:
    return (
        streams.film == "h264"
        and streams.pixel_format in _EVERY_BROWSER_SHOWS
        and (streams.sound in {None, "aac"} or streams.sound not in _IN_MP4)
    )


def _converted(source: Path, out: Path, streams: Streams, limits: Limits) -> tuple[DerivedFile, float]:
    """H.264 and AAC in MP4, no larger than a screen, and its seconds."""
    path = out / "playable.mp4"
    how = ["-map", "0:V:0", "-vf", _shrunk(limits), "-fpsmax", "30", *_FILM_ENCODER]
    if streams.sound is not None:
        how += ["-map", "0:a:0", *_SOUND_ENCODER]
    try:
        seconds = _write(source, path, streams, how, "mp4", limits)
        _check_length(seconds, limits)
    except Rejected:
        path.unlink(missing_ok=True)
        raise
    return derived(Variant.PLAYABLE, path, MP4.content_type), seconds


def _copied(source: Path, path: Path, streams: Streams, how: list[str], muxer: str, limits: Limits) -> float | None:
    """Seconds written; None where the container does not take these streams after all."""
    try:
        return _write(source, path, streams, how, muxer, limits)
    except Rejected as rejected:
        if rejected.reason is not Reason.DAMAGED:
            raise
        path.unlink(missing_ok=True)
        return None


def _write(source: Path, path: Path, streams: Streams, how: list[str], muxer: str, limits: Limits) -> float:
    """Seconds written: at most one more than the limit, enough to see that it is too long."""
    code, output = run_ffmpeg(
        [
            *reading(source, limits, streams.container),
            *how,
            *["-t", str(limits.max_seconds + 1)],
            *_PLAIN,
            *_SPECIAL.get(muxer, []),
            *["-progress", "pipe:1", "-f", muxer, str(path)],
        ],
        limits,
    )
    if code != 0 or not path.exists():
        raise Rejected(Reason.DAMAGED, last_line(output))
    return seconds_written(output)


def _poster(source: Path, out: Path, streams: Streams, limits: Limits) -> list[DerivedFile]:
    frame = out / "frame.jpg"
    code, output = run_ffmpeg(
        [
            *reading(source, limits, streams.container),
            # The first frames of a film are often black: the most typical of the first thirty is shown.
            *["-map", "0:V:0", "-vf", f"{_shrunk(limits)},thumbnail=30,format=yuvj420p"],
            *["-frames:v", "1", "-threads", "1", *_PLAIN, "-q:v", "3", "-f", "mjpeg", str(frame)],
        ],
        limits,
    )
    if code != 0 or not frame.exists() or frame.stat().st_size == 0:
        raise Rejected(Reason.DAMAGED, last_line(output))
    files = poster_copies(frame, out, limits)
    frame.unlink()
    return files


def _shrunk(limits: Limits) -> str:
    edge = limits.preview_px
    return f"scale='min({edge},iw)':'min({edge},ih)':force_original_aspect_ratio=decrease:force_divisible_by=2"

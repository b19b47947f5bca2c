"""Sound and film, by ffmpeg: copied stream by stream into a new container without any metadata; sound also
encoded once more so that every browser plays it; film gets a poster. Runs in the worker process alone.

ffmpeg is told which one reader and which decoders it may use and that it may open files alone, so that a file
cannot make it read playlists, other files or the network.
"""

from __future__ import annotations

import ctypes
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from services.media.domain import DerivedFile, Limits, MediaKind, Reason, Rejected, Variant
from services.media.filetypes import AAC, M4A, MP3, MP4, OGG, WAV, WEBM, WEBM_AUDIO, FileType, sound_alone
from services.media.images import look_at_poster
from services.media.measure import derived

_DECODERS = (
    "aac,mp3float,mp3,opus,libopus,vorbis,libvorbis,pcm_u8,pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_alaw,"
    "pcm_mulaw,h264,hevc,vp8,libvpx,vp9,libvpx-vp9,libdav1d,av1"
)
_SOUND_CODECS = {
    MP3: {"mp3"},
    AAC: {"aac"},
    M4A: {"aac"},
    MP4: {"aac", "mp3"},
    OGG: {"opus", "vorbis"},
    WAV: {"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_alaw", "pcm_mulaw"},
    WEBM: {"opus", "vorbis"},
    WEBM_AUDIO: {"opus", "vorbis"},
}
_FILM_CODECS = {MP4: {"h264", "hevc", "av1", "vp9"}, WEBM: {"vp8", "vp9", "av1"}}
_MUXERS = {
    MP3: "mp3",
    AAC: "adts",
    M4A: "ipod",
    MP4: "mp4",
    OGG: "ogg",
    WAV: "wav",
    WEBM: "webm",
    WEBM_AUDIO: "webm",
}
# `bitexact` keeps ffmpeg from writing its own version and a date; without a Xing frame a stripped MP3 is
# frames alone.
_PLAIN = ["-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"]
_PLAIN += ["-flags:a", "+bitexact", "-dn", "-sn"]
_STREAM = re.compile(r"^  Stream #0:\d+[^:]*(?:\[\w+\])?(?:\(\w+\))?: (Audio|Video): (\w+)(.*)$", re.MULTILINE)
_PIXELS = re.compile(r", (\d{1,5})x(\d{1,5})[ ,\n]")
_WRITTEN = re.compile(r"^out_time_us=(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Streams:
    """The codecs of the first sound and picture streams, None where there is none."""

    sound: str | None
    film: str | None
    pixels: tuple[int, int] | None


@dataclass(frozen=True)
class Recording:
    """What a sound or film file came to; `seconds` as written by the remux, not as its header claims."""

    true_type: FileType
    files: list[DerivedFile]
    seconds: float
    pixels: tuple[int, int] | None


def look_at_recording(source: Path, out: Path, container: FileType, limits: Limits) -> Recording:
    """The evidence (same streams, no metadata), a playable copy of sound, a poster of film.

    Raises Rejected with DAMAGED, TYPE_NOT_PERMITTED (a codec beyond the permitted), TOO_MANY_PIXELS or
    TOO_LONG.
    """
    streams = _streams(source, container, limits)
    is_film = container.kind is MediaKind.VIDEO and streams.film is not None
    true_type = container if is_film else sound_alone(container)
    _check(streams, true_type, is_film, limits)
    evidence = out / f"evidence{true_type.suffix}"
    seconds = _remux(source, evidence, container, true_type, is_film, limits)
    if seconds <= 0:
        raise Rejected(Reason.DAMAGED, "nothing in it can be played")
    if seconds > limits.max_seconds:
        raise Rejected(Reason.TOO_LONG, f"{seconds:.0f} s")
    files = [derived(Variant.EVIDENCE, evidence, true_type.content_type, streams.pixels if is_film else None)]
    files += _poster(source, out, container, limits) if is_film else [_playable(source, out, container, limits)]
    return Recording(true_type, files, seconds, streams.pixels if is_film else None)


def _streams(source: Path, container: FileType, limits: Limits) -> Streams:
    _, said = _ffmpeg(_input(source, container, limits), limits)
    if "Input #0" not in said:
        raise Rejected(Reason.DAMAGED, _last_line(said))
    sound = film = pixels = None
    for what, codec, more in _STREAM.findall(said):
        if what == "Audio" and sound is None:
            sound = codec
        if what == "Video" and film is None and "(attached pic)" not in more:
            film, size = codec, _PIXELS.search(more + "\n")
            pixels = (int(size[1]), int(size[2])) if size else None
    return Streams(sound, film, pixels)


def _check(streams: Streams, true_type: FileType, is_film: bool, limits: Limits) -> None:
    if not is_film and streams.sound is None:
        raise Rejected(Reason.DAMAGED, "neither sound nor pictures")
    if streams.sound is not None and streams.sound not in _SOUND_CODECS[true_type]:
        raise Rejected(Reason.TYPE_NOT_PERMITTED, f"{streams.sound} in {true_type.content_type}")
    if not is_film:
        return
    if streams.film not in _FILM_CODECS[true_type]:
        raise Rejected(Reason.TYPE_NOT_PERMITTED, f"{streams.film} in {true_type.content_type}")
    if streams.pixels and streams.pixels[0] * streams.pixels[1] > limits.max_pixels:
        raise Rejected(Reason.TOO_MANY_PIXELS, f"{streams.pixels[0]}x{streams.pixels[1]}")


def _remux(
    source: Path, evidence: Path, container: FileType, true_type: FileType, is_film: bool, limits: Limits
) -> float:
    """Seconds written: at most one more than the limit, enough to see that it is too long."""
    streams = ["-map", "0:V:0", "-map", "0:a:0?"] if is_film else ["-map", "0:a:0"]
    special = {
        "mp4": ["-movflags", "+faststart"],
        "ipod": ["-movflags", "+faststart"],
        "mp3": ["-write_xing", "0", "-id3v2_version", "0"],
    }.get(_MUXERS[true_type], [])
    code, said = _ffmpeg(
        [
            *_input(source, container, limits),
            *streams,
            *["-c", "copy", "-t", str(limits.max_seconds + 1)],
            *_PLAIN,
            *special,
            *["-progress", "pipe:1", "-f", _MUXERS[true_type], str(evidence)],
        ],
        limits,
    )
    if code != 0 or not evidence.exists():
        raise Rejected(Reason.DAMAGED, _last_line(said))
    written = _WRITTEN.findall(said)
    return int(written[-1]) / 1e6 if written else 0.0


def _playable(source: Path, out: Path, container: FileType, limits: Limits) -> DerivedFile:
    """AAC in M4A, moov first: the one form that Safari, Chrome and Firefox all play. One voice needs one
    channel.
    """
    path = out / "playable.m4a"
    code, said = _ffmpeg(
        [
            *_input(source, container, limits),
            *["-map", "0:a:0", "-c:a", "aac", "-ac", "1", "-ar", "44100", "-b:a", "64k", "-threads", "1"],
            *_PLAIN,
            *["-movflags", "+faststart", "-f", "ipod", str(path)],
        ],
        limits,
    )
    if code != 0 or not path.exists():
        raise Rejected(Reason.DAMAGED, _last_line(said))
    return derived(Variant.PLAYABLE, path, M4A.content_type)


def _poster(source: Path, out: Path, container: FileType, limits: Limits) -> list[DerivedFile]:
    frame = out / "frame.jpg"
    edge = limits.preview_px
    shrink = f"scale='min({edge},iw)':'min({edge},ih)':force_original_aspect_ratio=decrease:force_divisible_by=2"
    code, said = _ffmpeg(
        [
            *_input(source, container, limits),
            # The first frames of a film are often black: the most typical of the first thirty is shown.
            *[
                "-map",
                "0:V:0",
                "-vf",
                f"{shrink},thumbnail=30,format=yuvj420p",
                "-frames:v",
                "1",
                "-threads",
                "1",
            ],
            *_PLAIN,
            *["-q:v", "3", "-f", "mjpeg", str(frame)],
        ],
        limits,
    )
    if code != 0 or not frame.exists() or frame.stat().st_size == 0:
        raise Rejected(Reason.DAMAGED, _last_line(said))
    files = look_at_poster(frame, out, limits)
    frame.unlink()
    return files


def _input(source: Path, container: FileType, limits: Limits) -> list[str]:
    return [
        *["-hide_banner", "-nostdin", "-y", "-protocol_whitelist", "file", "-threads", "2"],
        *["-format_whitelist", "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mp3,aac,ogg,wav"],
        *["-codec_whitelist", _DECODERS, "-max_pixels", str(limits.max_pixels)],
        *["-f", container.demuxer, "-i", f"file:{source}"],
    ]


def _ffmpeg(arguments: list[str], limits: Limits) -> tuple[int, str]:
    """Exit code and what it said on both outputs. Raises Rejected(TOO_COMPLEX) when its share of the machine
    is up.
    """
    try:
        ended = subprocess.run(
            [imageio_ffmpeg.get_ffmpeg_exe(), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limits.wall_seconds,
            check=False,
            preexec_fn=_die_with_parent,  # this process has one thread, so running code after fork is sound
        )
    except subprocess.TimeoutExpired as error:
        raise Rejected(Reason.TOO_COMPLEX, "ffmpeg: time") from error
    if -ended.returncode in {signal.SIGXCPU, signal.SIGXFSZ}:
        raise Rejected(Reason.TOO_COMPLEX, f"ffmpeg: {signal.Signals(-ended.returncode).name}")
    return ended.returncode, ended.stdout.decode("utf-8", "replace")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _last_line(said: str) -> str:
    """Why ffmpeg gave up, without the path it was given."""
    lines = [line for line in said.strip().splitlines() if line]
    return re.sub(r"file:\S+", "…", lines[-1])[:200] if lines else ""

"""ffmpeg: the streams in one file, and other files made from it. Runs in the worker process alone.

It recognises sound and film by their content, whatever the file is called or says about itself. It may read files
alone, as containers that hold their streams themselves: playlists, scripts, session descriptions, numbered pictures
and whatever else names other files or addresses are not among the formats it is allowed.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from services.media.processing.rules import Limits, Reason, Rejected, ToolFailed

_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mp3,aac,loas,ogg,wav,w64,flac,amr,amrnb,amrwb,asf,avi,flv,mpegts,mpeg,"
    "caf,aiff,au,wv,ape,tta,ac3,eac3,dts,qcp,voc,rm,dv,mxf,ivf"
)
_SOUND_DECODERS = (
    "aac,aac_latm,mp3float,mp3,mp2float,mp2,mp1float,opus,libopus,vorbis,libvorbis,flac,alac,amrnb,libopencore_amrnb,"
    "amrwb,libopencore_amrwb,ac3,eac3,dca,wmav1,wmav2,wmapro,wmavoice,wmalossless,wavpack,ape,tta,speex,libspeex,qcelp,"
    "evrc,gsm,gsm_ms,nellymoser,cook,ra_144,ra_288,sipr,ilbc,g722,g723_1,g726,g726le,g729,adpcm_ima_qt,adpcm_ima_wav,"
    "adpcm_ms,adpcm_swf,adpcm_yamaha,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,"
    "pcm_f32le,pcm_f32be,pcm_f64le,pcm_alaw,pcm_mulaw,pcm_u16le,pcm_dvd,pcm_bluray"
)
_FILM_DECODERS = (
    "h264,hevc,vp8,libvpx,vp9,libvpx-vp9,libdav1d,av1,h263,mpeg4,msmpeg4v1,msmpeg4v2,msmpeg4,mpeg1video,mpeg2video,"
    "mpegvideo,mjpeg,wmv1,wmv2,wmv3,vc1,theora,flv,vp6,vp6f,svq1,svq3,prores,dvvideo,rv10,rv20,rv30,rv40,cinepak"
)
_STREAM = re.compile(r"^  Stream #0:(\d+)[^:\n]*?: (Audio|Video): (\w+)(.*)$", re.MULTILINE)
_CONTAINER = re.compile(r"^Input #0, ([\w,]+), from ", re.MULTILINE)
_PIXELS = re.compile(r", (\d{1,5})x(\d{1,5})(?=[ ,\n]|$)")
_PIXEL_FORMAT = re.compile(r", (yuv\w+|gray\w*|rgb\w*|bgr\w*|gbr\w*|nv12|nv21|pal8)\b")
_TURNED = re.compile(r"rotation of -?(?:90|270)\.00 degrees")
_WRITTEN = re.compile(r"^out_time_us=(\d+)$", re.MULTILINE)
_UNSURE = "misdetection possible"
_NOT_KNOWN = {"none", "unknown"}


@dataclass(frozen=True)
class Streams:
    """`container`: ffmpeg's first name of the format; `certain`: whether it had enough to go by. Codecs of the first
    stream of sound and of pictures, None where there is none; `pixels` as shown (width, height).
    """

    container: str
    certain: bool
    sound: str | None
    film: str | None
    pixel_format: str | None
    pixels: tuple[int, int] | None


def require_ffmpeg() -> str:
    """Where it is. Raises ToolFailed."""
    try:
        path: str = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise ToolFailed(f"no ffmpeg: {error}") from error
    if not os.access(path, os.X_OK):
        raise ToolFailed(f"no ffmpeg at {path}")
    return path


def streams_in(source: Path, limits: Limits) -> Streams | None:
    """What ffmpeg recognises in the file; None when it recognises nothing, or nothing that is allowed."""
    _, output = run_ffmpeg(reading(source, limits), limits)
    container = _CONTAINER.search(output)
    if container is None:
        return None
    sound = film = pixel_format = pixels = None
    for _, what, codec, more in _STREAM.findall(output):
        if codec in _NOT_KNOWN:
            continue
        if what == "Audio" and sound is None:
            sound = codec
        if what == "Video" and film is None and "(attached pic)" not in more and "(still image)" not in more:
            film = codec
            pixel_format, pixels = _shape(more)
    if pixels and _TURNED.search(output):
        pixels = (pixels[1], pixels[0])
    return Streams(container[1].split(",")[0], _UNSURE not in output, sound, film, pixel_format, pixels)


def _shape(described: str) -> tuple[str | None, tuple[int, int] | None]:
    shown_as, size = _PIXEL_FORMAT.search(described), _PIXELS.search(described)
    return shown_as[1] if shown_as else None, (int(size[1]), int(size[2])) if size else None


def reading(source: Path, limits: Limits, container: str | None = None) -> list[str]:
    """ffmpeg's arguments for reading the file, as `container` when that is known already."""
    return [
        *["-hide_banner", "-nostdin", "-y", "-protocol_whitelist", "file", "-threads", "2"],
        *["-format_whitelist", _FORMATS, "-codec_whitelist", f"{_SOUND_DECODERS},{_FILM_DECODERS}"],
        *["-max_pixels", str(limits.kept_pixels)],
        *(["-f", container] if container else []),
        *["-i", f"file:{source}"],
    ]


def run_ffmpeg(arguments: list[str], limits: Limits) -> tuple[int, str]:
    """Exit code and what it wrote on both outputs. Raises Rejected(TOO_COMPLEX) when its share of the machine
    is up, ToolFailed when it cannot be started.
    """
    try:
        ended = subprocess.run(
            [require_ffmpeg(), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limits.wall_seconds,
            check=False,
            preexec_fn=_die_with_parent,  # this process has one thread, so running code after fork is sound
        )
    except subprocess.TimeoutExpired as error:
        raise Rejected(Reason.TOO_COMPLEX, "ffmpeg: time") from error
    except OSError as error:
        raise ToolFailed(f"ffmpeg cannot be run: {error.strerror}") from error
    if -ended.returncode in {signal.SIGXCPU, signal.SIGXFSZ, signal.SIGKILL}:
        raise Rejected(Reason.TOO_COMPLEX, f"ffmpeg: {signal.Signals(-ended.returncode).name}")
    return ended.returncode, ended.stdout.decode("utf-8", "replace")


def seconds_written(output: str) -> float:
    """From the output of `-progress pipe:1`."""
    written = _WRITTEN.findall(output)
    return int(written[-1]) / 1e6 if written else 0.0


def last_line(output: str) -> str:
    """Why ffmpeg gave up, without the path it was given."""
    lines = [line for line in output.strip().splitlines() if line]
    return re.sub(r"file:\S+", "…", lines[-1])[:200] if lines else ""


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

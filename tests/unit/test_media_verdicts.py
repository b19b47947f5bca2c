"""Whatever a file does to whoever reads it, there is a verdict; only what is broken on our side is tried again."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from services.media.processing.examination import ProcessingFailed, examine
from services.media.processing.rules import Limits, Reason, Verdict
from tests.support import media_samples as samples
from tests.support.seeds import chosen_seed

pytestmark = pytest.mark.timeout(280)
SEED = chosen_seed()
ROUNDS = int(os.environ.get("PEYGIR_ROUNDS", "3"))
FILES = Path(__file__).parents[1] / "support" / "media_files"

MADE: dict[str, Callable[[Path], bytes]] = {
    "photo": lambda _: samples.photo(),
    "png": lambda _: samples.png_with_text(),
    "webp": lambda _: samples.webp(),
    "heic": lambda _: samples.heic(),
    "gif": lambda _: samples.frames("GIF"),
    "tiff": lambda _: samples.frames("TIFF"),
    "ogg": lambda folder: samples.voice_note(folder, ".ogg"),
    "m4a": lambda folder: samples.voice_note(folder, ".m4a"),
    "mp3": lambda folder: samples.voice_note(folder, ".mp3"),
    "wav": lambda folder: samples.voice_note(folder, ".wav"),
    "amr": samples.amr,
    "mp4": lambda folder: samples.film(folder, ".mp4"),
    "mkv": lambda folder: samples.film(folder, ".mkv"),
    "avi": lambda folder: samples.film(folder, ".avi"),
    "pdf": lambda _: samples.pdf(active=True, photo_inside=samples.photo()),
    "pdf of an owner": lambda _: samples.pdf(owner_password="owner"),
}


def verdict_on(content: bytes, folder: Path, limits: Limits | None = None) -> Verdict:
    source, out = folder / "in", folder / "out"
    source.write_bytes(content)
    out.mkdir(exist_ok=True)
    return examine(source, out, limits or Limits())


def mutated(content: bytes, dice: random.Random) -> bytes:
    """Some bytes flipped, set to extremes, taken out or put in; sometimes cut off."""
    made = bytearray(content)
    for _ in range(dice.choice((1, 3, 10, 100))):
        at, kind = dice.randrange(len(made)), dice.randrange(6)
        if kind == 0:
            made[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            made[at] = dice.choice((0, 127, 128, 255))
        elif kind == 2:
            del made[at : at + dice.randrange(1, 64)]
        elif kind == 3:
            made[at:at] = dice.randbytes(dice.randrange(1, 32))
        elif kind == 4:
            made[at : at + 4] = dice.choice((b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff", b"\0\0\0\1"))
        elif dice.random() < 0.3:
            del made[at:]
        if len(made) < 16:
            break
    return bytes(made)


@pytest.mark.parametrize("kind", MADE)
def test_a_broken_file_of_any_kind_has_a_verdict(kind: str, tmp_path: Path) -> None:
    whole = MADE[kind](tmp_path)
    assert verdict_on(whole, tmp_path).accepted
    for number in range(ROUNDS):
        dice = random.Random(f"{SEED} {kind} {number}")
        verdict = verdict_on(mutated(whole, dice), tmp_path)
        assert verdict.accepted == (verdict.reason is None), (number, verdict)
        assert verdict.accepted == bool(verdict.files), (number, verdict)


def ffmpeg_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    """In ffmpeg's place: a program that does this over whatever it is to read."""
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))


@pytest.mark.parametrize("signal", ["SEGV", "KILL", "ABRT", "TERM", "USR1", "BUS"])
def test_a_reader_that_crashes_on_a_file_gives_a_verdict(
    signal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = samples.voice_note(tmp_path)
    ffmpeg_that(tmp_path, monkeypatch, f"kill -{signal} $PPID")

    assert verdict_on(sound, tmp_path).reason is Reason.TOO_COMPLEX


def test_a_reader_that_never_ends_is_stopped_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = samples.voice_note(tmp_path)
    ffmpeg_that(tmp_path, monkeypatch, "exec sleep 600")

    verdict = verdict_on(sound, tmp_path, replace(Limits(), reading_seconds=0.5))

    assert (verdict.reason, verdict.detail) == (Reason.TOO_COMPLEX, "time")
    assert Limits().reading_seconds < 60


def test_a_file_is_read_again_after_one_killed_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = samples.voice_note(tmp_path)
    real = os.environ.get("IMAGEIO_FFMPEG_EXE") or samples.ffmpeg_path()
    once = tmp_path / "killed"
    ffmpeg_that(
        tmp_path, monkeypatch, f'[ -e {once} ] || {{ touch {once}; kill -KILL $PPID; exit; }}\nexec {real} "$@"'
    )

    assert verdict_on(sound, tmp_path).accepted
    assert once.exists()


def test_malformed_reader_output_gives_a_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = samples.voice_note(tmp_path)
    ffmpeg_that(tmp_path, monkeypatch, "echo \"Input #0, ogg, from 'x':\"; head -c 3000 /dev/urandom; exit 0")

    assert verdict_on(sound, tmp_path).reason is Reason.DAMAGED


@pytest.mark.parametrize("program", ["/nowhere/ffmpeg", "not executable"])
def test_a_missing_ffmpeg_is_our_own_fault(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = samples.voice_note(tmp_path)
    (tmp_path / "not executable").write_text("x")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", program if program.startswith("/") else str(tmp_path / program))

    with pytest.raises(ProcessingFailed):
        verdict_on(sound, tmp_path)


def test_an_unknown_encryption_has_its_own_reason(tmp_path: Path) -> None:
    document = samples.pdf(password="secret").replace(b"/Filter /Standard", b"/Filter /Strange ")

    assert verdict_on(document, tmp_path).reason is Reason.ENCRYPTED

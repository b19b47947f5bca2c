"""Sound and film in Chromium: on the case page, which has no script, and opened alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ElementHandle, Page

from tests.browser.conftest import Walker
from tests.e2e.people import Case, Town
from tests.support import media_samples as samples
from tests.support.processes import eventually

Walk = Callable[..., Walker]
pytestmark = pytest.mark.timeout(240)
SECONDS = 12
RECORDINGS: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "a voice note": (lambda folder: samples.voice_note(folder, ".ogg", SECONDS), "audio"),
    "a sound in WAV": (lambda folder: samples.voice_note(folder, ".wav", SECONDS), "audio"),
    "sound of an old phone": (lambda folder: samples.amr(folder, SECONDS), "audio"),
    "a film": (lambda folder: samples.film(folder, ".mp4", SECONDS), "video"),
    "an iPhone's film": (lambda folder: samples.film(folder, ".mov", SECONDS, pictures="libx265"), "video"),
    "a browser's film": (lambda folder: samples.film(folder, ".webm", SECONDS), "video"),
}


def case_with(town: Town, recording: str, folder: Path) -> Case:
    """A case whose one attachment is this recording, accepted."""
    make, _ = RECORDINGS[recording]
    case = town.report(uploads=[town.caller().upload(make(folder), "recording", "application/octet-stream")])

    def accepted() -> bool:
        [attachment] = case.view()["attachments"] or [{"state": "processing"}]
        assert attachment["state"] != "rejected", attachment
        return bool(attachment["state"] == "accepted")

    eventually(accepted, timeout=90, why="it should be accepted")
    return case


def opened(walker: Walker, case: Case) -> Page:
    walker.open("/follow?lang=en")
    walker.page.fill("#code", case.code)
    walker.next()
    return walker.page


def state(player: ElementHandle, what: str) -> Any:
    return player.evaluate(f"player => player.{what}")


def plays_and_seeks(player: ElementHandle) -> None:
    """What a person does: waits for it to be ready, plays it, moves near its end, and hears on from there."""
    eventually(lambda: state(player, "readyState") >= 1 or state(player, "error"))
    assert state(player, "error") is None, state(player, "error.message")
    assert state(player, "duration") == pytest.approx(SECONDS, abs=0.6)
    player.evaluate("player => { player.muted = true; player.play() }")
    eventually(lambda: state(player, "currentTime") > 0.2, why="it should play")
    player.evaluate(f"player => {{ player.currentTime = {SECONDS - 4} }}")
    eventually(lambda: not state(player, "seeking") and state(player, "readyState") >= 2, why="it should seek")
    eventually(lambda: state(player, "currentTime") > SECONDS - 3.5, why="it should play on from there")
    assert state(player, "error") is None


@pytest.mark.parametrize("recording", RECORDINGS)
def test_a_recording_plays_on_the_case_page_and_when_opened_directly(
    walk: Walk, town: Town, tmp_path: Path, recording: str
) -> None:
    kind = RECORDINGS[recording][1]
    walker = walk()
    page = opened(walker, case_with(town, recording, tmp_path))
    player = page.wait_for_selector(f"main {kind}", state="attached")
    assert player is not None
    assert page.locator("main .files").get_by_role("link").count() == 1
    walker.shot(re.sub(r"\W+", "-", recording))

    plays_and_seeks(player)
    if kind == "video":
        assert state(player, "videoWidth") == 320

    page.click("main .files a")
    alone = page.wait_for_selector("video, audio", state="attached")  # Chromium shows sound in a video element, too
    assert alone is not None
    plays_and_seeks(alone)


@pytest.mark.parametrize(
    ("language", "words"), [("fa", "تنها تصویر نخست نگه داشته شد"), ("en", "only the first one was kept")]
)
def test_citizen_and_office_see_which_part_of_an_animated_picture_is_kept(
    walk: Walk, town: Town, language: str, words: str
) -> None:
    case = town.report(uploads=[town.caller().upload(samples.frames("GIF"), "moving.gif", "image/gif")])
    eventually(lambda: case.view()["attachments"][0]["state"] == "accepted", timeout=60)

    walker = walk()
    walker.open(f"/follow?lang={language}")
    walker.page.fill("#code", case.code)
    walker.next()
    assert walker.shows(words)
    walker.shot("first-frame-only")

    case_id = case.view()["case_id"]
    [attachment] = town.assigned(case).read(case_id)["attachments"]
    assert attachment["notes"] == ["first_frame_only"]


def test_a_file_sent_as_a_recording_is_never_rendered_as_a_page(town: Town, tmp_path: Path) -> None:
    case = case_with(town, "a film", tmp_path)
    [attachment] = case.view()["attachments"]
    answer = case.holder.get(f"/v1/tracking/attachments/{attachment['media_id']}", variant="playable")

    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy

"""A browser on a slow mobile line completes an upload through the plain form, and the case has the file whole."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.conftest import Walker
from tests.browser.test_pages import skip_details
from tests.e2e.people import Case, Town
from tests.support.processes import eventually

UP = 64 * 1024  # bytes a second: half a megabit
TEXT = "مصالح بازسازی بوستان شبانه با خودروی شخصی برده می‌شود."


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Some 500 kB, as no camera makes them smaller."""
    file = tmp_path / "street.jpg"
    Image.effect_noise((900, 700), 90).convert("RGB").save(file, "JPEG", quality=88)
    assert 300_000 < file.stat().st_size < 900_000
    return file


def test_an_upload_over_a_slow_line_arrives_whole(walk: Callable[..., Walker], town: Town, photo: Path) -> None:
    walker = walk()
    page = walker.page
    page.context.set_default_timeout(60_000)
    walker.open("/file/information/start")
    page.locator('button[name=unit][value="d1"]').click()
    page.check("input[value=other]")
    walker.next()
    page.fill("#text", TEXT)
    walker.next()
    skip_details(walker)
    page.set_input_files("#file", photo)

    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 300, "downloadThroughput": UP * 2, "uploadThroughput": UP},
    )
    began = time.monotonic()
    page.locator("button[formaction]").click()
    page.locator(".files li").wait_for()
    took = time.monotonic() - began
    assert took > 0.5 * photo.stat().st_size / UP, "the line was not slow"

    walker.next()
    walker.next()
    page.check("#consent")
    walker.next("ثبت می‌کنم")
    shown = re.sub(r"\s", "", page.locator(".code").inner_text())
    code = shown.translate(str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789"))
    case = Case(code, town.caller(code=code), "", {})
    eventually(lambda: case.view()["attachments"][0]["state"] == "accepted", timeout=60)
    got = case.holder.get(f"/v1/tracking/attachments/{case.view()['attachments'][0]['media_id']}")
    received = Path(photo.parent / "received.jpg")
    received.write_bytes(got.content)
    with Image.open(received) as image:
        image.load()
        assert image.size == (900, 700)

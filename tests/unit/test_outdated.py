"""`./peygir outdated`: which pinned images are behind, told from what the list of releases says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from deploy import outdated
from deploy.local.environment import ROOT
from deploy.outdated import PRODUCTS, Pin, judge, main, pins


def listed(product: str, series: str, latest: str, ended: bool = False) -> dict[str, object]:
    """What the source answers about one series."""
    release = {"name": series, "isEol": ended, "latest": {"name": latest, "date": "2026-11-12"}}
    return {"schema_version": "1.2.0", "result": {"name": product, "releases": [release]}}


@pytest.mark.parametrize(
    ("tag", "answer", "behind", "text"),
    [
        ("17.6-bookworm", listed("postgresql", "17", "17.12"), True, "17.12 is out"),
        ("17.12-bookworm", listed("postgresql", "17", "17.12"), False, "the newest of its series"),
        ("17.12-bookworm", listed("postgresql", "17", "17.9"), False, "the newest of its series"),
        ("17.12", listed("postgresql", "17", "17.12", ended=True), True, "series 17 is no longer maintained"),
        ("17.12", listed("postgresql", "18", "18.7"), None, "series 17 is not listed"),
        ("17.12", {"result": None}, None, "could not be looked up (TypeError)"),
    ],
)
def test_an_image_is_behind_when_its_series_has_a_newer_patch_or_has_ended(
    tag: str, answer: dict[str, object], behind: bool | None, text: str
) -> None:
    verdict = judge(Pin("docker.io/library/postgres", tag), lambda _: answer)
    assert (verdict.behind, verdict.text) == (behind, text)


def test_every_pinned_image_can_be_looked_up_or_is_excluded_with_a_reason() -> None:
    assert {pin.image for pin in pins()} == {*PRODUCTS, *outdated.FINAL}
    assert all(re.search(r"\d", pin.tag) for pin in pins())


def test_the_exit_code_shows_whether_anything_is_outdated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--releases", str(tmp_path)]) == 2
    for pin in pins():
        if pin.image in PRODUCTS:
            product, numbers = PRODUCTS[pin.image]
            answer = listed(product, ".".join(pin.version.split(".")[:numbers]), pin.version)
            (tmp_path / f"{product}.json").write_text(json.dumps(answer))
    assert main(["--releases", str(tmp_path)]) == 0
    (tmp_path / "postgresql.json").write_text(json.dumps(listed("postgresql", "17", "17.99")))
    assert main(["--releases", str(tmp_path)]) == 1
    assert "17.99 is out" in capsys.readouterr().out


def test_the_dated_list_matches_the_pinned_versions() -> None:
    text = (ROOT / "docs" / "pinned-images.md").read_text()
    assert re.search(r"^## Looked at on \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    for pin in pins():
        assert f":{pin.tag}`" in text, pin

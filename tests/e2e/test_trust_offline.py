"""What anyone can check without us: a receipt with its text and files, and a checkpoint of all that was written."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.people import JSON, Town, good
from tests.support.processes import ROOT

PHOTO = b"\xff\xd8\xff\xe0 a photo, as it was taken \xff\xd9"


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def filed(town: Town, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, JSON]:
    """A report with two files of evidence: the folder with all that its citizen keeps, and what was sent."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "one.jpg").write_bytes(PHOTO)
    (folder / "two.txt").write_text("صورت‌جلسه")
    who = town.caller()
    files = {who.upload((folder / name).read_bytes(), name): folder / name for name in ("one.jpg", "two.txt")}
    sent: JSON = {
        "kind": "information",
        "unit": "dep.civ.roads",
        "ground": "waste",
        "text": "آسفالت نو دوباره کنده شد.",
        "place": {"address": "خیابان فلسطین", "latitude": 36.27, "longitude": 50.0},
        "people": ["پیمانکار"],
        "uploads": list(files),
        "upload_hashes": {id_: hashlib.sha256(file.read_bytes()).hexdigest() for id_, file in files.items()},
        "consent": True,
    }
    answer = good(who.post("/v1/submissions", sent), 201)
    (folder / "receipt.json").write_text(json.dumps(answer["receipt"]))
    (folder / "key").write_text(good(who.get("/v1/receipts/key"))["public_key"])
    return folder, sent


def checked(
    folder: Path, sent: JSON, files: tuple[str, ...] = ("one.jpg", "two.txt"), **changes: Any
) -> tuple[int, str]:
    receipt = json.loads((folder / "receipt.json").read_text()) | changes
    (folder / "r.json").write_text(json.dumps(receipt))
    (folder / "s.json").write_text(json.dumps(sent))
    arguments = (str(folder / name) for name in ("r.json", "s.json", *files))
    return run("docs/verify_receipt.py", (folder / "key").read_text(), *arguments)


def test_a_receipt_is_checked_with_the_published_key_and_nothing_else(filed: tuple[Path, JSON]) -> None:
    folder, sent = filed
    code, output = checked(folder, sent)
    assert (code, output.split(":")[0]) == (0, "Genuine")


@pytest.mark.parametrize(
    "change",
    [
        {"text": "آسفالت نو دوباره کنده شد،"},
        {"people": ["پیمانکاران"]},
        {"unit": "dep.civ.road"},
        {"place": {"address": "خیابان فلسطین", "latitude": 36.28, "longitude": 50.0}},
        {"uploads": []},
        {"upload_hashes": {}},
    ],
)
def test_a_submission_with_one_changed_character_is_rejected(filed: tuple[Path, JSON], change: JSON) -> None:
    folder, sent = filed
    code, output = checked(folder, {**sent, **change})
    assert (code, "not what was filed" in output) == (1, True)


def test_a_changed_receipt_has_an_invalid_signature(filed: tuple[Path, JSON]) -> None:
    folder, sent = filed
    payload = json.loads((folder / "receipt.json").read_text())["payload"]
    for place in range(0, len(payload), 7):
        changed = payload[:place] + ("0" if payload[place] != "0" else "1") + payload[place + 1 :]
        code, output = checked(folder, sent, payload=changed)
        assert (code, "InvalidSignature" in output) == (1, True), changed


def test_a_changed_missing_or_other_file_is_rejected(filed: tuple[Path, JSON]) -> None:
    folder, sent = filed
    (folder / "changed.jpg").write_bytes(PHOTO[:-1] + b"\xd8")
    for files in (("changed.jpg", "two.txt"), ("one.jpg",), ("one.jpg", "two.txt", "changed.jpg")):
        code, output = checked(folder, sent, files)
        assert (code, "not the files" in output) == (1, True), files


def test_a_checkpoint_of_the_town_is_public_and_holds(town: Town, tmp_path: Path) -> None:
    """As the operator's commands make and use it, with the published key alone."""
    environment = {**os.environ, **town.system.values, "PYTHONPATH": str(ROOT)}
    code, output = run("-m", "gateway.checkpoints.publishing", **environment)
    assert code == 0, output
    kept = Path(output.strip())
    assert kept.parent == Path(town.system.state) / "checkpoints"
    public = good(town.caller().get("/v1/checkpoints/latest"))
    assert public == json.loads(kept.with_suffix(".public.json").read_text())
    full = json.loads(kept.read_text())["payload"]
    payload = json.loads(public["payload"])
    assert set(payload) == {"type", "name", "made_at", "commitment"}
    assert payload["commitment"] == hashlib.sha256(full.encode()).hexdigest()
    fetched = tmp_path / "latest.json"
    fetched.write_text(json.dumps(public))
    key = good(town.caller().get("/v1/receipts/key"))["public_key"]
    del environment["RECEIPT_PRIVATE_KEY"]
    code, output = run("-m", "deploy.verify_history", "--checkpoint", str(fetched), "--key", key, **environment)
    assert code == 0, output
    assert output.count("the chain holds") == 4

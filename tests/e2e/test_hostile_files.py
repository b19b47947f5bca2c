"""Files that are empty, too large, not what they say, or made to do harm: each has its reason, and none is ever handed out."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Callable

import httpx
import pytest

from tests.e2e.hostile_parts import LANGUAGES, MIB, at_rest, refused, resident, stored
from tests.e2e.people import JSON, Caller, Town, good
from tests.support import media_samples as samples
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(180)
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = {**TUS, "Content-Type": "application/offset+octet-stream"}
PAGE = b"<!DOCTYPE html><html><script>alert(document.cookie)</script></html>"


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.exe", b"MZ" + bytes(1000))
    return made.getvalue()


def created(caller: Caller, size: int, name: str = "photo.jpg") -> str:
    metadata = (
        f"filename {base64.b64encode(name.encode()).decode()},filetype {base64.b64encode(b'image/jpeg').decode()}"
    )
    made = caller.request(
        "POST", "/v1/uploads", headers={**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata}
    )
    assert made.status_code == 201, made.text
    return str(made.headers["location"])


def sent(caller: Caller, place: str, offset: int, content: bytes, **headers: str) -> httpx.Response:
    return caller.request("PATCH", place, content=content, headers={**CHUNK, "Upload-Offset": str(offset), **headers})


def uploaded(caller: Caller, content: bytes, name: str = "photo.jpg") -> str:
    place = created(caller, len(content), name)
    if content:
        assert sent(caller, place, 0, content).status_code == 204
    return place.rsplit("/", 1)[1]


def settled(caller: Caller, upload_id: str) -> JSON:
    def looked_at() -> JSON | None:
        seen: JSON = good(caller.get(f"/v1/uploads/{upload_id}"))
        return seen if seen["state"] in ("accepted", "rejected") else None

    return eventually(looked_at, timeout=90)


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "no bytes": (lambda: b"", "empty"),
    "HTML named .jpg": (lambda: PAGE, "type_not_permitted"),
    "a program named .jpg": (lambda: b"MZ" + bytes(5_000), "type_not_permitted"),
    "SVG with script": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "type_not_permitted"),
    "an archive": (zipped, "type_not_permitted"),
    "HTML after a GIF's head": (lambda: b"GIF89a/*" + PAGE, "type_not_permitted"),
    "HTML after a JPEG's head": (lambda: b"\xff\xd8\xff\xe0" + PAGE, "damaged"),
    "a decompression bomb": (samples.bomb, "too_many_pixels"),
    "a truncated JPEG": (lambda: samples.photo()[:5_000], "damaged"),
    "a PDF cut off": (lambda: b"%PDF-1.7\n1 0 obj <<", "damaged"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_be_evidence_is_rejected_and_nothing_of_it_is_kept(town: Town, case: str) -> None:
    make, reason = BAD[case]
    before = at_rest(town, "media")
    upload_id = uploaded(town.caller(), make())
    assert settled(town.caller(), upload_id)["reason"] == reason
    filed = town.report(uploads=[upload_id])

    shown = eventually(lambda: next(iter(filed.view()["attachments"]), None))
    eventually(lambda: filed.view()["attachments"][0]["state"] == "rejected")
    assert filed.view()["attachments"][0]["reason"] == reason
    for language in LANGUAGES:
        holder = town.caller(language, code=filed.code)
        for variant in ("evidence", "preview"):
            answer = holder.get(f"/v1/tracking/attachments/{shown['media_id']}", variant=variant)
            refused(answer, 410, "gone", language)
    after = stored(town, "media")
    assert (after["media.files"], after["media.upload_parts"]) == (before["media.files"], before["media.upload_parts"])


def test_a_bomb_costs_the_services_no_memory(town: Town) -> None:
    processes = (town.system.process("media"), town.system.process("gateway"))
    before = resident(*processes)
    ids = [uploaded(town.caller(), samples.bomb(), "bomb.png") for _ in range(4)]
    highest = before
    for upload_id in ids:
        settled(town.caller(), upload_id)
        highest = max(highest, resident(*processes))
    assert highest - before < 48 * MIB


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_beyond_the_limit_is_refused_before_its_first_byte(town: Town, language: str) -> None:
    before = at_rest(town, "media")
    caller = town.caller(language)
    for size in (201 * MIB, 200 * MIB + 1):
        answer = caller.request("POST", "/v1/uploads", headers={**TUS, "Upload-Length": str(size)})
        refused(answer, 413, "too_large", language)
    assert stored(town, "media") == before
    small = created(caller, 100)
    refused(sent(caller, small, 0, bytes(101)), 413, "too_large", language)
    assert caller.request("HEAD", small, headers=TUS).headers["upload-offset"] == "0"


def test_only_the_picture_of_a_polyglot_file_is_kept(town: Town) -> None:
    content = samples.photo() + PAGE + zipped()
    upload_id = uploaded(town.caller(), content, "picture.jpg.html")
    assert settled(town.caller(), upload_id)["state"] == "accepted"
    filed = town.report(uploads=[upload_id])
    eventually(lambda: filed.view()["attachments"][0]["state"] == "accepted")
    for variant in ("evidence", "preview", "thumbnail"):
        got = filed.holder.get(f"/v1/tracking/attachments/{upload_id}", variant=variant)
        assert (got.status_code, got.headers["content-type"]) == (200, "image/jpeg")
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.content.endswith(b"\xff\xd9")
        for trace in (b"<script", b"<html", b"PK\x03\x04"):
            assert trace not in got.content
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(io.BytesIO(got.content))


NAMES = (
    "<script>alert(1)</script>.jpg",
    '"; filename="run.exe',
    "../../etc/passwd\x00.jpg",
    "سند\u202egpj.exe",
    "a\r\nSet-Cookie: evil=1",
    "ا" * 500 + ".jpg",
)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_malicious_file_name_does_no_harm(town: Town, name: str) -> None:
    upload_id = uploaded(town.caller(), samples.photo(), name)
    assert settled(town.caller(), upload_id)["state"] == "accepted"
    filed = town.report(uploads=[upload_id])
    eventually(lambda: filed.view()["attachments"][0]["state"] == "accepted")
    got = filed.holder.get(f"/v1/tracking/attachments/{upload_id}")
    disposition = got.headers["content-disposition"]
    assert (got.status_code, got.headers["content-type"]) == (200, "image/jpeg")
    assert "set-cookie" not in got.headers
    for harm in ("<", ">", "/etc", "\\", ".exe", "%E2%80%AE", "\u202e"):
        assert harm not in disposition, disposition
    assert disposition.rstrip('"').endswith(".jpg")
    assert len(disposition) < 1_500


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_misplaced_or_damaged_chunk_changes_nothing(town: Town, language: str) -> None:
    caller = town.caller(language)
    place = created(caller, 1_000)
    assert sent(caller, place, 0, bytes(100)).status_code == 204
    before = at_rest(town, "media")
    for offset in (0, 99, 101, 1_000):
        answer = sent(caller, place, offset, b"x" * 50)
        refused(answer, 409, "offset_conflict", language)
        assert answer.headers["upload-offset"] == "100"
        assert answer.headers["tus-resumable"] == "1.0.0"
    digest = base64.b64encode(hashlib.sha1(b"other", usedforsecurity=False).digest()).decode()
    damaged = sent(caller, place, 100, b"x" * 50, **{"Upload-Checksum": f"sha1 {digest}"})
    refused(damaged, 460, "checksum_mismatch", language)
    unknown = sent(caller, place, 100, b"x" * 50, **{"Upload-Checksum": f"md5 {digest}"})
    refused(unknown, 400, "bad_request", language)
    refused(sent(caller, f"{place}x", 0, b"x"), 404, "not_found", language)
    assert caller.request("HEAD", place, headers=TUS).headers["upload-offset"] == "100"
    assert stored(town, "media") == before

"""Clients that others wrote: the tus protocol's own, interrupted and resumed, and one made from the OpenAPI document alone."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
from tusclient.client import TusClient
from tusclient.exceptions import TusUploadFailed

from tests.e2e.hostile_parts import MIB, reader
from tests.e2e.people import Case, Town, good
from tests.support import media_samples as samples
from tests.support.processes import eventually

CHUNK = MIB


class Broken(io.BytesIO):
    """A file whose reader loses the line at this byte."""

    def __init__(self, content: bytes, at: int) -> None:
        super().__init__(content)
        self.breaks_at: int | None = at

    def read(self, size: int | None = -1, /) -> bytes:
        if self.breaks_at is not None and self.tell() >= self.breaks_at:
            raise requests.exceptions.ConnectionError("the line is lost")
        return super().read(size)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Some five megabytes of sound."""
    content = samples.voice_note(tmp_path_factory.mktemp("sound"), ".wav", seconds=60)
    assert len(content) > 4 * CHUNK
    return content


def test_tuspy_uploads_is_interrupted_and_resumes_byte_for_byte(town: Town, recording: bytes) -> None:
    client = TusClient(f"{town.system.gateway_url}/v1/uploads")
    file = Broken(recording, 2 * CHUNK)
    first = client.uploader(
        file_stream=file,
        chunk_size=CHUNK,
        metadata={"filename": "صدا.wav", "filetype": "audio/wav"},
        upload_checksum=True,
    )
    with pytest.raises((requests.exceptions.ConnectionError, TusUploadFailed)):
        first.upload()
    place = str(first.url)
    assert place.startswith(town.system.gateway_url)

    # Another process, later: only the address is known. tuspy asks how far it came, and goes on from there.
    second = client.uploader(file_stream=io.BytesIO(recording), url=place, chunk_size=CHUNK, upload_checksum=True)
    assert second.offset == 2 * CHUNK
    second.upload(stop_at=3 * CHUNK)
    assert second.offset == 3 * CHUNK
    third = client.uploader(file_stream=io.BytesIO(recording), url=place, chunk_size=700_001)
    assert third.offset == 3 * CHUNK
    third.upload()
    assert third.offset == len(recording)

    upload_id = place.rsplit("/", 1)[1]
    case = town.report(uploads=[upload_id])
    eventually(lambda: case.view()["attachments"][0]["state"] == "accepted", timeout=90)
    row = reader(town, "media").execute("SELECT sha256, size FROM uploads WHERE upload_id = %s", [upload_id]).fetchone()
    assert row == (hashlib.sha256(recording).hexdigest(), len(recording))
    kept = case.holder.get(f"/v1/tracking/attachments/{upload_id}")
    assert kept.headers["content-type"] == "audio/wav"
    assert sound(kept.content) == sound(recording)


def sound(wav: bytes) -> bytes:
    """The samples of a WAV file, without its tags."""
    at = 12
    while wav[at : at + 4] != b"data":
        at += 8 + int.from_bytes(wav[at + 4 : at + 8], "little")
    size = int.from_bytes(wav[at + 4 : at + 8], "little")
    return wav[at + 8 : at + 8 + size]


@pytest.fixture(scope="module")
def made(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package that openapi-python-client makes; a warning would be an operation that it could not make."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "openapi.json").write_text(json.dumps(good(town.caller().get("/v1/openapi.json"))))
    # The type that tus gives its bytes, and a PDF, are to a generator bytes.
    (folder / "config.yml").write_text(
        'post_hooks: []\ncontent_type_overrides:\n  "application/offset+octet-stream": application/octet-stream\n'
        "  application/pdf: application/octet-stream\n"
    )
    command = str(Path(sys.executable).with_name("openapi-python-client"))
    options = ["--path", "openapi.json", "--meta", "none", "--output-path", "peygir_client", "--config", "config.yml"]
    done = subprocess.run(
        [command, "generate", *options, "--fail-on-warning"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield importlib.import_module("peygir_client")
    sys.path.remove(str(folder))


def operation(name: str) -> Any:
    return importlib.import_module(f"peygir_client.api.{name}")


def model(name: str) -> Any:
    return getattr(importlib.import_module("peygir_client.models"), name)


def test_a_client_generated_from_the_document_files_and_tracks(town: Town, made: ModuleType) -> None:
    client = made.Client(base_url=town.system.gateway_url, headers={"Accept-Language": "en"}, timeout=30)
    catalogue = operation("catalogue.get_catalogue").sync(client=client)
    assert "dep.civ.roads" in {unit.code for unit in catalogue.units}

    body = model("SubmissionBody")(
        kind=model("Kind").INFORMATION,
        unit="dep.civ.roads",
        ground="waste",
        text="مصالح رها شده است.",
        consent=True,
    )
    filed = operation("submissions.file_submission").sync(client=client, body=body, idempotency_key="made-by-a-client")
    again = operation("submissions.file_submission").sync(client=client, body=body, idempotency_key="made-by-a-client")
    assert isinstance(filed, model("Filed"))
    assert again.tracking_code == filed.tracking_code
    code = filed.tracking_code.replace(" ", "")
    Case(code, town.caller(code=code), "", {}).view()

    shown = operation("tracking.get_case_by_code").sync(client=client, tracking_code=filed.tracking_code)
    assert isinstance(shown, model("CaseView"))
    assert (shown.stage_text, shown.unit_name) == ("Registered", "Asphalt and Road Upkeep Office")
    assert [entry.entry for entry in shown.timeline] == ["opened"]

    signed = made.AuthenticatedClient(
        base_url=town.system.gateway_url, token=town.officer("screener").caller.token, timeout=30
    )
    screened = operation("cases.start_screening").sync(
        shown.case_id,
        client=signed,
        body=model("NothingBody")(),
        idempotency_key="screened-by-a-client",
        if_match=f'"{shown.version}"',
    )
    assert screened.stage.value == "screening"
    withdrawn = operation("tracking.withdraw_by_code").sync(
        client=client, tracking_code=filed.tracking_code, body=model("WithdrawalBody")(reason="تمام شد.")
    )
    assert withdrawn.stage.value == "withdrawn"


def test_a_client_generated_from_the_document_understands_a_refusal(town: Town, made: ModuleType) -> None:
    client = made.Client(base_url=town.system.gateway_url, headers={"Accept-Language": "en"}, timeout=30)
    answer = operation("tracking.get_case_by_code").sync(client=client, tracking_code="1234 5678 9012 3456")
    assert isinstance(answer, model("Problem"))
    assert (answer.status, answer.code) == (404, "unknown_tracking_code")
    assert answer.title == "This tracking code is not right. Check its 16 digits again."

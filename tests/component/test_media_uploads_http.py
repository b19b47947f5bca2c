"""Uploads and downloads over HTTP: the gateway's tus routes before a real media service and object store."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from contracts.errors import PeygirError
from contracts.media import Download, SignDownload, Variant
from deploy.local.parts import ObjectStore, PostgreSQL, RabbitMQ
from gateway.api.uploads.endpoints import router
from gateway.edge.exception_handlers import on_peygir_error
from gateway.evidence.chunk_relay import ChunkRelay, object_store_client
from gateway.evidence.downloads import stream_media
from gateway.rabbit.client import RabbitClient
from tests.support import media_samples as samples
from tests.support.media import environment
from tests.support.processes import BrokerClient, ServiceProcess, eventually, free_port

pytestmark = pytest.mark.timeout(180)
MIB = 1024 * 1024
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = {**TUS, "Content-Type": "application/offset+octet-stream"}
PART = 256 * 1024


def tus_app(url: str) -> FastAPI:
    """The gateway as far as media needs it; `/test/media/{id}` stands for tracking's authorised views."""
    app = FastAPI()
    app.add_exception_handler(PeygirError, on_peygir_error)
    rabbit, client = RabbitClient(url, "test-gateway"), object_store_client()
    app.router.on_startup.append(rabbit.start)
    app.router.on_shutdown.append(rabbit.stop)
    app.include_router(router(ChunkRelay(rabbit, client), max_size=200 * MIB, stall_timeout=2))

    @app.get("/test/media/{media_id}/{variant}")
    async def media(request: Request, media_id: str, variant: Variant) -> Response:
        download = SignDownload(media_id=media_id, variant=variant)
        return await stream_media(
            client, await rabbit.call("media", "sign_download", download, Download), request.headers
        )

    @app.get("/ready")
    async def ready() -> Response:
        return Response(status_code=200 if rabbit.can_call else 503)

    return app


@pytest.fixture(scope="module")
def service(
    broker: RabbitMQ, postgres: PostgreSQL, store: ObjectStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("media")
    where = environment(broker, postgres, store, folder, MEDIA_PART_BYTES=str(PART))
    service = ServiceProcess("media", where, folder / "log").start()
    yield service
    service.kill()


@pytest.fixture(scope="module")
def http(broker: RabbitMQ, service: ServiceProcess) -> Iterator[httpx.Client]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(tus_app(broker.url), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:

        def up() -> bool:
            try:
                return client.get("/ready").status_code == 200
            except httpx.HTTPError:
                return False

        eventually(up)
        yield client
    server.should_exit = True
    thread.join(10)


def encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def create(http: httpx.Client, size: int, **more: str) -> str:
    answer = http.post("/v1/uploads", headers={**TUS, "Upload-Length": str(size), **more})
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def patch(http: httpx.Client, url: str, offset: int, content: Any, **more: str) -> httpx.Response:
    return http.patch(url, headers={**CHUNK, "Upload-Offset": str(offset), **more}, content=content)


def offset_of(http: httpx.Client, url: str) -> int:
    answer = http.head(url, headers=TUS)
    assert answer.status_code == 200
    return int(answer.headers["upload-offset"])


def settled(http: httpx.Client, url: str) -> dict[str, Any]:
    def final_state() -> dict[str, Any] | None:
        seen: dict[str, Any] = http.get(url).json()
        return seen if seen["state"] in ("accepted", "rejected") else None

    return eventually(final_state, timeout=60)


def test_the_server_lists_its_extensions(http: httpx.Client) -> None:
    answer = http.options("/v1/uploads")

    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,creation-with-upload,expiration,termination,checksum"
    assert answer.headers["tus-max-size"] == str(200 * MIB)
    assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256"


def test_a_photo_is_uploaded_in_one_request_and_downloaded_clean(http: httpx.Client) -> None:
    photo = samples.photo(size=(3200, 2400))
    url = create(
        http,
        len(photo),
        **{"Upload-Metadata": f"filename {encoded('عکس.jpg')},filetype {encoded('image/jpeg')}"},
    )

    answer = patch(http, url, 0, photo)

    assert answer.status_code == 204
    assert answer.headers["upload-offset"] == str(len(photo))
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert answer.headers["upload-expires"].endswith(" GMT")
    seen = settled(http, url)
    assert (seen["state"], seen["file_name"]) == ("accepted", "عکس.jpg")
    down = http.get(f"/test/media/{seen['upload_id']}/evidence")
    assert down.status_code == 200
    assert samples.CAMERA not in down.content
    assert down.headers["content-type"] == "image/jpeg"
    assert down.headers["x-content-type-options"] == "nosniff"
    assert down.headers["content-disposition"].startswith("inline;")
    assert "sandbox" in down.headers["content-security-policy"]
    assert "no-store" in down.headers["cache-control"]


@pytest.mark.parametrize("size", [1000, 70_000, PART - 1, PART, PART + 1, 3 * PART + 17])
def test_any_chunk_size_is_accepted(http: httpx.Client, size: int) -> None:
    content = samples.photo(size=(3200, 2400)) + os.urandom(3 * PART)
    content = content[: max(4 * size, 1)] if size < 70_000 else content
    url = create(http, len(content))

    offset = 0
    while offset < len(content):
        answer = patch(http, url, offset, content[offset : offset + size])
        assert answer.status_code == 204, answer.text
        offset = int(answer.headers["upload-offset"])

    assert settled(http, url)["offset"] == len(content)


def test_an_upload_in_chunks_stores_exactly_what_was_sent(http: httpx.Client, broker_client: BrokerClient) -> None:
    broker_client.record_events("media.events")
    photo = samples.photo(size=(3200, 2400))
    url = create(http, len(photo))
    for at in range(0, len(photo), 40_001):
        assert patch(http, url, at, photo[at : at + 40_001]).status_code == 204

    upload_id = settled(http, url)["upload_id"]

    [event] = eventually(
        lambda: [e for e in broker_client.recorded_events("media.accepted.v1") if e["media_id"] == upload_id]
    )
    assert event["sha256"] == hashlib.sha256(photo).hexdigest()


def test_a_chunk_of_unannounced_length_is_accepted(http: httpx.Client) -> None:
    photo = samples.photo()
    url = create(http, len(photo))

    answer = patch(http, url, 0, iter([photo[:5000], photo[5000:9000]]))

    assert (answer.status_code, answer.headers["upload-offset"]) == (204, "9000")
    assert patch(http, url, 9000, photo[9000:]).status_code == 204
    assert settled(http, url)["state"] == "accepted"


def raw_patch(http: httpx.Client, url: str, offset: int, announced: int) -> socket.socket:
    """A PATCH whose head is sent; the body is the caller's."""
    base = http.base_url
    connection = socket.create_connection((base.host, base.port or 80), timeout=20)
    head = (
        f"PATCH {url} HTTP/1.1\r\nHost: {base.host}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {announced}\r\n\r\n"
    )
    connection.sendall(head.encode())
    return connection


def test_a_cut_connection_keeps_what_arrived(http: httpx.Client, broker_client: BrokerClient) -> None:
    broker_client.record_events("media.events")
    photo = samples.photo(size=(3200, 2400)) + os.urandom(2 * PART)
    url = create(http, len(photo))
    with raw_patch(http, url, 0, len(photo)) as connection:
        connection.sendall(photo[: PART + 12_345])
        for _ in range(5):  # let the gateway read what has come: uvicorn drops what nobody asked for
            http.get("/ready")

    kept = eventually(lambda: offset_of(http, url) > PART and offset_of(http, url), why="the half piece should count")

    assert kept <= PART + 12_345
    assert patch(http, url, kept, photo[kept:]).status_code == 204
    upload_id = settled(http, url)["upload_id"]
    [event] = eventually(
        lambda: [e for e in broker_client.recorded_events("media.accepted.v1") if e["media_id"] == upload_id]
    )
    assert event["sha256"] == hashlib.sha256(photo).hexdigest()


def test_a_silent_client_is_answered_and_keeps_what_arrived(http: httpx.Client) -> None:
    url = create(http, 10_000)
    with raw_patch(http, url, 0, 10_000) as connection:
        connection.sendall(bytes(1234))
        answer = connection.recv(4096).decode()

    assert answer.startswith("HTTP/1.1 408")
    assert "tus-resumable: 1.0.0" in answer
    assert offset_of(http, url) == 1234


def test_a_wrong_offset_is_a_conflict_and_changes_nothing(http: httpx.Client) -> None:
    url = create(http, 1000)

    answer = patch(http, url, 10, bytes(100))

    assert answer.status_code == 409
    assert answer.headers["upload-offset"] == "0"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "offset_conflict"
    assert offset_of(http, url) == 0


def test_two_simultaneous_chunks_never_both_count(http: httpx.Client) -> None:
    photo = samples.photo(size=(3200, 2400))
    url = create(http, len(photo))
    answers: list[int] = []

    def send() -> None:
        answers.append(patch(http, url, 0, photo).status_code)

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()

    assert set(answers) <= {204, 409}
    while (offset := offset_of(http, url)) < len(photo):
        assert patch(http, url, offset, photo[offset:]).status_code == 204
    assert settled(http, url)["state"] == "accepted"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_damaged_chunk_does_not_count(http: httpx.Client, algorithm: str) -> None:
    photo = samples.photo(size=(3200, 2400))
    url = create(http, len(photo))
    digest = base64.b64encode(hashlib.new(algorithm, photo).digest()).decode()
    checksum = {"Upload-Checksum": f"{algorithm} {digest}"}

    damaged = patch(http, url, 0, photo[:-1] + b"\x00", **checksum)

    assert damaged.status_code == 460
    assert damaged.json()["code"] == "checksum_mismatch"
    assert offset_of(http, url) == 0
    assert patch(http, url, 0, photo, **checksum).status_code == 204
    assert settled(http, url)["state"] == "accepted"


def test_an_unknown_checksum_is_refused(http: httpx.Client) -> None:
    url = create(http, 10)

    assert patch(http, url, 0, bytes(10), **{"Upload-Checksum": "crc32 AAAA"}).status_code == 400


def test_the_first_chunk_may_come_with_the_creation(http: httpx.Client) -> None:
    photo = samples.photo()

    answer = http.post("/v1/uploads", headers={**CHUNK, "Upload-Length": str(len(photo))}, content=photo)

    assert (answer.status_code, answer.headers["upload-offset"]) == (201, str(len(photo)))
    assert settled(http, answer.headers["location"])["state"] == "accepted"


def test_the_metadata_of_the_client_is_returned(http: httpx.Client) -> None:
    metadata = f"filename {encoded('سند.pdf')},filetype {encoded('application/pdf')}"
    url = create(http, 10, **{"Upload-Metadata": f"{metadata},relativePath,extra"})

    answer = http.head(url, headers=TUS)

    assert answer.headers["upload-metadata"] == metadata
    assert answer.headers["upload-length"] == "10"
    assert answer.headers["cache-control"] == "no-store"


def test_an_upload_can_be_terminated(http: httpx.Client) -> None:
    url = create(http, 10)

    assert http.delete(url, headers=TUS).status_code == 204

    for answer in (http.head(url, headers=TUS), patch(http, url, 0, b"x"), http.delete(url, headers=TUS)):
        assert answer.status_code == 410
        assert answer.headers["tus-resumable"] == "1.0.0"


def test_the_method_may_be_overridden_in_a_header(http: httpx.Client) -> None:
    url = create(http, 4)
    way = {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0"}

    assert http.post(url, headers={**CHUNK, **way}, content=b"abcd").status_code == 204
    assert http.post(url, headers={**TUS, "X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert http.post(url, headers={**TUS, "X-HTTP-Method-Override": "PUT"}).status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "10"}, 412),
        ({"Upload-Length": "10", "Tus-Resumable": "0.2.2"}, 412),
        ({**TUS}, 400),
        ({**TUS, "Upload-Length": "-1"}, 400),
        ({**TUS, "Upload-Length": "1e3"}, 400),
        ({**TUS, "Upload-Length": "9" * 30}, 400),
        ({**TUS, "Upload-Length": str(200 * MIB + 1)}, 413),
        ({**TUS, "Upload-Defer-Length": "1"}, 400),
        ({**TUS, "Upload-Length": "10", "Upload-Concat": "partial"}, 400),
        ({**TUS, "Upload-Length": "10", "Upload-Metadata": "filename ***"}, 400),
    ],
)
def test_an_invalid_creation_is_refused(http: httpx.Client, headers: dict[str, str], status: int) -> None:
    answer = http.post("/v1/uploads", headers=headers)

    assert answer.status_code == status
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert answer.headers["content-type"] == "application/problem+json"
    if status == 412:
        assert answer.headers["tus-version"] == "1.0.0"


def test_invalid_chunks_are_refused(http: httpx.Client) -> None:
    url = create(http, 100)

    assert http.patch(url, headers={**TUS, "Upload-Offset": "0"}, content=b"x").status_code == 415
    assert http.patch(url, headers=CHUNK, content=b"x").status_code == 400
    assert patch(http, url, 0, bytes(101)).status_code in (409, 413)
    assert patch(http, url, 0, iter([bytes(60), bytes(60)])).status_code == 413
    assert patch(http, "/v1/uploads/" + "x" * 32, 0, b"x").status_code == 404
    assert patch(http, "/v1/uploads/short", 0, b"x").status_code == 404
    assert offset_of(http, url) == 0


def test_a_complete_upload_accepts_no_more_bytes(http: httpx.Client) -> None:
    url = create(http, 4)
    assert patch(http, url, 0, b"abcd").status_code == 204

    assert patch(http, url, 4, b"").status_code == 204
    assert patch(http, url, 4, b"x").status_code == 413


def test_evidence_is_served_in_ranges(http: httpx.Client, tmp_path: Path) -> None:
    voice = samples.voice_note(tmp_path)
    url = create(http, len(voice))
    patch(http, url, 0, voice)
    where = f"/test/media/{settled(http, url)['upload_id']}/playable"
    whole = http.get(where)

    part = http.get(where, headers={"Range": "bytes=100-199"})
    tail = http.get(where, headers={"Range": "bytes=-50"})
    open_end = http.get(where, headers={"Range": "bytes=200-999999999"})

    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-type"] == "audio/mp4"
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert tail.content == whole.content[-50:]
    assert open_end.content == whole.content[200:]
    assert http.get(where, headers={"Range": "bytes=999999999-"}).status_code == 416
    assert http.get(where, headers={"Range": "bytes=0-1,5-6"}).status_code == 200
    stale = http.get(where, headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    assert stale.status_code == 200


def test_documents_are_downloaded_and_never_shown_inline(http: httpx.Client) -> None:
    document = samples.pdf(active=True)
    url = create(http, len(document), **{"Upload-Metadata": f"filename {encoded('<b>؟.html')}"})
    patch(http, url, 0, document)

    answer = http.get(f"/test/media/{settled(http, url)['upload_id']}/evidence")

    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    assert ".html" not in answer.headers["content-disposition"]


def test_a_hundred_megabytes_pass_without_using_memory(http: httpx.Client) -> None:
    before = psutil.Process().memory_info().rss
    size, block = 104 * MIB, os.urandom(MIB)
    url = create(http, size)
    highest = before

    def blocks() -> Iterator[bytes]:
        nonlocal highest
        for _ in range(size // MIB):
            highest = max(highest, psutil.Process().memory_info().rss)
            yield block

    assert patch(http, url, 0, blocks(), **{"Content-Length": str(size)}).status_code == 204

    assert highest - before < 32 * MIB

"""The media service for tests: a sender of uploads, its object store and database, and a clamd that knows only EICAR."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from contracts.base import now
from contracts.intake import SubmissionRegistered
from contracts.media import CreateUpload, GetUpload, PrepareChunk, RecordChunk, SignDownload, UploadState, Variant
from contracts.vocabulary import Channel, Kind, Language
from deploy.local import ports
from deploy.local.parts import ObjectStore, PostgreSQL, RabbitMQ
from services.media.object_store import Bucket
from services.media.processing.virus_scan import Scanner
from tests.support import media_samples as samples
from tests.support.processes import BrokerClient, ServiceProcess, eventually, prepared

CLAMD = shutil.which("clamd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
needs_clamd = pytest.mark.skipif(CLAMD is None, reason="no clamd here: apt-get install clamav-daemon")
PART = 64 * 1024


class Sender:
    """Does what the gateway does with an upload."""

    def __init__(self, broker_client: BrokerClient) -> None:
        self.broker_client = broker_client

    def create(self, size: int, file_name: str | None = None) -> str:
        answer = self.broker_client.call("media", "create_upload", CreateUpload(size=size, file_name=file_name))
        return str(answer["upload_id"])

    def prepare(self, upload_id: str, offset: int) -> dict[str, Any]:
        answer: dict[str, Any] = self.broker_client.call(
            "media", "prepare_chunk", PrepareChunk(upload_id=upload_id, offset=offset)
        )
        return answer

    def record(self, upload_id: str, target: dict[str, Any], offset: int, *lengths: int) -> dict[str, Any]:
        request = RecordChunk(upload_id=upload_id, lease=target["lease"], offset=offset, lengths=list(lengths))
        answer: dict[str, Any] = self.broker_client.call("media", "record_chunk", request)
        return answer

    def put(self, upload_id: str, content: bytes, offset: int = 0) -> dict[str, Any]:
        """All of `content`, in as many pieces as it takes."""
        answer: dict[str, Any] = {}
        at = 0
        while at < len(content):
            target = self.prepare(upload_id, offset + at)
            lengths: list[int] = []
            for url in target["part_urls"]:
                piece = content[at + sum(lengths) :][:PART]
                assert httpx.put(url, content=piece).status_code == 200
                lengths.append(len(piece))
            answer = self.record(upload_id, target, offset + at, *lengths)
            at += sum(lengths)
        return answer

    def send(self, content: bytes, file_name: str | None = None) -> str:
        upload_id = self.create(len(content), file_name)
        self.put(upload_id, content)
        return upload_id

    def state(self, upload_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.broker_client.call("media", "get_upload", GetUpload(upload_id=upload_id))
        return answer

    def settled(self, upload_id: str) -> dict[str, Any]:
        def final_state() -> dict[str, Any] | None:
            seen = self.state(upload_id)
            return seen if seen["state"] in (UploadState.ACCEPTED, UploadState.REJECTED) else None

        return eventually(final_state, timeout=60)

    def download(
        self, upload_id: str, variant: Variant = Variant.EVIDENCE, **more: Any
    ) -> tuple[dict[str, Any], bytes]:
        answer = self.broker_client.call(
            "media", "sign_download", SignDownload(media_id=upload_id, variant=variant, **more)
        )
        return answer, httpx.get(answer["url"]).raise_for_status().content


def environment(
    broker: RabbitMQ, postgres: PostgreSQL, store: ObjectStore, folder: Path, **more: str
) -> dict[str, str]:
    name = f"peygir_media_{uuid.uuid4().hex[:8]}"
    ours = {
        "S3_ENDPOINT": store.endpoint,
        "S3_ACCESS_KEY": store.access_key,
        "S3_SECRET_KEY": store.secret_key,
        "S3_BUCKET": f"test-{uuid.uuid4().hex[:12]}",
        "MEDIA_PART_BYTES": str(PART),
        "MEDIA_WORK_DIR": str(folder / "work"),
        **more,
    }
    return {**prepared("media", broker.url, postgres.url, name), **ours}


def bucket_of(service: ServiceProcess) -> Bucket:
    where = service.environment
    return Bucket(where["S3_ENDPOINT"], where["S3_ACCESS_KEY"], where["S3_SECRET_KEY"], where["S3_BUCKET"])


def database_of(service: ServiceProcess) -> psycopg.Connection[Any]:
    return psycopg.connect(service.environment["DATABASE_URL"].replace("+psycopg", ""), autocommit=True)


def filed(*uploads: str, case_id: uuid.UUID | None = None) -> SubmissionRegistered:
    return SubmissionRegistered(
        id=uuid.uuid4(),
        occurred_at=now(),
        case_id=case_id or uuid.uuid4(),
        code_hash="0" * 64,
        kind=Kind.INFORMATION,
        unit=None,
        unit_asked="x",
        ground="delay",
        text="…",
        uploads=list(uploads),
        channel=Channel.WEB,
        language=Language.FA,
        filed_at=now(),
        anonymous=True,
        content_hash="0" * 64,
    )


# --- clamd: no virus database is downloaded ---


@contextmanager
def running_clamd(folder: Path, max_bytes: int = 4 * 1024 * 1024) -> Iterator[int]:
    """A clamd that knows EICAR, on the port that is given; it ends with the block."""
    signature = f"{hashlib.md5(samples.EICAR, usedforsecurity=False).hexdigest()}:{len(samples.EICAR)}:Peygir.Eicar\n"
    (folder / "db").mkdir()
    (folder / "db" / "peygir.hdb").write_text(signature)
    port = ports.pick()
    (folder / "clamd.conf").write_text(
        f"DatabaseDirectory {folder}/db\nTCPSocket {port}\nTCPAddr 127.0.0.1\nForeground yes\n"
        f"TemporaryDirectory {folder}\nMaxThreads 2\nStreamMaxLength {max_bytes}\nMaxFileSize {max_bytes}\n"
    )
    if CLAMD is None:
        raise RuntimeError("clamd is not installed")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([CLAMD, f"--config-file={folder}/clamd.conf"], stdout=log, stderr=log)
        try:
            _await_answer(Scanner("127.0.0.1", port, timeout=2), process, folder / "log")
            yield port
        finally:
            process.kill()
            process.wait()


def _await_answer(scanner: Scanner, process: subprocess.Popen[bytes], log: Path) -> None:
    pause = threading.Event()
    for _ in range(300):
        if scanner.ping():
            return
        if process.poll() is not None:
            break
        pause.wait(0.1)
    raise RuntimeError(f"clamd did not come up: {log.read_text()[-2000:]}")

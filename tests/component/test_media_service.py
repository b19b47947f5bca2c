"""The media service as users run it: its own process, a real broker, database and object store."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import piexif
import pytest

from backbone.storage.database import Database
from contracts.base import now
from contracts.errors import Gone, NotFound, OffsetConflict, StillRegistering, TooLarge, WrongStage
from contracts.media import (
    GetUpload,
    ListFileNames,
    MediaUploaded,
    PrepareChunk,
    TerminateUpload,
    UploadState,
    Variant,
)
from deploy.local.parts import ObjectStore, PostgreSQL, RabbitMQ
from services.media.composition import Media
from services.media.settings import Settings
from tests.support import media_samples as samples
from tests.support.media import PART, Sender, bucket_of, database_of, environment, filed, needs_clamd, running_clamd
from tests.support.processes import BrokerClient, ServiceProcess, eventually

pytestmark = pytest.mark.timeout(180)


def test_a_photo_is_uploaded_in_chunks_and_downloaded_without_its_location(
    sender: Sender, media: ServiceProcess
) -> None:
    photo = samples.photo(size=(3200, 2400))
    assert len(photo) > 2 * PART

    upload_id = sender.send(photo, "../neda's photo.exe.jpg")
    seen = sender.settled(upload_id)

    assert seen["state"] == UploadState.ACCEPTED
    assert seen["offset"] == len(photo)
    answer, made = sender.download(upload_id)
    assert not piexif.load(made)["GPS"]
    assert samples.CAMERA not in made
    assert (answer["media_type"], answer["inline"], answer["file_name"]) == (
        "image/jpeg",
        True,
        "evidence-1.jpg",  # what her phone called it may say who she is
    )
    assert (answer["size"], answer["sha256"]) == (len(made), hashlib.sha256(made).hexdigest())
    [event] = eventually(
        lambda: [e for e in sender.broker_client.recorded_events("media.accepted.v1") if e["media_id"] == upload_id]
    )
    assert event["sha256"] == hashlib.sha256(photo).hexdigest()
    assert set(event["variants"]) == {"evidence", "preview", "thumbnail"}
    assert event["scanned"] is False
    assert eventually(lambda: not list(bucket_of(media).keys(f"quarantine/{upload_id}/")) or None) is True


def test_a_voice_note_can_be_played(sender: Sender, tmp_path: Path) -> None:
    upload_id = sender.send(samples.voice_note(tmp_path))

    assert sender.settled(upload_id)["state"] == UploadState.ACCEPTED
    answer, made = sender.download(upload_id, Variant.PLAYABLE)
    assert answer["media_type"] == "audio/mp4"
    assert answer["file_name"] == "evidence-1.m4a"
    assert made[4:8] == b"ftyp"
    with pytest.raises(NotFound):
        sender.download(upload_id, Variant.THUMBNAIL)


def test_a_document_is_never_shown_inline(sender: Sender) -> None:
    upload_id = sender.send(samples.pdf(active=True), "order.pdf")

    assert sender.settled(upload_id)["state"] == UploadState.ACCEPTED
    answer, made = sender.download(upload_id)
    assert (answer["inline"], answer["media_type"]) == (False, "application/pdf")
    assert b"/JavaScript" not in made


def test_a_file_that_cannot_be_evidence_is_rejected_with_its_reason(sender: Sender) -> None:
    upload_id = sender.send(b"<html><script>alert(1)</script></html>", "photo.jpg")

    seen = sender.settled(upload_id)

    assert (seen["state"], seen["reason"]) == (UploadState.REJECTED, "type_not_permitted")
    [event] = eventually(
        lambda: [e for e in sender.broker_client.recorded_events("media.rejected.v1") if e["media_id"] == upload_id]
    )
    assert event["reason"] == "type_not_permitted"
    with pytest.raises(Gone):
        sender.download(upload_id)


def test_an_upload_of_no_bytes_is_complete_and_rejected(sender: Sender) -> None:
    assert sender.settled(sender.create(0))["reason"] == "empty"


def test_an_upload_beyond_the_limit_is_refused_before_its_first_byte(sender: Sender) -> None:
    with pytest.raises(TooLarge):
        sender.create(200 * 1024 * 1024 + 1)


def test_ids_cannot_be_guessed(sender: Sender) -> None:
    ids = {sender.create(10) for _ in range(5)}

    assert len(ids) == 5
    assert min(map(len, ids)) >= 32
    with pytest.raises(NotFound):
        sender.state("x" * 32)


def test_one_of_two_attempts_at_one_offset_counts(sender: Sender) -> None:
    photo = samples.photo()
    upload_id = sender.create(len(photo))
    first, second = sender.prepare(upload_id, 0), sender.prepare(upload_id, 0)
    assert httpx.put(first["part_urls"][0], content=photo).status_code == 200
    assert httpx.put(second["part_urls"][0], content=bytes(len(photo))).status_code == 200

    sender.record(upload_id, first, 0, len(photo))
    with pytest.raises(OffsetConflict) as refused:
        sender.record(upload_id, second, 0, len(photo))

    assert refused.value.params["offset"] == len(photo)
    assert sender.settled(upload_id)["state"] == UploadState.ACCEPTED


def test_a_truncated_chunk_counts_as_far_as_it_arrived(sender: Sender) -> None:
    photo = samples.photo()
    upload_id = sender.create(len(photo))
    target = sender.prepare(upload_id, 0)
    httpx.put(target["part_urls"][0], content=photo[:777] + bytes(5000))

    assert sender.record(upload_id, target, 0, 777)["offset"] == 777
    sender.put(upload_id, photo[777:], 777)

    assert sender.settled(upload_id)["state"] == UploadState.ACCEPTED


def test_more_bytes_than_announced_are_refused(sender: Sender) -> None:
    upload_id = sender.create(100)
    target = sender.prepare(upload_id, 0)

    with pytest.raises(OffsetConflict):
        sender.record(upload_id, target, 0, 101)


def test_an_upload_at_a_wrong_offset_gets_the_right_offset(sender: Sender) -> None:
    upload_id = sender.create(100)

    with pytest.raises(OffsetConflict) as refused:
        sender.prepare(upload_id, 50)
    assert refused.value.params["offset"] == 0


def test_a_terminated_upload_is_removed_with_all_its_bytes(sender: Sender, media: ServiceProcess) -> None:
    upload_id = sender.create(1000)
    sender.put(upload_id, bytes(500))

    assert (
        sender.broker_client.call("media", "terminate_upload", TerminateUpload(upload_id=upload_id))["state"]
        == "removed"
    )

    with pytest.raises(Gone):
        sender.state(upload_id)
    with pytest.raises(Gone):
        sender.put(upload_id, bytes(500), 500)


def test_an_upload_of_a_case_is_kept_and_belongs_to_that_case(sender: Sender) -> None:
    upload_id = sender.send(samples.photo())
    sender.settled(upload_id)
    case, other = uuid.uuid4(), uuid.uuid4()
    with pytest.raises(StillRegistering):
        sender.download(upload_id, case_id=case)

    sender.broker_client.publish_event(filed(upload_id, case_id=case))

    [claimed] = eventually(lambda: sender.broker_client.recorded_events("media.claimed.v1"))
    assert (claimed["media_id"], claimed["case_id"]) == (upload_id, str(case))
    assert sender.download(upload_id, case_id=case)[1]
    sender.broker_client.publish_event(last := filed(unknown := "u" * 32, case_id=other))
    [rejected] = eventually(
        lambda: [e for e in sender.broker_client.recorded_events("media.rejected.v1") if e["media_id"] == unknown]
    )
    assert rejected["reason"] == "unknown"
    assert last.case_id == other
    with pytest.raises(NotFound):
        sender.download(upload_id, case_id=other)
    assert len(sender.broker_client.recorded_events("media.claimed.v1")) == 1


def test_an_upload_reveals_nothing_once_a_case_has_claimed_it(sender: Sender) -> None:
    """Those who handle the case know its id; its citizen is told with the case, and what they called it, too."""
    upload_id, case, other = sender.send(samples.photo(), "neda 09121234567.jpg"), uuid.uuid4(), uuid.uuid4()
    half = sender.create(1000, "neda.jpg")
    assert sender.settled(upload_id)["file_name"] == "neda 09121234567.jpg"

    sender.broker_client.publish_event(filed(upload_id, half, case_id=case))
    eventually(lambda: len(sender.broker_client.recorded_events("media.claimed.v1")) == 2)

    for ask, request in (
        ("get_upload", GetUpload(upload_id=upload_id)),
        ("prepare_chunk", PrepareChunk(upload_id=upload_id, offset=0)),
        ("terminate_upload", TerminateUpload(upload_id=upload_id)),
    ):
        with pytest.raises(NotFound):
            sender.broker_client.call("media", ask, request)
    # Its sender goes on with what is not whole, and hears no name of it.
    assert sender.put(half, bytes(10))["offset"] == 10
    assert sender.state(half)["file_name"] is None
    with pytest.raises(WrongStage):
        sender.broker_client.call("media", "terminate_upload", TerminateUpload(upload_id=half))

    def names(case_id: uuid.UUID) -> Any:
        return sender.broker_client.call(
            "media", "list_file_names", ListFileNames(case_id=case_id, media_ids=[upload_id, half])
        )

    assert names(case)["names"] == {upload_id: "neda 09121234567.jpg", half: "neda.jpg"}
    assert names(other)["names"] == {}


def test_stored_bytes_and_their_record_contain_no_typed_name(sender: Sender, media: ServiceProcess) -> None:
    upload_id = sender.send(samples.photo(), "neda 09121234567.jpg")
    sender.settled(upload_id)
    answer, _ = sender.download(upload_id, label="office-2")
    assert answer["file_name"] == "office-2.jpg"
    keys, headers = list(bucket_of(media).keys(f"evidence/{upload_id}/")), dict(httpx.get(answer["url"]).headers)
    stored_text = f"{keys} {headers} {sender.broker_client.recorded_events('media.accepted.v1')}"
    assert "neda" not in stored_text
    assert "09121234567" not in stored_text
    assert "neda" not in media.log.read_text()


def test_an_examination_of_a_killed_process_is_repeated_and_counts_once(
    sender: Sender, media: ServiceProcess, tmp_path: Path
) -> None:
    work = Path(media.environment["MEDIA_WORK_DIR"])
    upload_id = sender.send(25 * samples.voice_note(tmp_path, ".aac", seconds=20))
    eventually(lambda: list(work.glob("examination-*/out/evidence*")), why="the examination should have begun")

    media.kill()
    media.start()

    assert sender.settled(upload_id)["state"] == UploadState.ACCEPTED
    sender.broker_client.publish_event(MediaUploaded(id=uuid.uuid4(), occurred_at=now(), media_id=upload_id))
    marker = sender.send(samples.photo())
    sender.settled(marker)
    eventually(
        lambda: [e for e in sender.broker_client.recorded_events("media.accepted.v1") if e["media_id"] == marker]
    )
    assert (
        len([e for e in sender.broker_client.recorded_events("media.accepted.v1") if e["media_id"] == upload_id]) == 1
    )


def test_only_unclaimed_uploads_are_purged(
    alone: None, broker: RabbitMQ, postgres: PostgreSQL, store: ObjectStore, broker_client: BrokerClient, tmp_path: Path
) -> None:
    where = environment(broker, postgres, store, tmp_path, MEDIA_PURGE_GRACE_SECONDS="0")
    service = ServiceProcess("media", where, tmp_path / "log").start()
    try:
        broker_client.record_events("media.events")
        sender = Sender(broker_client)
        wanted, unwanted, half, awaited = (
            sender.send(samples.photo()),
            sender.send(samples.photo()),
            sender.create(1000),
            sender.create(1000),
        )
        sender.put(half, bytes(500))
        broker_client.publish_event(filed(wanted, awaited))
        eventually(lambda: len(broker_client.recorded_events("media.claimed.v1")) == 2)
        eventually(lambda: len(broker_client.recorded_events("media.accepted.v1")) == 2)
        with database_of(service) as connection:
            long_ago = datetime(2026, 1, 1, tzinfo=UTC)
            connection.execute("UPDATE uploads SET expires_at = %s", [long_ago])

        ours = {name.lower(): value for name, value in where.items()}
        retention, database = Media(Settings.model_validate(ours)).retention, Database(where["DATABASE_URL"])
        assert retention.purge(database) == 3
        assert retention.purge(database) == 0
        retention.sweep(database)

        assert sender.download(wanted)[1]
        for gone in (unwanted, half):
            with pytest.raises(Gone):
                sender.state(gone)
            assert not [
                *bucket_of(service).keys(f"quarantine/{gone}/"),
                *bucket_of(service).keys(f"evidence/{gone}/"),
            ]
        [rejected] = eventually(lambda: broker_client.recorded_events("media.rejected.v1"))
        assert (rejected["media_id"], rejected["reason"]) == (awaited, "incomplete")

        broker_client.publish_event(filed(unwanted))
        late = eventually(
            lambda: [e for e in broker_client.recorded_events("media.rejected.v1") if e["media_id"] == unwanted]
        )
        assert late[0]["reason"] == "expired"
        database.close()
    finally:
        service.kill()


def test_a_later_sweep_removes_leftovers_of_a_lost_race(sender: Sender, media: ServiceProcess) -> None:
    upload_id = sender.send(samples.photo())
    sender.settled(upload_id)
    objects = bucket_of(media)
    kept = set(objects.keys(f"evidence/{upload_id}/"))
    for key in (f"quarantine/{upload_id}/loser-00000", f"evidence/{upload_id}/loser/evidence.jpg"):
        httpx.put(objects.presigned_put(key, timedelta(minutes=1)), content=b"x").raise_for_status()
    with database_of(media) as connection:
        connection.execute(
            "UPDATE uploads SET settled_at = settled_at - interval '1 day' WHERE upload_id = %s", [upload_id]
        )

    ours = {name.lower(): value for name, value in media.environment.items()}
    database = Database(media.environment["DATABASE_URL"])
    Media(Settings.model_validate(ours)).retention.sweep(database)
    database.close()

    assert set(objects.keys(f"evidence/{upload_id}/")) == kept
    assert not list(objects.keys(f"quarantine/{upload_id}/"))


@needs_clamd
def test_a_configured_scanner_decides(
    alone: None, broker: RabbitMQ, postgres: PostgreSQL, store: ObjectStore, broker_client: BrokerClient, tmp_path: Path
) -> None:
    (tmp_path / "clamd").mkdir()
    with running_clamd(tmp_path / "clamd") as port:
        where = environment(broker, postgres, store, tmp_path, CLAMAV_HOST="127.0.0.1", CLAMAV_PORT=str(port))
        service = ServiceProcess("media", where, tmp_path / "log").start()
        try:
            broker_client.record_events("media.events")
            sender = Sender(broker_client)

            virus, photo = sender.send(samples.EICAR, "photo.jpg"), sender.send(samples.photo())

            assert sender.settled(virus)["reason"] == "infected"
            assert sender.settled(photo)["state"] == UploadState.ACCEPTED
            [event] = eventually(lambda: broker_client.recorded_events("media.accepted.v1"))
            assert event["scanned"] is True
        finally:
            service.kill()


def test_without_the_scanner_nothing_is_accepted_unscanned(
    alone: None, broker: RabbitMQ, postgres: PostgreSQL, store: ObjectStore, broker_client: BrokerClient, tmp_path: Path
) -> None:
    where = environment(broker, postgres, store, tmp_path, CLAMAV_HOST="127.0.0.1", CLAMAV_PORT="1")
    service = ServiceProcess("media", where, tmp_path / "log").start()
    try:
        sender = Sender(broker_client)

        upload_id = sender.send(samples.photo())

        delays = ("delay.1s", "delay.10s")
        eventually(lambda: any(map(broker_client.queue_depth, delays)), why="it should be put off")
        assert sender.state(upload_id)["state"] == UploadState.PROCESSING
    finally:
        service.kill()

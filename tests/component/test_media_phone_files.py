"""Files of real devices and programs (`tests/media_files`), through the media service as users run it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader

from backbone.storage.database import Database
from contracts.media import UploadState, Variant
from deploy.local.parts import ObjectStore, PostgreSQL, RabbitMQ
from services.media.composition import Media
from services.media.settings import Settings
from tests.support import media_samples as samples
from tests.support.media import Sender, database_of, environment
from tests.support.processes import BrokerClient, ServiceProcess, eventually

pytestmark = pytest.mark.timeout(180)
FILES = Path(__file__).parents[1] / "support" / "media_files"
SOUND = ("chromium_audio_mp4_opus.mp4", "samsung_recorder.m4a", "old.amr")
FILMS = ("iphone.mov", "android.3gp")


def accepted(sender: Sender, content: bytes) -> tuple[str, dict[str, Any]]:
    """The upload's id and what media said of it to the others."""
    upload_id = sender.send(content)
    seen = sender.settled(upload_id)
    assert seen["state"] == UploadState.ACCEPTED, seen
    [event] = eventually(
        lambda: [e for e in sender.broker_client.recorded_events("media.accepted.v1") if e["media_id"] == upload_id]
    )
    assert seen["notes"] == event["notes"]
    return upload_id, event


@pytest.mark.parametrize("name", SOUND)
def test_a_phone_recording_is_accepted_and_its_copy_plays_in_every_browser(
    sender: Sender, name: str, tmp_path: Path
) -> None:
    upload_id, event = accepted(sender, (FILES / name).read_bytes())

    answer, made = sender.download(upload_id, Variant.PLAYABLE)
    assert (answer["media_type"], answer["inline"]) == ("audio/mp4", True)
    assert "Audio: aac" in samples.described(made, tmp_path)
    assert event["media_type"] == "audio/mp4"
    assert event["duration_seconds"] == pytest.approx(3, abs=0.7)


@pytest.mark.parametrize("name", FILMS)
def test_a_phone_video_is_accepted_and_its_copy_plays_in_every_browser(
    sender: Sender, name: str, tmp_path: Path
) -> None:
    upload_id, event = accepted(sender, (FILES / name).read_bytes())

    for variant in (Variant.EVIDENCE, Variant.PLAYABLE):
        answer, made = sender.download(upload_id, variant)
        assert (answer["media_type"], answer["inline"]) == ("video/mp4", True)
        streams = samples.described(made, tmp_path)
        assert "Video: h264" in streams
        assert "yuv420p" in streams
        assert "Audio: aac" in streams
    assert set(event["variants"]) == {"evidence", "playable", "preview", "thumbnail"}


def picture(sender: Sender, upload_id: str, variant: Variant = Variant.EVIDENCE) -> Image.Image:
    return Image.open(io.BytesIO(sender.download(upload_id, variant)[1]))


def test_a_photo_with_unreadable_metadata_is_accepted_and_upright(sender: Sender) -> None:
    content = (FILES / "srational_neg0.jpg").read_bytes()
    lying = Image.open(io.BytesIO(content)).size

    upload_id, event = accepted(sender, content)

    assert picture(sender, upload_id).size == (lying[1], lying[0])
    assert event["notes"] == []


def test_a_picture_one_pixel_wide_has_a_verdict(sender: Sender) -> None:
    upload_id, _ = accepted(sender, (FILES / "thin.png").read_bytes())

    assert picture(sender, upload_id).size == (1, 4000)
    assert min(picture(sender, upload_id, Variant.THUMBNAIL).size) == 1


def test_a_photo_without_its_end_marker_is_accepted_completely(sender: Sender) -> None:
    content = (FILES / "no_eoi.jpg").read_bytes()

    upload_id, event = accepted(sender, content)

    made = picture(sender, upload_id).convert("RGB")
    whole = Image.open(io.BytesIO(content + b"\xff\xd9")).convert("RGB")
    assert made.size == whole.size
    assert [*made.resize((8, 8)).tobytes()] == pytest.approx([*whole.resize((8, 8)).tobytes()], abs=6)
    assert event["notes"] == []


def test_a_photo_of_64_megapixels_is_accepted_and_scaled_down(sender: Sender) -> None:
    made = io.BytesIO()
    samples.picture((9248, 6936)).save(made, "JPEG", quality=50)

    upload_id, event = accepted(sender, made.getvalue())

    width, height = picture(sender, upload_id).size
    assert 45_000_000 < width * height <= 50_000_000
    assert width / height == pytest.approx(4 / 3, abs=0.01)
    assert event["notes"] == ["scaled_down"]


@pytest.mark.parametrize("name", ["bom.pdf", "no_eof.pdf"])
def test_a_document_that_viewers_open_is_accepted(sender: Sender, name: str) -> None:
    upload_id, event = accepted(sender, (FILES / name).read_bytes())

    made = sender.download(upload_id)[1]
    assert made.startswith(b"%PDF-")
    assert made.rstrip().endswith(b"%%EOF")
    assert PdfReader(io.BytesIO(made), strict=True).pages[0].extract_text().strip()
    assert event["media_type"] == "application/pdf"


def test_a_document_that_needs_a_password_is_refused_with_that_reason(sender: Sender) -> None:
    seen = sender.settled(sender.send((FILES / "user_password.pdf").read_bytes()))

    assert (seen["state"], seen["reason"]) == (UploadState.REJECTED, "encrypted")


def test_the_first_frame_of_an_animated_picture_is_kept_and_noted(sender: Sender) -> None:
    upload_id, event = accepted(sender, (FILES / "animated.webp").read_bytes())

    assert event["notes"] == ["first_frame_only"]
    assert getattr(picture(sender, upload_id), "n_frames", 1) == 1


def test_a_check_delayed_by_the_service_is_announced_once(
    broker: RabbitMQ,
    postgres: PostgreSQL,
    store: ObjectStore,
    broker_client: BrokerClient,
    media: ServiceProcess,
    tmp_path: Path,
) -> None:
    media.kill()
    where = environment(broker, postgres, store, tmp_path, CLAMAV_HOST="127.0.0.1", CLAMAV_PORT="1")
    service = ServiceProcess("media", where, tmp_path / "log").start()
    try:
        broker_client.record_events("media.events")
        sender = Sender(broker_client)
        waiting = sender.send(samples.photo())
        processing = Media(Settings.model_validate({name.lower(): value for name, value in where.items()})).processing
        database = Database(where["DATABASE_URL"])
        assert processing.report_delayed(database) == 0

        with database_of(service) as connection:
            connection.execute("UPDATE uploads SET expires_at = expires_at - interval '1 hour'")
        assert processing.report_delayed(database) == 1
        assert processing.report_delayed(database) == 0
        database.close()

        seen = sender.state(waiting)
        assert (seen["state"], seen["notes"]) == (UploadState.PROCESSING, ["check_delayed"])
        [event] = eventually(lambda: broker_client.recorded_events("media.delayed.v1"))
        assert event["media_id"] == waiting
    finally:
        service.kill()
        media.start()

"""Uploads of a draft: kept for longer, and seen before they are filed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from contracts.base import now
from contracts.errors import Gone, NotFound, StillRegistering, TooManyUploads
from contracts.media import UNFILED_DAYS, RenewUpload, SignOwnUpload, UploadState, Variant
from tests.support import media_samples as samples
from tests.support.media import Sender, database_of, filed
from tests.support.processes import ServiceProcess, eventually

pytestmark = pytest.mark.timeout(180)
MIB = 1024 * 1024


def renew(sender: Sender, upload_id: str, address_key: str | None = None) -> datetime:
    """When it is given up now."""
    request = RenewUpload(upload_id=upload_id, address_key=address_key)
    return datetime.fromisoformat(sender.broker_client.call("media", "renew_upload", request)["expires_at"])


def test_a_draft_keeps_its_upload_for_a_week_at_most(sender: Sender, media: ServiceProcess) -> None:
    upload_id = sender.send(samples.photo(), "photo.jpg")
    sender.settled(upload_id)
    with database_of(media) as database:
        database.execute(
            "UPDATE uploads SET expires_at = now() + interval '1 minute' WHERE upload_id = %s", [upload_id]
        )
    assert timedelta(hours=23) < renew(sender, upload_id) - now() < timedelta(hours=25)
    with database_of(media) as database:
        set_back = (
            "UPDATE uploads SET created_at = now() - interval '6 days 20 hours', expires_at = now() + interval '1 hour'"
        )
        database.execute(f"{set_back} WHERE upload_id = %s", [upload_id])
    assert UNFILED_DAYS == 7
    assert timedelta(hours=3) < renew(sender, upload_id) - now() < timedelta(hours=5)
    with database_of(media) as database:
        database.execute(
            "UPDATE uploads SET expires_at = now() - interval '1 minute' WHERE upload_id = %s", [upload_id]
        )
    with pytest.raises(Gone):
        renew(sender, upload_id)


def test_what_is_kept_counts_against_the_address_that_keeps_it(sender: Sender, media: ServiceProcess) -> None:
    upload_id, other = (sender.send(samples.photo(), "photo.jpg") for _ in range(2))
    sender.settled(upload_id)
    sender.settled(other)
    address = "b" * 64
    renew(sender, other, address)
    with database_of(media) as database:
        database.execute("UPDATE uploads SET size = %s WHERE upload_id = %s", [2048 * MIB, other])
    with pytest.raises(TooManyUploads):
        renew(sender, upload_id, address)
    renew(sender, upload_id, "c" * 64)


def test_an_upload_is_seen_by_its_id_until_a_case_has_it(sender: Sender) -> None:
    photo = samples.photo(size=(2000, 1000))
    upload_id = sender.create(len(photo), "photo.jpg")
    with pytest.raises(StillRegistering):
        sender.broker_client.call("media", "sign_own_upload", SignOwnUpload(upload_id=upload_id))
    sender.put(upload_id, photo)
    sender.settled(upload_id)
    signed = sender.broker_client.call("media", "sign_own_upload", SignOwnUpload(upload_id=upload_id))
    made = httpx.get(signed["url"]).content
    assert made.startswith(b"\xff\xd8")
    assert samples.CAMERA not in made
    sender.broker_client.publish_event(filed(upload_id))

    def is_claimed() -> bool:
        try:
            sender.broker_client.call("media", "sign_own_upload", SignOwnUpload(upload_id=upload_id))
        except NotFound:
            return True
        return False

    assert eventually(is_claimed)
    with pytest.raises(NotFound):
        renew(sender, upload_id)


def test_a_voice_note_has_peaks_and_a_photo_its_pixels(sender: Sender, tmp_path: Path) -> None:
    note = sender.send(samples.voice_note(tmp_path, seconds=2), "note.ogg")
    photo = sender.send(samples.photo(size=(800, 600)), "photo.jpg")
    assert sender.settled(note)["state"] == UploadState.ACCEPTED
    sender.settled(photo)
    signed = sender.broker_client.call("media", "sign_own_upload", SignOwnUpload(upload_id=note, variant=Variant.PEAKS))
    peaks = json.loads(httpx.get(signed["url"]).content)
    assert 30 <= len(peaks["peaks"]) <= 45
    events = {event["media_id"]: event for event in sender.broker_client.recorded_events("media.accepted.v1")}
    assert (events[note]["peaks"], "peaks" in events[note]["variants"]) == (True, False)
    assert (events[photo]["width"], events[photo]["height"], events[photo]["peaks"]) == (800, 600, False)

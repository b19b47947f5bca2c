"""What is told of a file, to its citizen and to staff; drafts that keep their files; redacted versions; waveforms."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from backbone.persian import jalali
from contracts.base import now
from deploy.demo import evidence
from tests.e2e.people import JSON, Case, Town, good
from tests.e2e.test_evidence import attachments
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)
NAME = "صدای جلسه.wav"


def by_type(files: list[JSON]) -> dict[str, JSON]:
    return {file["media_type"].partition("/")[0]: file for file in files}


def filed_with_both(town: Town) -> tuple[Case, Any]:
    citizen = town.caller()
    uploads = [citizen.upload(evidence.photo()), citizen.upload(evidence.voice_note(3), NAME, "audio/wav")]
    case, _, signed_in = town.complaint(uploads=uploads)
    attachments(case)
    return case, signed_in


def test_name_length_size_and_moment_are_told(town: Town) -> None:
    case, _ = filed_with_both(town)
    own = by_type(attachments(case))
    assert own["audio"]["file_name"] == NAME
    assert abs(own["audio"]["duration_seconds"] - 3) < 0.5
    assert own["image"]["width"] > 0
    assert own["image"]["height"] > 0
    for file in own.values():
        assert file["uploader"] == "citizen"
        at = datetime.fromisoformat(file["uploaded_at"])
        assert file["uploaded_at_text"] == jalali.moment(at)
        assert abs(at - now()) < timedelta(hours=1)
        assert file["size"] > 0
    inspector = town.assigned(case)
    case_id = case.view()["case_id"]
    staff = by_type(inspector.read(case_id)["attachments"])
    assert staff["audio"]["file_name"].startswith("evidence-2.")
    assert staff["audio"]["duration_seconds"] == own["audio"]["duration_seconds"]
    assert (staff["audio"]["uploader"], staff["audio"]["uploaded_by"]) == ("citizen", None)


def test_a_waveform_can_be_drawn(town: Town) -> None:
    case, signed_in = filed_with_both(town)
    note = by_type(attachments(case))["audio"]
    assert note["peaks"] is True
    case_id = case.view()["case_id"]
    inspector = town.assigned(case).caller
    for caller, path in (
        (case.holder, f"/v1/tracking/attachments/{note['media_id']}"),
        (signed_in, f"/v1/me/cases/{case_id}/attachments/{note['media_id']}"),
        (inspector, f"/v1/cases/{case_id}/attachments/{note['media_id']}"),
    ):
        answer = caller.get(path, variant="peaks")
        assert answer.headers["content-type"] == "application/json"
        peaks = good(answer)
        assert abs(peaks["seconds"] - 3) < 0.5
        assert 40 <= len(peaks["peaks"]) <= 800
        assert all(isinstance(peak, int) and 0 <= peak <= 100 for peak in peaks["peaks"])
        assert max(peaks["peaks"]) > 0


def test_a_redacted_version_is_tied_to_its_original(town: Town) -> None:
    case, signed_in = filed_with_both(town)
    inspector = town.assigned(case)
    case_id = case.view()["case_id"]
    original = by_type(inspector.read(case_id)["attachments"])["image"]["media_id"]
    redacted = inspector.caller.upload(evidence.photo())
    inspector.do(case_id, "evidence", uploads=[redacted], redacts=original)

    def ready() -> dict[str, JSON]:
        files = {file["media_id"]: file for file in inspector.read(case_id)["attachments"]}
        assert files[redacted]["state"] == "accepted"
        return files

    files = eventually(ready, timeout=90)
    assert (files[redacted]["redacts"], files[original]["redacted_as"]) == (original, [redacted])
    me = good(inspector.caller.get("/v1/me"))
    assert (files[redacted]["uploaded_by"], files[redacted]["uploader"]) == (me["id"], "office")
    assert files[redacted]["uploaded_by_name"]
    # The unit gets the redacted version alone, and does not hear of another one; the citizen hears of none.
    inspector.do(case_id, "unit-questions", text="این تابلو از شماست؟", media=[redacted])
    questions = town.officer("liaison").caller.get("/v1/unit-questions")
    assert redacted in questions.text
    assert original not in questions.text
    own = {file["media_id"]: file for file in good(signed_in.get(f"/v1/me/cases/{case_id}"))["attachments"]}
    assert own[original]["redacted_as"] == []
    assert redacted not in own


def test_a_draft_sees_its_file_and_keeps_it_longer(town: Town) -> None:
    citizen = town.caller()
    upload = citizen.upload(evidence.photo())

    def checked() -> bool:
        return bool(good(citizen.get(f"/v1/uploads/{upload}"))["state"] == "accepted")

    eventually(checked, timeout=90)
    for variant in ("preview", "thumbnail"):
        seen = town.http.get(f"/v1/uploads/{upload}/preview", params={"variant": variant})
        assert seen.status_code == 200
        assert seen.content.startswith(b"\xff\xd8")
        assert seen.headers["cache-control"] == "private, no-store"
        assert not evidence.has_gps(seen.content)
    before = datetime.fromisoformat(good(citizen.get(f"/v1/uploads/{upload}"))["expires_at"])
    renewed = good(citizen.request("POST", f"/v1/uploads/{upload}/renewal"))
    after = datetime.fromisoformat(renewed["expires_at"])
    assert before <= after <= now() + timedelta(hours=25)
    assert town.http.get(f"/v1/uploads/{'n' * 32}/preview").status_code == 404
    # Once it is filed, its id opens nothing any more.
    case, _, _ = town.complaint(uploads=[upload])
    case.view()

    def closed() -> bool:
        answers = [
            town.http.get(f"/v1/uploads/{upload}/preview"),
            town.http.post(f"/v1/uploads/{upload}/renewal"),
        ]
        return [answer.status_code for answer in answers] == [404, 404]

    assert eventually(closed)

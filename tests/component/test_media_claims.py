"""One upload in several cases: shared by those of the person who sent it, refused to others, kept until the last lets go."""

from __future__ import annotations

import uuid
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from contracts.base import Event, now
from contracts.errors import Gone, NotFound
from contracts.intake import SubmissionRegistered
from contracts.media import ListFileNames
from contracts.tracking import CitizenAnswered, EvidenceAdded, RetentionDue, UnitAnswered
from contracts.vocabulary import KeptPart, Stage
from tests.support import media_samples as samples
from tests.support.events import case_snapshot
from tests.support.media import Sender, bucket_of, database_of, filed
from tests.support.processes import ServiceProcess, eventually

pytestmark = pytest.mark.timeout(180)
NEDA, OMID = uuid.uuid4(), uuid.uuid4()


def registered(*uploads: str, by: UUID | None = None) -> SubmissionRegistered:
    return filed(*uploads).model_copy(update={"citizen_id": by, "anonymous": by is None})


def of_case(event: type[Event], case_id: UUID, by: UUID | None = None, **more: Any) -> Any:
    """What tracking tells of a case of this citizen."""
    state = case_snapshot(stage=Stage.INVESTIGATING, citizen_id=by)
    return event(id=uuid.uuid4(), occurred_at=now(), case_id=case_id, sequence=2, state=state, **more)


def claimed(sender: Sender, case_id: UUID) -> list[dict[str, Any]]:
    return [
        event for event in sender.broker_client.recorded_events("media.claimed.v1") if event["case_id"] == str(case_id)
    ]


def refused(sender: Sender, case_id: UUID) -> list[dict[str, Any]]:
    return [
        event
        for event in sender.broker_client.recorded_events("media.claim_refused.v1")
        if event["case_id"] == str(case_id)
    ]


def grows_old(media: ServiceProcess, upload_id: str) -> None:
    with database_of(media) as connection:
        connection.execute("UPDATE uploads SET expires_at = now() - interval '1 day' WHERE upload_id = %s", [upload_id])


def names(sender: Sender, case_id: UUID, upload_id: str) -> Any:
    return sender.broker_client.call("media", "list_file_names", ListFileNames(case_id=case_id, media_ids=[upload_id]))[
        "names"
    ]


def used(sender: Sender, by: UUID | None = None) -> tuple[str, UUID]:
    """A photo that is accepted and belongs to a case of this person."""
    upload_id = sender.send(samples.photo(), "neda.jpg")
    sender.settled(upload_id)
    first = registered(upload_id, by=by)
    sender.broker_client.publish_event(first)
    eventually(lambda: claimed(sender, first.case_id))
    return upload_id, first.case_id


def again(case_id: UUID, upload_id: str, kind: str, by: UUID | None) -> Any:
    """The ways in which a citizen names an upload."""
    if kind == "filing":
        return registered(upload_id, by=by).model_copy(update={"case_id": case_id})
    if kind == "answer":
        return of_case(CitizenAnswered, case_id, by, question_id=uuid.uuid4(), uploads=[upload_id])
    return of_case(EvidenceAdded, case_id, by, uploads=[upload_id], by_citizen=True)


@pytest.mark.parametrize("kind", ["filing", "answer", "evidence"])
@pytest.mark.parametrize("by", [NEDA, None], ids=["signed in", "anonymous"])
def test_a_second_case_of_the_same_person_may_use_it_too(sender: Sender, kind: str, by: UUID | None) -> None:
    upload_id, first = used(sender, by)
    second = uuid.uuid4()

    sender.broker_client.publish_event(again(second, upload_id, kind, by))
    eventually(lambda: claimed(sender, second))

    assert sender.download(upload_id, case_id=second)[1] == sender.download(upload_id, case_id=first)[1]
    assert names(sender, first, upload_id) == {upload_id: "neda.jpg"}
    # An id alone proves no name: those who handle the first case have read it as well.
    assert names(sender, second, upload_id) == ({upload_id: "neda.jpg"} if by else {})


def test_only_the_same_citizen_may_reuse_it_while_it_is_kept(sender: Sender, media: ServiceProcess) -> None:
    upload_id, first = used(sender, NEDA)
    grows_old(media, upload_id)
    own, strange, nameless = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()

    sender.broker_client.publish_event(again(own, upload_id, "filing", NEDA))
    sender.broker_client.publish_event(again(strange, upload_id, "filing", OMID))
    sender.broker_client.publish_event(again(nameless, upload_id, "answer", None))

    for case_id in (strange, nameless):
        [event] = eventually(partial(refused, sender, case_id))
        assert (event["media_id"], event["reason"]) == (upload_id, "already_used")
        with pytest.raises(NotFound):
            sender.download(upload_id, case_id=case_id)
    eventually(lambda: claimed(sender, own))
    for case_id in (first, own):
        assert sender.download(upload_id, case_id=case_id)[1]
    assert not [e for e in sender.broker_client.recorded_events("media.rejected.v1") if e["media_id"] == upload_id]


def test_staff_and_units_cannot_reuse_evidence_of_one_case_in_another(sender: Sender) -> None:
    upload_id, _ = used(sender, NEDA)
    by_staff, by_unit = uuid.uuid4(), uuid.uuid4()

    sender.broker_client.publish_event(of_case(EvidenceAdded, by_staff, NEDA, uploads=[upload_id]))
    sender.broker_client.publish_event(
        of_case(UnitAnswered, by_unit, NEDA, question_id=uuid.uuid4(), unit_asked="x", uploads=[upload_id])
    )

    for case_id in (by_staff, by_unit):
        assert eventually(partial(refused, sender, case_id))[0]["reason"] == "already_used"


def erased(sender: Sender, case_id: UUID) -> list[dict[str, Any]]:
    return [
        event for event in sender.broker_client.recorded_events("media.erased.v1") if event["case_id"] == str(case_id)
    ]


def due(case_id: UUID, *media: str) -> Any:
    more: Any = {"part": KeptPart.EVIDENCE, "months": 1, "ended_at": now(), "rule_outcome": None, "media": list(media)}
    return of_case(RetentionDue, case_id, **more)


def test_it_is_removed_when_the_last_case_releases_it(sender: Sender, media: ServiceProcess, tmp_path: Path) -> None:
    upload_id, first = used(sender, NEDA)
    second, late = uuid.uuid4(), uuid.uuid4()
    sender.broker_client.publish_event(again(second, upload_id, "evidence", NEDA))
    eventually(lambda: claimed(sender, second))

    sender.broker_client.publish_event(due(first, upload_id))
    eventually(lambda: erased(sender, first))
    with pytest.raises(Gone):
        sender.download(upload_id, case_id=first)
    assert names(sender, first, upload_id) == {}
    assert sender.download(upload_id, case_id=second)[1]
    assert names(sender, second, upload_id) == {upload_id: "neda.jpg"}

    sender.broker_client.publish_event(due(second, upload_id))
    eventually(lambda: erased(sender, second))
    with pytest.raises(Gone):
        sender.download(upload_id, case_id=second)
    eventually(lambda: not list(bucket_of(media).keys(f"evidence/{upload_id}/")))
    sender.broker_client.publish_event(again(late, upload_id, "filing", NEDA))
    assert eventually(lambda: refused(sender, late))[0]["reason"] == "expired"


def test_a_repeated_registration_claims_once(sender: Sender) -> None:
    upload_id, first = used(sender, NEDA)
    sender.broker_client.publish_event(again(first, upload_id, "filing", NEDA))
    sender.broker_client.publish_event(again(first, upload_id, "evidence", None))
    marker = uuid.uuid4()
    sender.broker_client.publish_event(again(marker, upload_id, "filing", NEDA))
    eventually(lambda: claimed(sender, marker))
    assert len(claimed(sender, first)) == 1
    assert not refused(sender, first)

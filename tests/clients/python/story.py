"""The demo's story by the client that openapi-python-client makes of /v1/openapi.json. tests/e2e/test_clients.py makes it, has
mypy check this file against it, and runs it with the addresses and tokens of a running system in stage.json."""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TypeVar, cast

import httpx
from peygir_client import AuthenticatedClient, Client
from peygir_client.api.accounts import request_one_time_code, sign_in_citizen
from peygir_client.api.cases import ask_citizen, ask_unit, assign_case, decide_case, get_case, start_screening
from peygir_client.api.submissions import file_submission
from peygir_client.api.tracking import (
    answer_question_by_code,
    download_attachment_by_code,
    get_case_by_code,
    list_messages_by_code,
    rate_by_code,
)
from peygir_client.api.unit_questions import answer_unit_question
from peygir_client.api.uploads import create_upload, send_upload_bytes
from peygir_client.models import (
    AnswerBody,
    AssignmentBody,
    CaseView,
    CreateUploadTusResumable,
    DecisionBody,
    IdentityBody,
    Kind,
    MobileBody,
    NothingBody,
    OneTimeCodeBody,
    Outcome,
    Problem,
    QuestionBody,
    RatingBody,
    SendUploadBytesTusResumable,
    Stage,
    SubmissionBody,
    UnitAnswerBody,
    UnitQuestionBody,
    UploadState,
)
from peygir_client.types import File

T = TypeVar("T")
STAGE = json.loads(Path("stage.json").read_text())
GATEWAY: str = STAGE["gateway"]
CHUNK = 64 * 1024


def good(answer: T | Problem | None) -> T:
    """The answer, unless it is a problem."""
    assert answer is not None
    assert not isinstance(answer, Problem), answer
    return answer


def once() -> str:
    return uuid.uuid4().hex


def signed_in(token: str) -> AuthenticatedClient:
    return AuthenticatedClient(
        base_url=GATEWAY, token=token, headers={"Accept-Language": "fa"}, timeout=httpx.Timeout(30)
    )


def until(read: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + 60
    while (found := read()) is None:
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.3)
    return found


def upload(client: Client, name: str, media_type: str, content: bytes) -> str:
    """By tus, in chunks; the upload's id."""
    pairs = {"filename": name, "filetype": media_type}
    created = create_upload.sync_detailed(
        client=client,
        tus_resumable=CreateUploadTusResumable.VALUE_0,
        upload_length=len(content),
        upload_metadata=",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items()),
    )
    upload_id = created.headers["Location"].rpartition("/")[2]
    offset = 0
    while offset < len(content):
        sent = send_upload_bytes.sync_detailed(
            upload_id,
            client=client,
            body=File(payload=BytesIO(content[offset : offset + CHUNK])),
            tus_resumable=SendUploadBytesTusResumable.VALUE_0,
            upload_offset=offset,
        )
        offset = int(sent.headers["Upload-Offset"])
    return upload_id


class Phone:
    """At the simulator of the SMS provider."""

    mobile: str = STAGE["mobile"]
    _after = 0

    def next(self) -> str:
        query: dict[str, str | int] = {"receptor": self.mobile, "after": self._after, "wait": 60}
        [message, *_] = httpx.get(f"{STAGE['simulator']}/_control/messages", params=query, timeout=90).json()[
            "messages"
        ]
        self._after = message["number"]
        return str(message["text"])


def case_of(client: Client, code: str, wanted: Callable[[CaseView], bool]) -> CaseView:
    """The case of this code, when it is registered and as wanted."""

    def read() -> CaseView | None:
        shown = good(get_case_by_code.sync(client=client, tracking_code=code))
        return shown if isinstance(shown, CaseView) and wanted(shown) else None

    return until(read)


def report_with_evidence(client: Client) -> None:
    photo = upload(client, "street.jpg", "image/jpeg", Path(STAGE["photo"]).read_bytes())
    sound = upload(client, "note.wav", "audio/wav", Path(STAGE["sound"]).read_bytes())
    body = SubmissionBody(
        kind=Kind.INFORMATION,
        unit="dep.civ.roads",
        ground="waste",
        text="آسفالت نو این خیابان یک هفته پیش ریخته شد و امروز دوباره کنده شده است.",
        uploads=[photo, sound],
        consent=True,
    )
    key = once()
    nobody = cast(AuthenticatedClient, client)  # the generator knows no operation for which signing in is optional
    code = good(file_submission.sync(client=nobody, body=body, idempotency_key=key)).tracking_code
    assert good(file_submission.sync(client=nobody, body=body, idempotency_key=key)).tracking_code == code
    accepted = UploadState.ACCEPTED.value
    shown = case_of(client, code, lambda one: [file.state.value for file in one.attachments] == [accepted, accepted])
    assert shown.stage is Stage.REGISTERED
    file = good(download_attachment_by_code.sync(photo, client=client, tracking_code=code))
    assert file.payload.read(2) == b"\xff\xd8"


def complain(client: Client, phone: Phone) -> str:
    good(request_one_time_code.sync(client=client, body=MobileBody(mobile=phone.mobile)))
    found = re.search(r"(?<![\d-])\d{6}(?![\d-])", phone.next())
    assert found is not None
    tokens = good(sign_in_citizen.sync(client=client, body=OneTimeCodeBody(mobile=phone.mobile, code=found.group())))
    body = SubmissionBody(
        kind=Kind.COMPLAINT,
        unit="dep.urb.permits",
        ground="delay",
        text="پرونده پایان‌کار ساختمان من سه ماه است که در این اداره مانده است.",
        identity=IdentityBody(name="شاکی نمونه"),
        consent=True,
    )
    filed = good(file_submission.sync(client=signed_in(tokens.access_token), body=body, idempotency_key=once()))
    assert filed.tracking_code.replace(" ", "-") in phone.next()
    return filed.tracking_code


def handle(citizen: Client, code: str) -> None:
    case_id = case_of(citizen, code, lambda _: True).case_id
    screener, inspector, liaison = (signed_in(STAGE["tokens"][who]) for who in ("screener", "inspector", "liaison"))
    seen = good(get_case.sync(case_id, client=screener))

    def command() -> dict[str, str]:
        return {"idempotency_key": once(), "if_match": f'"{seen.version}"'}

    seen = good(start_screening.sync(case_id, client=screener, body=NothingBody(), **command()))
    assignment = AssignmentBody(inspector=uuid.UUID(STAGE["inspector"]))
    seen = good(assign_case.sync(case_id, client=screener, body=assignment, **command()))
    asked = QuestionBody(text="نخستین بار چه روزی به اداره مراجعه کردید؟")
    stale = ask_citizen.sync(
        case_id, client=inspector, body=asked, idempotency_key=once(), if_match=f'"{seen.version - 1}"'
    )
    assert isinstance(stale, Problem)
    assert stale.code == "stale_version"
    seen = good(ask_citizen.sync(case_id, client=inspector, body=asked, **command()))
    assert seen.stage is Stage.AWAITING_CITIZEN
    case_of(citizen, code, lambda one: one.question is not None)
    answer = AnswerBody(text="دوم شهریور.")
    good(answer_question_by_code.sync(client=citizen, body=answer, tracking_code=code, idempotency_key=once()))
    seen = good(get_case.sync(case_id, client=inspector))
    to_unit = UnitQuestionBody(text="چرا این پرونده بی‌اقدام مانده است؟")
    seen = good(ask_unit.sync(case_id, client=inspector, body=to_unit, **command()))
    question_id = next(one.question_id for one in seen.questions if one.unit is not None)
    unit_answer = UnitAnswerBody(text="پرونده فراموش شده بود.")
    good(answer_unit_question.sync(question_id, client=liaison, body=unit_answer, idempotency_key=once()))
    assert isinstance(get_case.sync(case_id, client=liaison), Problem)
    seen = good(get_case.sync(case_id, client=inspector))
    decision = DecisionBody(
        outcome=Outcome.UPHELD, reasons="پرونده هشتاد روز بی‌اقدام مانده است.", root_causes=["process"]
    )
    assert good(decide_case.sync(case_id, client=inspector, body=decision, **command())).stage is Stage.DECIDED


def hear(citizen: Client, code: str) -> None:
    told = case_of(citizen, code, lambda one: one.decision is not None)
    assert told.stage_text
    rated = rate_by_code.sync(client=citizen, body=RatingBody(score=5), tracking_code=code, idempotency_key=once())
    assert good(rated).score == 5
    assert good(list_messages_by_code.sync(client=citizen, tracking_code=code)).items


anybody = Client(base_url=GATEWAY, headers={"Accept-Language": "fa"}, timeout=httpx.Timeout(30))
report_with_evidence(anybody)
tracking_code = complain(anybody, Phone())
handle(anybody, tracking_code)
hear(anybody, tracking_code)
print("the story was played")

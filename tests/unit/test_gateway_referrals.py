"""The sealed package of a referral: what is in it, who can open it, and how it is verified without us."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import httpx
import pyrage
import pytest

from contracts import media
from contracts.errors import ConsentNeeded, WrongStage
from contracts.gateway import Identity
from contracts.intake import OpenedIdentity, OpenIdentity, OutsideBody
from contracts.referrals import (
    ListReferrals,
    PrepareReferral,
    RecordReferral,
    Referral,
    ReferralDraft,
    Referrals,
    ReferredCase,
    ReferredFile,
)
from contracts.tracking import MediaGrant
from contracts.vocabulary import Channel, Kind, Stage
from gateway.evidence.attachments import Attachments
from gateway.referrals import making
from tests.support.gateway import Gateway, bearer, reasons, refusing
from tests.support.papers import plain, read
from tests.support.processes import ROOT

CASE = UUID("0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11")
REFERRAL = UUID("5f0a54f0-1f3e-4d0c-9a53-0d2f6a0b7d11")
CUSTODIAN = UUID("7c1d2e3f-1111-4222-8333-944455566677")
AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
TEXT, REASON, NAME = "آسفالت نو دوباره کنده شد.", "در صلاحیت آن سازمان است.", "گزارش‌دهنده نمونه"
PHOTO, FILM = b"\xff\xd8photo" * 9_000, b"film" * 400_000
FILES = {"p" * 32: ("evidence-1", "image/jpeg", PHOTO), "f" * 32: ("office-1", "video/mp4", FILM)}
THEIRS = pyrage.x25519.Identity.generate()
BODY = OutsideBody(code="inspection", name_fa="سازمان بازرسی", name_en="Inspection", age_key=str(THEIRS.to_public()))


def draft(request: PrepareReferral, **changes: Any) -> ReferralDraft:
    case = ReferredCase(
        number="1405-000123",
        kind=Kind.INFORMATION,
        stage=Stage.INVESTIGATING,
        unit="roads",
        unit_name_fa="راه‌ها",
        unit_name_en="Roads",
        ground="waste",
        ground_name_fa="تضییع اموال عمومی",
        ground_name_en="Waste",
        text=TEXT,
        channel=Channel.WEB,
        anonymous=False,
        filed_at=AT,
        history_hash="a" * 64,
    )
    files = [
        ReferredFile(media_id=media_id, label=label, media_type=media_type, size=len(content))
        for media_id, (label, media_type, content) in FILES.items()
        if request.attachments is None or media_id in request.attachments
    ]
    values = {"referral_id": REFERRAL, "body": BODY, "case": case, "files": files, "prepared_at": AT} | changes
    return ReferralDraft.model_validate(values)


def recorded(request: RecordReferral) -> Referral:
    package = {"sha256": request.sha256, "size": request.size, "made_at": AT}
    about = request.model_dump(include={"case_id", "body", "identity", "reason", "contents", "key_fingerprint"})
    names = {"body_name_fa": BODY.name_fa, "body_name_en": BODY.name_en, "case_number": "1405-000123"}
    line = {**about, **names, "referral_id": REFERRAL, "packages": [package], "made_by": CUSTODIAN, "made_at": AT}
    return Referral.model_validate(line)


def signed(request: media.SignDownload) -> media.Download:
    label, media_type, content = FILES[request.media_id]
    return media.Download(
        url=f"http://objects/{request.media_id}",
        media_type=media_type,
        size=len(content),
        file_name=label,
        sha256=hashlib.sha256(content).hexdigest(),
    )


@pytest.fixture
def gateway(unlimited_gateway: Gateway) -> Gateway:
    rabbit = unlimited_gateway.rabbit
    rabbit.reset()
    rabbit.answers |= {
        "tracking.prepare_referral": lambda request: draft(request),  # type: ignore[arg-type]  # what the gateway asks
        "tracking.record_referral": recorded,  # type: ignore[dict-item]
        "tracking.authorize_media": lambda request: MediaGrant(media_id=request.media_id, case_id=CASE),  # type: ignore[attr-defined]
        "media.sign_download": signed,  # type: ignore[dict-item]
        "intake.open_identity": lambda _: OpenedIdentity(identity=Identity(name=NAME, mobile="+989121234567")),
    }
    stored(unlimited_gateway, {media_id: content for media_id, (_, _, content) in FILES.items()})
    return unlimited_gateway


def stored(gateway: Gateway, objects: dict[str, bytes]) -> None:
    """What the object store holds."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(objects[request.url.path[1:]]))

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    gateway.container.attachments = Attachments(gateway.rabbit, client)


def refers(gateway: Gateway, role: str = "head", lang: str = "fa", **body: Any) -> httpx.Response:
    sent = {"body": "inspection", "reason": REASON, **body}
    headers = {"Idempotency-Key": "a-key-of-mine", **bearer(gateway.keys.staff(role))}
    return gateway.send("POST", f"/v1/cases/{CASE}/referrals?lang={lang}", json=sent, headers=headers)


def opened(answer: httpx.Response, identity: Any = THEIRS) -> zipfile.ZipFile:
    """The package as the body opens it."""
    assert answer.status_code == 201, answer.text
    return zipfile.ZipFile(io.BytesIO(pyrage.decrypt(answer.content, [identity])))


def verified(gateway: Gateway, package: bytes, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the script says that a body is given."""
    file = folder / "referral.zip"
    file.write_bytes(package)
    key = gateway.container.filing.signer.public.hex()
    script = str(ROOT / "docs/verify_referral.py")
    return subprocess.run([sys.executable, script, key, str(file)], capture_output=True, text=True, check=False)


def changed(package: zipfile.ZipFile, name: str, content: bytes) -> bytes:
    """The same package with another file of this name."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as copy:
        for each in package.namelist():
            copy.writestr(each, content if each == name else package.read(each))
        if name not in package.namelist():
            copy.writestr(name, content)
    return target.getvalue()


def test_the_body_alone_opens_the_package_and_finds_the_case_in_it(gateway: Gateway) -> None:
    answer = refers(gateway)
    package = opened(answer)
    assert package.namelist() == [
        *(
            "letter.pdf",
            "evidence/evidence-1.jpg",
            "evidence/office-1.mp4",
            "case.json",
            "manifest.json",
            "manifest.sig",
        )
    ]
    assert package.testzip() is None
    assert package.read("evidence/evidence-1.jpg") == PHOTO
    assert package.read("evidence/office-1.mp4") == FILM
    case = json.loads(package.read("case.json"))
    assert (case["schema"], case["case"]["text"], case["reason"]) == (making.CASE_SCHEMA, TEXT, REASON)
    assert [file["sha256"] for file in case["evidence"]] == [hashlib.sha256(each).hexdigest() for each in (PHOTO, FILM)]
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(answer.content, [pyrage.x25519.Identity.generate()])


def test_the_letter_is_a_pdf_a_that_says_to_whom_and_why(gateway: Gateway) -> None:
    for lang, body in (("fa", BODY.name_fa), ("en", BODY.name_en)):
        pdf = read(opened(refers(gateway, lang=lang)).read("letter.pdf"))
        assert b"pdfaid" in pdf.raw or b"pdfaid:part" in pdf.raw
        assert plain(body) in plain(pdf.text)
        assert plain("آسفالت") in plain(pdf.text)
        assert [code.startswith(f"peygir-referral:{REFERRAL}:") for code in pdf.codes] == [True]
        assert json.loads(pdf.content)["language"] == lang


def test_nothing_in_the_clear_is_handed_out_or_kept(gateway: Gateway) -> None:
    answer = refers(gateway)
    assert answer.content.startswith(b"age-encryption.org/v1\n")
    for word in (TEXT.encode(), PHOTO[:64], b"manifest.json", b"%PDF"):
        assert word not in answer.content
    assert not gateway.container.papers.pdf_queue._cache
    state = gateway.settings.gateway_state_dir
    assert not [path for path in state.rglob("*") if path.is_file() and TEXT.encode() in path.read_bytes()]


def test_the_register_has_what_was_handed_out_before_it_was(gateway: Gateway) -> None:
    answer = refers(gateway, attachments=["p" * 32])
    request = next(request for name, request in gateway.rabbit.calls if name == "tracking.record_referral")
    assert isinstance(request, RecordReferral)
    digest = hashlib.sha256(answer.content)
    assert (request.sha256, request.size) == (digest.hexdigest(), len(answer.content))
    assert answer.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert answer.headers["referral-id"] == str(REFERRAL)
    assert request.key_fingerprint == hashlib.sha256(BODY.age_key.encode()).hexdigest()
    package = opened(answer)
    assert [(file.name, file.sha256) for file in request.contents] == [
        (name, hashlib.sha256(package.read(name)).hexdigest()) for name in package.namelist()
    ]
    assert "evidence/office-1.mp4" not in package.namelist()


def test_without_the_wish_no_identity_is_opened_or_sent(gateway: Gateway) -> None:
    package = opened(refers(gateway))
    assert "intake.open_identity" not in [name for name, _ in gateway.rabbit.calls]
    assert "identity.json" not in package.namelist()
    assert json.loads(package.read("manifest.json"))["identity"] is False
    assert not [name for name in package.namelist() if NAME.encode() in package.read(name)]


def test_with_a_custodians_consent_the_identity_goes_in_a_file_of_its_own(gateway: Gateway) -> None:
    gateway.rabbit.answers["tracking.prepare_referral"] = lambda request: draft(request, consented_by=CUSTODIAN)  # type: ignore[arg-type]
    package = opened(refers(gateway, identity=True))
    assert json.loads(package.read("identity.json"))["identity"]["name"] == NAME
    assert [name for name in package.namelist() if NAME.encode() in package.read(name)] == ["identity.json"]
    wish = next(request for name, request in gateway.rabbit.calls if name == "intake.open_identity")
    assert isinstance(wish, OpenIdentity)
    assert (wish.consented_by, wish.reason) == (CUSTODIAN, REASON)


def test_the_script_verifies_a_package_and_names_what_was_changed(gateway: Gateway, tmp_path: Path) -> None:
    answer = refers(gateway)
    whole = pyrage.decrypt(answer.content, [THEIRS])
    package = opened(answer)
    good = verified(gateway, whole, tmp_path)
    assert (good.returncode, good.stdout.split(":")[0]) == (0, "Genuine")
    manifest = json.loads(package.read("manifest.json")) | {"body": "another"}
    for name, content in (
        ("case.json", package.read("case.json").replace(TEXT.encode(), b"nothing")),
        ("evidence/evidence-1.jpg", PHOTO[:-1]),
        ("manifest.json", json.dumps(manifest).encode()),
        ("manifest.sig", base64.b64encode(bytes(64))),
        ("one-more.txt", b"slipped in"),
    ):
        bad = verified(gateway, changed(package, name, content), tmp_path)
        assert bad.returncode == 1, name
        assert "Genuine" not in bad.stdout


def test_a_package_that_was_changed_on_its_way_cannot_be_opened(gateway: Gateway) -> None:
    content = bytearray(refers(gateway).content)
    content[-100] ^= 1
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(bytes(content), [THEIRS])


def test_more_than_a_package_holds_is_refused_before_and_while_it_is_made(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.container.referrals, "_most", 1024 * 1024)
    answer = refers(gateway)
    assert (answer.status_code, answer.json()["code"], answer.json()["params"]) == (
        *(413, "referral_too_large"),
        {"limit": 1},
    )
    small = [ReferredFile(media_id="f" * 32, label="office-1", media_type="video/mp4")]  # whose size is not known
    gateway.rabbit.answers["tracking.prepare_referral"] = lambda request: draft(request, files=small)  # type: ignore[arg-type]
    assert refers(gateway).json()["code"] == "referral_too_large"
    assert "tracking.record_referral" not in [name for name, _ in gateway.rabbit.calls]


def test_a_package_for_which_the_disk_has_no_room_is_not_made(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path) -> BinaryIO:
        return Path("/dev/full").open("wb", buffering=0)

    monkeypatch.setattr(making, "_nameless", full)
    answer = refers(gateway)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "retry-after" in answer.headers
    assert not [name for name, _ in gateway.rabbit.calls if name == "tracking.record_referral"]


def test_evidence_that_is_not_what_was_stored_is_not_sent(gateway: Gateway) -> None:
    stored(gateway, {"p" * 32: PHOTO, "f" * 32: FILM[:-1] + b"x"})
    assert refers(gateway).status_code == 503
    assert "tracking.record_referral" not in [name for name, _ in gateway.rabbit.calls]


@pytest.mark.parametrize(
    ("error", "status", "code"), [(WrongStage(), 409, "wrong_stage"), (ConsentNeeded(), 403, "consent_needed")]
)
def test_what_tracking_refuses_is_never_made(gateway: Gateway, error: Any, status: int, code: str) -> None:
    gateway.rabbit.answers["tracking.prepare_referral"] = refusing(error)
    answer = refers(gateway, identity=True)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [name for name, _ in gateway.rabbit.calls] == ["tracking.prepare_referral"]


def test_a_wrong_body_is_named_by_its_fields(gateway: Gateway) -> None:
    wrong: dict[str, Any] = {"reason": "چرا", "identity": "yes", "attachments": ["x" * 30, "x" * 30]}
    assert set(reasons(refers(gateway, **wrong))) == {"reason", "identity", "attachments"}


def test_the_register_is_narrowed_by_body_and_whether_it_answered(gateway: Gateway) -> None:
    gateway.rabbit.answers["tracking.list_referrals"] = lambda _: Referrals(items=[])
    headers = bearer(gateway.keys.staff("head"))
    answer = gateway.send("GET", "/v1/referrals?outside_body=inspection&answered=false&limit=2", headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})
    [(_, request)] = gateway.rabbit.calls
    assert isinstance(request, ListReferrals)
    assert (request.body, request.answered, request.limit, request.case_id) == ("inspection", False, 2, None)
    assert gateway.send("GET", f"/v1/cases/{CASE}/referrals", headers=headers).status_code == 200
    assert gateway.rabbit.calls[-1][1].case_id == CASE  # type: ignore[attr-defined]  # as the one before

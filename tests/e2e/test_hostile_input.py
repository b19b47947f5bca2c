"""What is wrong, unknown or meant to harm is refused in the caller's language, and nothing of it is kept."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from deploy.local.environment import ROOT
from services.intake.catalogue.seed import SAMPLE
from tests.e2e.bad_input_rows import REPORT
from tests.e2e.hostile_parts import LANGUAGES, MIB, at_rest, refused, stored
from tests.e2e.people import JSON, Town, good
from tests.support.processes import eventually

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
CLOSED = "dep.srv.vermin"


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def closed_unit(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A unit that the administrator has closed, and opens again."""
    folder = tmp_path_factory.mktemp("catalogue") / "sample"
    shutil.copytree(SAMPLE, folder)
    units = folder / "units.csv"
    lines = units.read_text(encoding="utf-8-sig").splitlines()
    units.write_text("\n".join(f"{line[:-1]}0" if line.startswith(f"{CLOSED},") else line for line in lines) + "\n")

    def replace(with_: Path) -> None:
        environment = {**os.environ, **town.system.values, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "services.intake.catalogue.seed", str(with_), "--replace"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)

    def active() -> bool:
        units = good(town.caller().get("/v1/catalogue"))["units"]
        return bool(next(unit["active"] for unit in units if unit["code"] == CLOSED))

    replace(folder)
    eventually(lambda: not active())
    yield CLOSED
    replace(SAMPLE)
    eventually(active)


FIELDS: dict[str, tuple[Any, int, str, str | None]] = {
    "no object": ([], 422, "invalid_field", None),
    "a number for a text": ({"text": 12345678901}, 422, "invalid_field", "text"),
    "a text for a flag": ({"consent": "true"}, 422, "invalid_field", "consent"),
    "a number for a flag": ({"anonymous": 0}, 422, "invalid_field", "anonymous"),
    "a number for a day": ({"happened_on": 0}, 422, "invalid_field", "happened_on"),
    "a moment for a day": ({"happened_on": "2026-11-20T00:00:00"}, 422, "invalid_field", "happened_on"),
    "a text for a place": ({"place": {"latitude": "36.2"}}, 422, "invalid_field", "place.latitude"),
    "a list for a unit": ({"unit": ["dep.civ.roads"]}, 422, "invalid_field", "unit"),
    "an object for a list": ({"uploads": {}}, 422, "invalid_field", "uploads"),
    "a number beyond all numbers": ({"answers": {"since": 10**400}}, 422, "invalid_field", "answers"),
    "an unknown field": ({"admin": True}, 422, "invalid_field", "admin"),
    "an unknown unit": ({"unit": "no.such.unit"}, 422, "unknown_unit", "unit"),
    "a unit that is SQL": ({"unit": "x'; DROP TABLE cases; --"}, 422, "invalid_field", "unit"),
    "a closed unit": ({"unit": CLOSED}, 422, "closed_unit", "unit"),
    "a ground of another kind": ({"ground": "delay"}, 422, "ground_not_for_kind", "ground"),
    "a NUL": ({"text": "پیش از آن\x00پس از آن"}, 422, "invalid_field", "text"),
    "an escape": ({"text": "پاک شد \x1b[2J همه چیز"}, 422, "invalid_field", "text"),
    "a right-to-left override": ({"text": "پرونده \u202egpj.exe ببینید"}, 422, "invalid_field", "text"),
    "an isolate in a name": ({"people": ["کارمند \u2067نمونه"]}, 422, "invalid_field", "people.0"),
    "an override in an answer": ({"answers": {"since": "\u202e"}}, 422, "invalid_field", "answers"),
    "half a character": ({"text": "نیمه \ud800 یک نویسه"}, 422, "invalid_field", "text"),
    "a text one character too long": ({"text": "ا" * 10_001}, 422, "invalid_field", "text"),
    "a megabyte of text": ({"text": "ا" * (MIB // 2)}, 413, "too_large", None),
}


@pytest.mark.parametrize("case", FIELDS)
def test_an_invalid_submission_is_refused_and_not_stored(
    town: Town, closed_unit: str, language: str, case: str
) -> None:
    change, status, code, field = FIELDS[case]
    before = at_rest(town)
    body = json.dumps(REPORT | change if isinstance(change, dict) else change)
    answer = town.caller(language).request(
        "POST", "/v1/submissions", content=body, headers={"Content-Type": "application/json"}
    )
    refused(answer, status, code, language)
    if field is not None:
        assert any(error["field"].startswith(field) for error in answer.json()["errors"]), answer.text
    assert stored(town) == before


BODIES: dict[str, tuple[bytes, str, int, str]] = {
    "no JSON": (b"{", "application/json", 400, "bad_request"),
    "not UTF-8": (b'{"text":"\xff\xfe"}', "application/json", 400, "bad_request"),
    "NaN": (b'{"place":{"latitude":NaN}}', "application/json", 400, "bad_request"),
    "one name twice": (b'{"kind":"complaint","kind":"information"}', "application/json", 400, "bad_request"),
    "depth": (b"[" * 100_000 + b"]" * 100_000, "application/json", 400, "bad_request"),
    "depth within a name": (b'{"answers":' * 5_000 + b"1" + b"}" * 5_000, "application/json", 400, "bad_request"),
    "a form": (b"kind=information", "application/x-www-form-urlencoded", 415, "unsupported_media"),
    "XML with an entity": (
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        "application/xml",
        415,
        "unsupported_media",
    ),
    "compressed": (b"\x1f\x8b\x08\x00", "application/gzip", 415, "unsupported_media"),
}


@pytest.mark.parametrize("case", BODIES)
@pytest.mark.parametrize("path", ["/v1/submissions", "/v1/auth/tokens", "/v1/tracking"])
def test_an_unreadable_body_is_refused_by_every_operation(town: Town, language: str, path: str, case: str) -> None:
    body, kind, status, code = BODIES[case]
    before = at_rest(town)
    answer = town.caller(language).request("POST", path, content=body, headers={"Content-Type": kind})
    refused(answer, status, code, language)
    assert stored(town) == before


def test_script_in_a_text_is_kept_as_typed_and_runs_nowhere(town: Town) -> None:
    case = town.report(text=f"گزارش {SCRIPT}")
    case_id = case.view()["case_id"]
    inspector = town.assigned(case)
    assert inspector.read(case_id)["text"] == f"گزارش {SCRIPT}"
    inspector.do(case_id, "citizen-questions", text=f"پرسش {SCRIPT}")

    with httpx.Client(base_url=town.system.gateway_url, trust_env=False, follow_redirects=True) as browser:
        token = re.search(r'name="token" value="([^"]+)"', browser.get("/follow").text)
        assert token
        page = browser.post("/follow", data={"token": token.group(1), "code": case.code})
    assert page.status_code == 200
    assert html.escape(SCRIPT, quote=False) in page.text
    assert "<script" not in page.text
    assert "onerror=" not in re.sub(r"&lt;.*?&gt;", "", page.text)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "script-src" not in page.headers["content-security-policy"]
    for answer in (inspector.caller.get(f"/v1/cases/{case_id}"), case.holder.get("/v1/tracking")):
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"


# --- tokens ---


def signed(town: Town, **claims: Any) -> str:
    """A token with these claims, as accounts signs them."""
    seed = bytes.fromhex(town.system.values["ACCESS_TOKEN_PRIVATE_KEY"])
    return made(seed, **claims)


def made(seed: bytes, **claims: Any) -> str:
    given = {"sub": str(uuid.uuid4()), "typ": "staff", "roles": ["head"], "exp": int(time.time()) + 600, **claims}
    key = OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(seed))
    return jwt.encode({"alg": "EdDSA"}, given, key, algorithms=["EdDSA"])


def without_signature(town: Town) -> str:
    body = signed(town).split(".")[1]
    return f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}."


def by_the_public_key(town: Town) -> str:
    public = bytes.fromhex(town.system.values["ACCESS_TOKEN_PUBLIC_KEYS"].split(",")[0])
    claims = {"sub": str(uuid.uuid4()), "typ": "staff", "roles": ["head"], "exp": int(time.time()) + 600}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(public.hex()), algorithms=["HS256"])


def with_more_rights(town: Town) -> str:
    head, _, signature = signed(town, typ="citizen").split(".")
    return f"{head}.{signed(town).split('.')[1]}.{signature}"


TOKENS: dict[str, Callable[[Town], str]] = {
    "wrong": lambda _: "a.b.c",
    "expired": lambda town: signed(town, exp=int(time.time()) - 1),
    "foreign": lambda _: made(bytes(range(32))),
    "of no algorithm": without_signature,
    "signed by the public key": by_the_public_key,
    "with more rights than were signed": with_more_rights,
    "of another kind": lambda town: signed(town, typ="refresh"),
}
DOORS: tuple[tuple[str, str, JSON], ...] = (
    ("GET", "/v1/me", {}),
    ("GET", "/v1/cases", {}),
    ("GET", "/v1/catalogue", {}),
    ("POST", "/v1/submissions", {"json": REPORT}),
    ("POST", "/v1/uploads", {"headers": {"Tus-Resumable": "1.0.0", "Upload-Length": "10"}}),
)


def test_a_token_issued_by_accounts_is_accepted(town: Town) -> None:
    """Or the next test would show nothing."""
    assert good(town.caller(token=signed(town)).get("/v1/me"))["roles"] == ["head"]


@pytest.mark.parametrize("kind", TOKENS)
def test_an_invalid_token_is_refused_by_every_operation(town: Town, language: str, kind: str) -> None:
    token = TOKENS[kind](town)
    before = at_rest(town)
    for method, path, more in DOORS:
        answer = town.caller(language, token=token).request(method, path, **more)
        refused(answer, 401, "bad_token", language)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert stored(town) == before


# --- what is not theirs, and what has changed ---


def test_a_case_of_another_citizen_is_not_found(town: Town, language: str) -> None:
    case, _, _ = town.complaint()
    case_id = case.view()["case_id"]
    stranger, _ = town.sign_in(town.phone(), language)
    before = at_rest(town, "tracking")
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/withdrawal", {}),
        ("POST", "/answers", {"text": "من نیستم"}),
        ("POST", "/objection", {"text": "من نیستم"}),
        ("POST", "/rating", {"score": 1}),
    ):
        refused(stranger.request(method, f"/v1/me/cases/{case_id}{path}", json=body), 404, "unknown_case", language)
        # The same as of a case that nobody has.
        nowhere = stranger.request(method, f"/v1/me/cases/{uuid.uuid4()}{path}", json=body)
        refused(nowhere, 404, "unknown_case", language)
    assert stored(town, "tracking") == before


def test_a_command_on_a_version_that_was_not_seen_is_refused(town: Town, language: str) -> None:
    case = town.report()
    case_id = case.view()["case_id"]
    screener = town.officer("screener")
    version = screener.read(case_id)["version"]
    screener.do(case_id, "screening")
    caller = town.caller(language, token=screener.caller.token)
    before = at_rest(town, "tracking")
    path = f"/v1/cases/{case_id}/corrections"
    stale = caller.post(path, {"urgent": True}, version=version)
    refused(stale, 412, "stale_version", language)
    assert stale.json()["params"]["current"] == version + 1
    refused(caller.post(path, {"urgent": True}), 428, "version_needed", language)
    for wrong in ('"three"', "*", '"-1"', '"1", "2"', '"' + "9" * 40 + '"'):
        key = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": wrong}
        answer = caller.request("POST", path, json={"urgent": True}, headers=key)
        refused(answer, 422, "invalid_field", language)
    assert stored(town, "tracking") == before

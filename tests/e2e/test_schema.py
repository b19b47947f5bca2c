"""The API does what its OpenAPI document says, whatever it is sent: schemathesis, all checks, stateful.

What is made up is the same in each run (deterministic); `-m long` makes up more. The hooks are in `schema_hooks`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo import evidence
from deploy.local.environment import ROOT
from tests.e2e.people import Town, good
from tests.support.push_service import KEYS_OF_NO_BROWSER

CONFIG = """
max-stream-events = 1
request-timeout = 30

[checks]
# Good data that do not fit the state of the case (412), of an upload (410), or what a case may be asked for in parts (416).
positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 410, 412, 416, 429]
# tus asks for 412 without its version; a command of staff without the version it saw is 428 (RFC 6585).
# The administrator's operations are tried as the head, who may not (403): made-up changes would be everybody's.
missing_required_header.expected-statuses = [400, 401, 403, 412, 422, 428]

[generation]
# Anybody on the way may add a header that we do not know.
allow-extra-parameters = false

[[operations]]
# A stream that is opened does not end; tests/unit/test_gateway_stream.py and test_trust.py read it.
include-path = "/v1/stream"
enabled = false

[[operations]]
# No schema says who may be somebody's deputy, that no case comes twice, on which day something was referred, or which messages
# and attachments are one's own.
include-path-regex = "^/v1/(staff/leaves|decisions|referrals/[^/]+/answers|.*(messages|attachments)/(correction|withdrawal))$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 410, 412, 416, 422, 429]

[[operations]]
include-path-regex = "^/v1/uploads"
# tus asks for 412 for another version of it.
checks.negative_data_rejection.expected-statuses = [400, 401, 404, 405, 409, 410, 412, 413, 415, 422, 429]
"""
PHASES = {"made up": ("examples,coverage,fuzzing", 4, 60), "one after the other": ("stateful", 40, 600)}
"""What is run, and how much of it: as a rule, and at length. Scenarios are short, and most links are met by chance."""


@pytest.fixture(scope="module")
def known_ids(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sessions of a citizen and of staff, and one of each thing that has an id."""
    photo = town.caller().upload(evidence.photo())
    case, _, citizen = town.complaint(uploads=[photo])
    case_id = case.view()["case_id"]
    head = town.officer("head").caller
    new_room = good(head.post("/v1/rooms", {"name_fa": "اتاق", "name_en": "Room"}), 201)
    times = {"starts_at": "2099-12-01T09:00:00+03:30", "ends_at": "2099-12-01T10:00:00+03:30"}
    who = {"room_id": new_room["room_id"], "inspector": town.officer("inspector").staff_id}
    slot = good(head.post("/v1/visit-slots", {**who, **times}), 201)
    case_after = town.assigned(case).do(case_id, "unit-questions", text="علت تأخیر چیست؟", media=[photo])
    search = good(head.post("/v1/searches", {"name": "همه", "filters": {}}), 201)
    export = good(head.post("/v1/exports", {"format": "csv"}), 202)
    note = {"type": "add_note", "text": "یادداشت"}
    macro = good(head.post("/v1/macros", {"name": "یادداشت", "steps": [note]}), 201)
    bulk = {"step": note, "cases": [{"case_id": case_id}], "preview": True}
    judged = good(head.post("/v1/cases/bulk", bulk), 202)
    file = tmp_path_factory.mktemp("schema") / "known.json"
    file.write_text(
        json.dumps(
            {
                **{role: town.officer(role).caller.token for role in ("screener", "head", "liaison")},
                "citizen": citizen.token,
                "inspector": town.officer("inspector").staff_id,
                "code": case.code,
                "case_id": case_id,
                "version": case_after["version"],
                "room_id": new_room["room_id"],
                "slot_id": slot["slot_id"],
                "search_id": search["search_id"],
                "export_id": export["export_id"],
                "macro_id": macro["macro_id"],
                "bulk_id": judged["bulk_id"],
                "question_id": case_after["questions"][0]["question_id"],
                "media_id": photo,
                "device_keys": KEYS_OF_NO_BROWSER,
                "upload_id": town.caller().upload(b"never evidence", "note.txt", "text/plain"),
            }
        )
    )
    return file


def schemathesis(town: Town, known_ids: Path, phases: str, examples: int) -> tuple[int, str]:
    """Its exit code and what it said."""
    folder = known_ids.parent
    (folder / "schemathesis.toml").write_text(CONFIG)
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("--config-file", str(folder / "schemathesis.toml")),
            *("run", f"{town.system.gateway_url}/v1/openapi.json", "--checks", "all", "--phases", phases),
            *("--max-examples", str(examples), "--generation-deterministic", "--no-color"),
            "--suppress-health-check",
            "all",
        ],
        cwd=folder,
        env={
            **os.environ,
            "PEYGIR_KNOWN_IDS": str(known_ids),
            "SCHEMATHESIS_HOOKS": "tests.e2e.schema_hooks",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.timeout(600)
@pytest.mark.parametrize("phase", PHASES)
def test_the_api_matches_its_document(town: Town, known_ids: Path, phase: str) -> None:
    code, output = schemathesis(town, known_ids, PHASES[phase][0], PHASES[phase][1])
    assert code == 0, output[-20_000:]


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("phase", PHASES)
def test_the_api_matches_its_document_in_a_long_run(town: Town, known_ids: Path, phase: str) -> None:
    code, output = schemathesis(town, known_ids, PHASES[phase][0], PHASES[phase][2])
    assert code == 0, output[-20_000:]

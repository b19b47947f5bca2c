"""docs/how-to/add-a-configuration-table.md, followed to the letter in a copy of the tree."""

from __future__ import annotations

from pathlib import Path

from tests.support import guides

GUIDE = guides.ROOT / "docs/how-to/add-a-configuration-table.md"

CHANGED_BY_INTAKE = """
import json
from contracts.intake import PutVisitPurpose, VisitPurpose
from services.intake.catalogue import importing, rules, seed

catalogue = seed.read(seed.SAMPLE)
purpose = VisitPurpose(code="follow_up", name_fa="x", name_en="x")
put = lambda item: PutVisitPurpose(visit_purpose=item)
changed = rules.apply(catalogue, [put(purpose.model_copy(update={"name_en": "y"})), put(purpose)])
unnamed = rules.apply(catalogue, [put(purpose.model_copy(update={"name_fa": ""}))])
table = importing.FORMATS["visit-purposes"]
print(json.dumps({
    "stored": [item.model_dump() for item in changed.visit_purposes],
    "differences": [[part.what, part.code] for part in rules.differences(catalogue, changed)],
    "problems": [[problem.field, problem.reason] for problem in rules.problems(unnamed)],
    "fine": rules.problems(changed) == rules.problems(catalogue),
    "row": table.change(table.model(code="follow_up", name_fa="x", name_en="x")) == put(purpose),
}))
"""

SENT_THROUGH_THE_GATEWAY = """
import json, pathlib, sys
from contracts.errors import InvalidField
from gateway.api.openapi import document
from tests.support.gateway import UNLIMITED, Gateway, bearer, refusing

gateway = Gateway(pathlib.Path(sys.argv[1]), **UNLIMITED)
mistake = {"field": "visit_purposes.follow_up.name_fa", "reason": "missing", "item": "follow_up"}
gateway.rabbit.answers["intake.change_configuration"] = refusing(InvalidField(fields=[mistake]))
headers = {"If-Match": '"3"', "Idempotency-Key": "a-key-of-mine"}
def put(role):
    sent = headers | bearer(gateway.keys.staff(role))
    body = {"name_fa": "x", "name_en": "y"}
    return gateway.send("PUT", "/v1/configuration/visit-purposes/follow_up", json=body, headers=sent)
head, answer = put("head"), put("administrator")
method, request = gateway.rabbit.calls[-1]
openapi = document(gateway.app)
print(json.dumps({
    "head": head.status_code,
    "answer": [answer.status_code, [[error["field"], error["reason"]] for error in answer.json()["errors"]]],
    "sent": [method, request.expected_version, [change.model_dump() for change in request.changes]],
    "operation": openapi["paths"]["/v1/configuration/visit-purposes/{purpose}"]["put"]["operationId"],
    "example": openapi["components"]["schemas"]["VisitPurpose"]["examples"][0]["code"],
    "in_configuration": openapi["components"]["schemas"]["Configuration"]["examples"][0]["visit_purposes"][0]["code"],
}))
"""


tree = guides.tree_fixture(GUIDE)


def test_it_changes_only_the_listed_files() -> None:
    assert guides.changed_files(GUIDE) == guides.listed_files(GUIDE)


def test_intake_keeps_checks_and_imports_the_new_table(tree: Path) -> None:
    seen = guides.run(tree, CHANGED_BY_INTAKE)
    assert seen["stored"] == [{"code": "follow_up", "name_fa": "x", "name_en": "x", "active": True}]
    assert seen["differences"] == [["visit_purposes", "follow_up"]]
    assert seen["problems"] == [["visit_purposes.follow_up.name_fa", "missing"]]
    assert seen["fine"]
    assert seen["row"]


def test_the_gateway_takes_and_documents_it(tree: Path, tmp_path: Path) -> None:
    seen = guides.run(tree, SENT_THROUGH_THE_GATEWAY, str(tmp_path))
    assert seen["head"] == 403
    assert seen["answer"] == [422, [["name_fa", "missing"]]]
    item = {"code": "follow_up", "name_fa": "x", "name_en": "y", "active": True}
    change = {"change": "put_visit_purpose", "visit_purpose": item}
    assert seen["sent"] == ["intake.change_configuration", 3, [change]]
    assert seen["operation"] == "putVisitPurpose"
    assert seen["example"] == "follow_up"
    assert seen["in_configuration"] == "follow_up"

"""docs/how-to/add-an-endpoint.md, followed literally in a copy of the tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import guides

GUIDE = guides.ROOT / "docs/how-to/add-an-endpoint.md"
NAMED_TESTS = {
    "tests/component/test_tracking_screening.py": "nobody_is_skilled",
    "tests/component/test_walk.py": "every_entrypoint",
    "tests/contract/test_rpc.py": "uncovered_grounds",
    "tests/unit/test_gateway_openapi.py": "",
}
"""The tests of the guide that show this endpoint, with the part of each file that concerns it."""

SENT_THROUGH_THE_GATEWAY = """
import json, pathlib, sys
from contracts.screening import UncoveredGrounds
from tests.support.gateway import UNLIMITED, Gateway, bearer

gateway = Gateway(pathlib.Path(sys.argv[1]), **UNLIMITED)
gateway.rabbit.answers["tracking.list_uncovered_grounds"] = lambda request: UncoveredGrounds(items=["waste"])
get = lambda **headers: gateway.send("GET", "/v1/grounds/uncovered", headers=headers)
answered = get(**bearer(gateway.keys.staff("head")))
print(json.dumps({
    "answered": [answered.status_code, answered.json()],
    "refused": [get(**bearer(gateway.keys.citizen())).status_code, get().status_code],
    "sent": [[method, sorted(request.actor.roles)] for method, request in gateway.rabbit.calls],
}, default=str))
"""


tree = guides.tree_fixture(GUIDE)


def test_its_steps_change_the_files_that_it_lists() -> None:
    assert sorted(guides.changed_files(GUIDE)) == sorted(guides.listed_files(GUIDE))


@pytest.mark.parametrize("file", NAMED_TESTS)
def test_the_tests_that_it_names_pass(tree: Path, file: str) -> None:
    tested = guides.python(tree, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", file, "-k", NAMED_TESTS[file])
    assert tested.returncode == 0, tested.stdout[-3000:]


def test_the_gateway_answers_what_the_service_lists(tree: Path, tmp_path: Path) -> None:
    seen = guides.run(tree, SENT_THROUGH_THE_GATEWAY, str(tmp_path))
    assert seen["answered"] == [200, {"items": ["waste"]}]
    assert seen["refused"] == [403, 401]
    assert seen["sent"] == [["tracking.list_uncovered_grounds", ["head"]]]

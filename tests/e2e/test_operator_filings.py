"""What an operator finds of what they filed: by page, day, number and receipt, and nothing of who the citizen is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backbone.persian import jalali
from contracts.base import now
from tests.e2e.people import JSON, Town, good
from tests.e2e.test_day_operator import COMPLAINT

pytestmark = pytest.mark.timeout(240)

FILED = "/v1/desk/submissions"


def test_an_operator_lists_their_filings_and_finds_one(town: Town) -> None:
    operator, head = town.officer("operator").caller, town.officer("head").caller
    cases = [town.file(operator, **COMPLAINT, identity={"name": "مراجع نمونه"}) for _ in range(3)]
    ids = [case.view()["case_id"] for case in cases]

    def found(**filters: str | int) -> list[JSON]:
        items: list[JSON] = good(operator.get(FILED, **filters))["items"]
        return items

    # Newest first, page by page.
    assert [item["case_id"] for item in found(limit=3)] == ids[::-1]
    page = good(operator.get(FILED, limit=2))
    rest = good(operator.get(FILED, limit=1, after=page["next"]))["items"]
    assert [item["case_id"] for item in [*page["items"], *rest]] == ids[::-1]

    # By the day, Tehran's, and not by another one.
    today = jalali.today(now())
    assert set(ids) <= {item["case_id"] for item in found(filed_from=str(today - timedelta(days=1)), limit=100)}
    assert not set(ids) & {item["case_id"] for item in found(filed_until=str(today - timedelta(days=2)), limit=100)}

    # By the case's number, and by the number on the receipt.
    [line] = found(receipt_number=cases[1].submission_id)
    assert [item["case_id"] for item in found(number=line["number"])] == [ids[1]]
    assert found(receipt_number=cases[1].submission_id, number=line["number"], kind="complaint") == [line]
    assert found(receipt_number="00000000-0000-4000-8000-000000000000") == []

    # Masked: neither text, name nor mobile; and of what others filed nothing.
    assert "مراجع نمونه" not in str(line)
    assert COMPLAINT["text"] not in str(line)
    own, _, _ = town.complaint()
    own.view()
    assert found(receipt_number=own.submission_id) == []
    assert head.get(FILED).status_code == 403
    assert operator.get(FILED, receipt_number="x").status_code == 422

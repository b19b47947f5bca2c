"""Bodies by which a receipt is printed and a paper is checked."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api.fields import Body, example
from gateway.papers.signatures import MAX_LENGTH
from gateway.submissions.receipts import RECEIPT_EXAMPLE

_SEAL = (
    "L1~1405-000123-1~1405-000123~2026-12-06~upheld~n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg~"
    "l1qF0nUe1Bv8Gv0wR2b5G9dKx7H3s6Yk4TzqJcWmPa0uN8eLrVtOiXyDfSgAhZjQbMnCoEpIwUvRkTl2x5y6Bg"
)


class ReceiptPdfBody(Body):
    """The receipt as `POST /v1/submissions` gave it."""

    payload: Annotated[str, Field(min_length=1, max_length=1_000)]
    signature: Annotated[str, Field(min_length=1, max_length=200)]
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]

    model_config = example(**RECEIPT_EXAMPLE)


class SealBody(Body):
    """`seal`: the line beside the QR code of a paper, or the address that the code holds."""

    seal: Annotated[str, Field(min_length=1, max_length=2 * MAX_LENGTH)]

    model_config = example(seal=_SEAL)

"""The body of a submission, read so that everything that is wrong with it can be said at once."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from gateway.api.submissions.bodies import SubmissionBody
from gateway.edge.problems import invalid
from gateway.submissions.findings import Findings

_PLACEHOLDERS: dict[str, Any] = {
    "kind": "criticism",
    "unit": "unknown",
    "ground": "unknown",
    "text": "placeholder",
    "consent": True,
}
"""Of the fields that a body has to have: what stands for one that cannot be read, so that the others can be checked."""


def read(sent: Any) -> tuple[SubmissionBody, Findings]:
    """The body, and what is wrong with its shapes; of those fields it has placeholders. InvalidField where it is no submission at
    all."""
    try:
        return SubmissionBody.model_validate(sent), Findings()
    except ValidationError as error:
        refused = invalid(error)
    findings = Findings(refused.params["fields"])
    if not isinstance(sent, dict):
        raise refused
    unreadable = findings.unreadable
    kept = {name: value for name, value in sent.items() if name not in unreadable}
    try:
        body = SubmissionBody.model_validate(
            kept | {name: _PLACEHOLDERS[name] for name in unreadable & _PLACEHOLDERS.keys()}
        )
    except ValidationError:
        raise refused from None
    return body, findings

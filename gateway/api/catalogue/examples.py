"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.configuration.examples import CAUSE, FORM, REASON, TEMPLATE

EXAMPLES: dict[str, dict[str, Any]] = {
    "StaffLists": {
        "refusal_reasons": [REASON],
        "root_causes": [CAUSE],
        "answer_templates": [TEMPLATE],
    },
    "Catalogue": FORM,
}

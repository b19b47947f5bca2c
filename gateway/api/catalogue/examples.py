"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.configuration.examples import ARTICLE, CAUSE, FORM, OUTSIDE_BODY, REASON, TEMPLATE

EXAMPLES: dict[str, dict[str, Any]] = {
    "StaffLists": {
        "refusal_reasons": [REASON],
        "root_causes": [CAUSE],
        "answer_templates": [TEMPLATE],
        "outside_bodies": [OUTSIDE_BODY],
    },
    "ArticlePage": {"items": [ARTICLE], "next": None},
    "Catalogue": FORM,
}

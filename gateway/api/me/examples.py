"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import STAFF_ID

EXAMPLES: dict[str, dict[str, Any]] = {
    "Me": {
        "id": STAFF_ID,
        "kind": "citizen",
        "name": None,
        "roles": [],
        "unit": None,
        "mobile": "4567",
    },
}

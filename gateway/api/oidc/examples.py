"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "OidcView": {"enabled": True, "name": "حساب سازمانی"},
    "OidcAuthorisation": {
        "url": "https://login.example/authorize?response_type=code&client_id=peygir&state=vT3kq9",
        "sign_in": "q0N5c2m1Zk1vT3kq9mZ2Jt6xB1sYw8Rd0A2mZ5kq3v8",
        "expires_at": "2026-11-26T08:40:00Z",
    },
}

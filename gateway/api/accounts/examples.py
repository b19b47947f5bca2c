"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "OtpSent": {"resend_after": 60, "expires_in": 300, "otp_session": "vT3kq9mZ2Jt6xB1sYw8Rd0A2mZ5kq3v9"},
    "Revoked": {},
    "Tokens": {
        "access_token": "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwZjhmIn0.c2lnbmF0dXJl",
        "refresh_token": "9hXv0aG3Jt6xB1sYw8Rd0A2mZ5kq3v9mZ2Jt6xB1sYw8",
        "expires_in": 900,
        "token_type": "Bearer",
        "device_token": "d1.kq3v9mZ2Jt6xB1sY.1795680000.5b1f0c2a9d384e1b8f7f6f0e1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
    },
}

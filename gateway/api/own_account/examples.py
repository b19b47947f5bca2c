"""Examples of this area's answers in the OpenAPI document, by schema."""

from __future__ import annotations

from typing import Any

_PASSKEY = {
    "passkey_id": "5f0f8a4e-7a52-4a87-b6a5-2f1c5a1d0e11",
    "name": "گوشی من",
    "synced": True,
    "created_at": "2026-11-26T08:30:00Z",
    "used_at": None,
}
_RP = {"id": "peygir.example", "name": "Peygir"}
_USER = {"id": "D4_2qQ", "name": "screener", "displayName": "کارشناس غربالگری"}
_SELECTION = {"residentKey": "required", "requireResidentKey": True, "userVerification": "required"}
_CHALLENGE = "q0N5c2m1Zk1vT3kq9mZ2Jt6xB1sYw8Rd0A2mZ5kq3v8"
_DEVICE = "d1.kq3v9mZ2Jt6xB1sY.1795680000.5b1f0c2a9d384e1b8f7f6f0e1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
_SESSION = {
    "session_id": "0a4f3a6e-0b7d-4a53-9d3c-1d9b3f0a7c22",
    "agent": "Firefox, Windows",
    "network": "203.0.113.0/24",
    "started_at": "2026-11-26T04:31:00Z",
    "last_used_at": "2026-11-26T08:16:00Z",
    "expires_at": "2026-11-26T16:31:00Z",
    "current": True,
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "PasswordChanged": {"device_token": _DEVICE},
    "Passkey": _PASSKEY,
    "SecondFactors": {"totp": True, "passkeys": [_PASSKEY], "recovery_codes_left": 9, "passkeys_offered": True},
    "TotpEnrolmentView": {
        "totp_secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "totp_address": "otpauth://totp/Peygir:screener?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Peygir",
        "qr_svg": '<svg xmlns="http://www.w3.org/2000/svg" width="196" height="196"></svg>',
        "expires_at": "2026-11-26T08:40:00Z",
    },
    "RecoveryCodes": {"codes": ["7k3mq-x0w2p", "9f4ta-c61hz"]},
    "RelyingPartyOptions": _RP,
    "UserOptions": _USER,
    "KeyOptions": {"type": "public-key", "alg": -7},
    "CredentialOptions": {"type": "public-key", "id": "AQIDBA"},
    "AuthenticatorOptions": _SELECTION,
    "PasskeyCreationOptions": {
        "rp": _RP,
        "user": _USER,
        "challenge": _CHALLENGE,
        "pubKeyCredParams": [{"type": "public-key", "alg": -8}, {"type": "public-key", "alg": -7}],
        "timeout": 300_000,
        "excludeCredentials": [],
        "authenticatorSelection": _SELECTION,
        "attestation": "none",
    },
    "PasskeyRequestOptions": {
        "challenge": _CHALLENGE,
        "rpId": "peygir.example",
        "timeout": 300_000,
        "userVerification": "required",
        "allowCredentials": [],
    },
    "OwnSession": _SESSION,
    "OwnSessions": {"items": [_SESSION], "next": None},
    "EndedSessionsView": {"ended": 2},
}

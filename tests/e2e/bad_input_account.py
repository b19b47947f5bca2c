"""What may be wrong with each command on one's own account, and with signing in by passkey and by the provider."""

from __future__ import annotations

from tests.e2e.bad_input_rows import NOBODY, Command, Wrong, field_wrong, not_for
from tests.e2e.people import JSON

_STRANGER = Wrong(401, "bad_token", headers={"Authorization": "Bearer x"})
_TOTP: JSON = {"second_factor": {"kind": "totp", "code": "000000"}}
_CREDENTIAL: JSON = {
    "id": "AQIDBA",
    "rawId": "AQIDBA",
    "type": "public-key",
    "response": {"clientDataJSON": "e30", "attestationObject": "o2NmbXRkbm9uZQ"},
}
_NO_FACTOR = (
    field_wrong(second_factor={"kind": "guess", "code": "1"}),
    field_wrong(second_factor={"kind": "totp"}),
    field_wrong(second_factor={"kind": "passkey", "credential": {"id": "x"}}),
    field_wrong(second_factor=None),
)
"""A wrong one is counted, and its session held up: test_own_account shows it with accounts of its own."""


def _guarded(*wrong: Wrong, **of: str) -> Command:
    return Command("screener", (*not_for("citizen"), *_NO_FACTOR, *wrong), of, _TOTP)


ACCOUNT: dict[str, Command] = {
    "changePassword": Command(
        "screener",
        (*not_for("citizen"), field_wrong(new_password=""), field_wrong(current_password="a\u0000b")),
        body={"current_password": "x", "new_password": "x"},
    ),
    "beginTotpEnrolment": _guarded(),
    "confirmTotpEnrolment": Command(
        "screener",
        (*not_for("citizen"), Wrong(409, "no_totp_enrolment"), field_wrong(totp="")),
        body={"totp": "000000"},
    ),
    "removeTotp": _guarded(),
    "renewRecoveryCodes": _guarded(),
    "beginPasskeyRegistration": _guarded(),
    "addPasskey": Command(
        "screener",
        (
            *not_for("citizen"),
            field_wrong(name="  "),
            field_wrong(name="x" * 61),
            field_wrong(credential={**_CREDENTIAL, "type": "password"}),
            Wrong(422, "invalid_field"),  # an answer to no challenge
        ),
        body={"name": "گوشی", "credential": _CREDENTIAL},
    ),
    "renamePasskey": Command(
        "screener",
        (*not_for("citizen"), Wrong(404, "not_found"), field_wrong(name="")),
        of={"passkey_id": NOBODY},
        body={"name": "گوشی"},
    ),
    "removePasskey": _guarded(passkey_id=NOBODY),
    "endOwnSession": Command(
        "citizen",
        (Wrong(404, "not_found"), Wrong(422, "invalid_field", of={"session_id": "mine"}), _STRANGER),
        of={"session_id": NOBODY},
    ),
    "endOtherSessions": Command("citizen", (_STRANGER,)),
    "beginPasskeyUse": Command("nobody", (_STRANGER,)),
    "beginOidcSignIn": Command("nobody", (Wrong(404, "not_found"), _STRANGER)),
    "finishOidcSignIn": Command(
        "nobody",
        (Wrong(404, "not_found"), field_wrong(state=""), field_wrong(code="é"), field_wrong(second_factor="000000")),
        body={"sign_in": "x", "code": "x", "state": "x"},
    ),
}

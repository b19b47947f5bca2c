"""docs/tutorial.md: what it asks its reader to paste does what it says, and its command lines exist."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
from typing import Any

import httpx
import pyotp
import pytest

from tests.e2e.people import Town
from tests.support.processes import ROOT, eventually

TUTORIAL = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
PASTED = re.findall(r"^```python\n(.*?)^```", TUTORIAL, re.MULTILINE | re.DOTALL)
PRINTED = [
    "",
    "200 screening\n200 investigating\n",
    "200 awaiting_unit\nWhy has the file waited for eighty days?\n200\n403\n",
    "200 investigating\n200 decided\n",
]
"""What each block prints, as the tutorial says after it."""


def test_what_is_pasted_handles_the_case_from_filing_to_decision(town: Town) -> None:
    filed, _, _ = town.complaint()
    filed.view()
    prompt: dict[str, Any] = {}
    for block, expected in zip(PASTED, PRINTED, strict=True):
        code = block.replace("http://127.0.0.1:8000", town.system.gateway_url)
        code = code.replace(".peygir/credentials.json", town.system.values["PEYGIR_CREDENTIALS"])
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, prompt)  # noqa: S102  # of this repository's own page
        assert printed.getvalue() == expected
        if block is PASTED[0]:
            _check_sign_in(prompt, town)
    assert prompt["case"] == filed.view()["case_id"]
    assert filed.view()["decision"]["reasons"] == "The file waited for eighty days without a reason."


def _check_sign_in(prompt: dict[str, Any], town: Town) -> None:
    """Signs in as the tutorial does, as somebody whose code no other test has used within its half minute; the tutorial's own
    people get the sessions that other tests have begun."""
    secret, tried = town.credentials()["custodian"]["totp_secret"], set[str]()

    def signed_in() -> Any:
        code = pyotp.TOTP(secret).now()
        if code in tried:
            return None
        tried.add(code)
        with contextlib.suppress(httpx.HTTPStatusError):
            return prompt["sign_in"]("custodian")

    headers = eventually(signed_in, timeout=65, why="the tutorial's sign-in is refused")
    assert httpx.get(f"{town.system.gateway_url}/v1/me", headers=headers).json()["roles"] == ["custodian"]
    prompt["sign_in"] = lambda name: {"Authorization": f"Bearer {town.officer(name).caller.token}"}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"^\./peygir (\w+)", TUTORIAL, re.MULTILINE))))
def test_its_commands_exist(name: str) -> None:
    shown = subprocess.run([ROOT / "peygir", "--help"], capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^  {name} ", shown, re.MULTILINE)

"""How answers are sent, checked for each answer of the walk: no secret compressed, and nothing sent again to who has it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from tests.support.walk.witness import Leak


class SentAnswers:
    """`codes`: the tracking codes of the world, 16 digits each."""

    def __init__(self, codes: Sequence[str]) -> None:
        self._codes = codes
        self._read_again: set[str] = set()

    async def check(
        self, client: httpx.AsyncClient, where: str, answer: httpx.Response, asked: Mapping[str, Any]
    ) -> None:
        """Leak for one that should not be sent so. `asked`: query and body as sent."""
        if "content-encoding" in answer.headers and self._holds_secret(answer):
            raise Leak(f"{where} compresses a secret")
        name = where.partition(" ")[0]
        if answer.request.method == "GET" and "etag" in answer.headers and name not in self._read_again:
            self._read_again.add(name)
            headers = {**answer.request.headers, "If-None-Match": answer.headers["etag"]}
            again = await client.request("GET", answer.request.url.path, headers=headers, **asked)
            if (again.status_code, again.content) != (304, b""):
                raise Leak(f"{where} is sent again to who has it: {again.status_code}")

    def _holds_secret(self, answer: httpx.Response) -> bool:
        """The length of a compressed answer would tell of a code or a token in it."""
        digits = re.sub(r"(?<=\d)[ -](?=\d)", "", answer.text)
        token = answer.request.headers.get("authorization", "").removeprefix("Bearer ")
        return any(code in digits for code in self._codes) or (token != "" and token in answer.text)

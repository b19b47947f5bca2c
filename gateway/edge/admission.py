"""Where every budget is spent, for the API and the pages alike, before anything is looked up.

What is attacked has tight limits: one tracking code here (`one_code`), a mobile and an account in accounts. An address has
wide ones, since a carrier or an office puts many people behind one, and requests beyond them are mostly not refused but made
costlier:

| budget | counted by | beyond it |
| --- | --- | --- |
| `session` | account | 429: every request of somebody signed in |
| `anonymous` | address | 429: every other request, whatever its path (general_budget.py) |
| `codes` | address | a challenge: tracking codes that are typed or sent |
| `bad_codes` | address | first delays, then a challenge, harder with each further wrong code |
| `bad_codes_by_network` | IPv6 /48 | a challenge |
| `waited_codes` | address | 429: wrong codes typed in pages, each after a wait |
| `one_code` | tracking code | 429 |
| `submissions` | account, or address | 429 for an account, a challenge for an address |
| `one_time_codes`, `sign_in` | address | a challenge |
| `code_by_sms` | tracking code | 429: it is sent to a mobile that its holder names |
| `sms_of_mobile` | mobile | nothing is sent, and nobody is told |
| `upload_megabytes` | address | 429: bytes of evidence that are stored, whether they count in the end or not |
| `refresh` | token | 429: renewing and ending one session |
| `bad_tokens` | address | 429 instead of the 401, and nothing else: a good token is never refused for others' bad ones |

Open streams are counted where they are kept (gateway/live/event_stream.py): of an account or a code `limit_streams`; those of
codes by address, too, and beyond `limit_streams_by_address` each takes a challenge. Of who is signed in no address is counted.

A text that is searched for a code takes from `bad_codes` for each number in it that may be one (contracts/tracking_codes.py).
A challenge is work for a program and a wait for a page without script (challenges.py).
A code that a browser has opened before is not limited as if it were typed: wrong codes of others do not affect it.
docs/adr/0010-graded-limits.md has the arithmetic.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from backbone.process.settings import secrets
from contracts import tracking_codes
from contracts.errors import TooMany, UnknownTrackingCode
from gateway.edge.challenges import VALID_SECONDS, Challenges
from gateway.edge.limits import Limits, network_of
from gateway.settings import Settings

ANSWER_HEADER = "Challenge-Answer"
_ANSWERS_PER_BIT = {"bad_codes": 4, "staff_sign_in": 4}
"""Challenges answered within the hour after wrong guesses, for each of which so many make the next one twice as hard."""
_ANSWERS_PER_CROWD_BIT = 64
"""The same for requests that are many and not wrong: their challenges grow slowly, and by at most `_MAX_CROWD_BITS`."""
_MAX_CROWD_BITS = 4
_CROWD_RETRY_SECONDS = 30
"""After which an address with many open streams may have fewer."""
_WAIT_PER_ANSWER = 5
"""Seconds that each challenge answered within the hour adds to a wait."""


@dataclass(frozen=True, slots=True)
class Client:
    """The sender of a request, for the limits. `address_key`: the key of their address today; `answer`: to a challenge;
    `computes`: False for a page without script."""

    address_key: str
    answer: str | None = None
    computes: bool = True


@dataclass(frozen=True, slots=True)
class AdmittedCode:
    """A valid tracking code. `hashes`: those that its case may be stored under, the current key's first."""

    code: str
    hashes: list[str]


class Admission:
    """Raises TooMany for what is refused. `delay`: waits for so many seconds."""

    def __init__(
        self, settings: Settings, limits: Limits, delay: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._settings, self._limits, self.delay = settings, limits, delay
        self._mac_keys, self._index_keys = secrets(settings.code_mac_keys), secrets(settings.code_index_keys)
        key = hmac.new(settings.code_derive_key.get_secret_value(), b"challenges", hashlib.sha256).digest()
        self.challenges = Challenges(key)

    @property
    def counts_requests(self) -> bool:
        """Whether the budgets of `admit_request` have limits at all."""
        return self._limits.is_limited("session") or self._limits.is_limited("anonymous")

    async def admit_request(self, address_key: str, account: str | None) -> None:
        """Any request. `account`: the id of the account that is signed in."""
        if account is not None:
            await self._limits.spend("session", account)
        else:
            await self._limits.spend("anonymous", address_key)

    async def admit_typed_code(self, client: Client, typed: str) -> AdmittedCode:
        """A code that was typed or sent. UnknownTrackingCode for a wrong one, without asking a service.

        Right and wrong codes are delayed, challenged and refused alike: a refusal reveals nothing about the code.
        """
        await self._spend_or_challenge("codes", client)
        spent = await self._spend_bad_code(client)
        # Each further number in a pasted text is a guess, whatever the others are.
        for _ in tracking_codes.candidates(typed)[1:]:
            await self._spend_bad_code(client)
        code = tracking_codes.parse(typed, self._mac_keys)
        await self._delay_guesses(client)
        if code is None:
            if ("bad_codes", client.address_key) not in spent:
                await self._limits.count("bad_codes_challenged", _widest_key(client))
            raise UnknownTrackingCode
        for budget, key in spent:
            await self._limits.give_back(budget, key)
        return await self.admit_opened_code(code)

    async def admit_opened_code(self, code: str) -> AdmittedCode:
        """A code that this browser has opened before, according to its encrypted cookie."""
        hashes = tracking_codes.hashes(code, self._index_keys)
        await self._limits.spend("one_code", hashes[0])
        return AdmittedCode(code, hashes)

    async def admit_submission(self, client: Client, account: str | None) -> None:
        if account is not None:
            await self._limits.spend("submissions", account)
        else:
            await self._spend_or_challenge("submissions", client)

    async def spend_megabytes(self, address_key: str, amount: int) -> None:
        """Before so much is stored for this address. How much may be announced is limited by media."""
        await self._limits.spend("upload_megabytes", address_key, amount)

    async def admit_one_time_code(self, client: Client) -> None:
        """A request to be sent one; how often one mobile may be sent any is limited by accounts."""
        await self._spend_or_challenge("one_time_codes", client)

    async def admit_code_by_sms(self, client: Client, code_hash: str, mobile: str) -> bool:
        """A request to send a code to a mobile. TooMany when this code was sent too often; False when this mobile was sent too
        many of whatever code: then nothing is sent, and nobody is told, since it may be somebody else's."""
        await self._spend_or_challenge("one_time_codes", client)
        await self._limits.spend("code_by_sms", self._limits.secret_key(code_hash))
        try:
            await self._limits.spend("sms_of_mobile", self._limits.secret_key(mobile))
        except TooMany:
            return False
        return True

    async def admit_sign_in(self, client: Client) -> None:
        """An attempt to sign in; how many one mobile or account may have is limited by accounts."""
        await self._spend_or_challenge("sign_in", client)

    async def accept_answer(self, budget: str, client: Client) -> bool:
        """Whether the request answers a challenge of this budget, which is then used up."""
        if client.answer is None or not await self._use_answer(budget, client):
            return False
        await self._limits.count(f"{budget}_challenged", _widest_key(client))
        return True

    async def admit_stream_in_crowd(self, client: Client) -> None:
        """A stream of whoever holds a code, of an address that has many of them open: for an answered challenge alone."""
        await self._require_answer("streams", client, TooMany(retry_after=_CROWD_RETRY_SECONDS))
        await self._limits.count("streams_challenged", _widest_key(client))

    async def with_challenge(self, budget: str, client: Client, refusal: TooMany) -> TooMany:
        """A service's refusal, with a challenge that may be solved instead of waiting."""
        return TooMany(refusal.params, challenge=await self._challenge(budget, client))

    async def admit_refresh(self, token: str) -> None:
        """Renewing or ending a session, by its refresh token."""
        await self._limits.spend("refresh", hashlib.sha256(token.encode()).hexdigest()[:32])

    async def count_bad_token(self, client: Client) -> None:
        """An invalid refresh token: TooMany instead of the answer that it is invalid, once there were too many."""
        await self._limits.spend("bad_tokens", client.address_key)

    async def _spend_bad_code(self, client: Client) -> list[tuple[str, str]]:
        """Spends for a wrong code before it is known to be one, so that many requests at once gain nothing. Returns the
        budgets and keys spent from: none where a challenge was answered instead."""
        spent: list[tuple[str, str]] = []
        if not self._limits.is_limited("bad_codes"):
            return spent
        budgets = [("bad_codes", client.address_key)]
        if (network := network_of(client.address_key)) is not None:
            budgets.append(("bad_codes_by_network", network))
        try:
            for budget, key in budgets:
                await self._limits.spend(budget, key)
                spent.append((budget, key))
        except TooMany as refusal:
            for budget, key in spent:
                await self._limits.give_back(budget, key)
            await self._require_answer("bad_codes", client, refusal)
            if client.computes:
                return []
            await self._limits.spend("waited_codes", _widest_key(client))
            return [("waited_codes", _widest_key(client))]
        return spent

    async def _delay_guesses(self, client: Client) -> None:
        settings = self._settings
        if not self._limits.is_limited("bad_codes"):
            return
        beyond = await self._limits.used("bad_codes", client.address_key) - settings.bad_codes_undelayed
        if beyond > 0:
            await self.delay(min(settings.bad_code_delay_most, beyond * settings.bad_code_delay))

    async def _spend_or_challenge(self, budget: str, client: Client) -> None:
        """Spends one of the address's budget; where it is used up, an answered challenge is accepted instead."""
        try:
            await self._limits.spend(budget, client.address_key)
        except TooMany as refusal:
            await self._require_answer(budget, client, refusal)
            await self._limits.count(f"{budget}_challenged", _widest_key(client))

    async def _require_answer(self, budget: str, client: Client, refusal: TooMany) -> None:
        """Returns when the client has answered a challenge of this budget. Else raises TooMany with a challenge, or for a page
        with a `ticket` that is valid after a wait."""
        if client.answer is not None and await self._use_answer(budget, client):
            return
        if client.computes:
            raise await self.with_challenge(budget, client, refusal)
        settings = self._settings
        answered = await self._limits.recent_count(f"{budget}_challenged", _widest_key(client))
        steps = answered if budget in _ANSWERS_PER_BIT else min(_MAX_CROWD_BITS, answered // _ANSWERS_PER_CROWD_BIT)
        seconds = min(settings.wait_seconds_most, settings.wait_seconds + steps * _WAIT_PER_ANSWER)
        raise TooMany(retry_after=seconds, ticket=self.challenges.wait(budget, client.address_key, seconds))

    async def _use_answer(self, budget: str, client: Client) -> bool:
        """Whether the challenge is answered, and for the first time."""
        answer, key = client.answer or "", client.address_key
        if client.computes:
            challenge_id = self.challenges.check_work(budget, key, answer, await self._bits(budget, client))
        else:
            challenge_id = self.challenges.check_wait(budget, key, answer)
        return challenge_id is not None and await self._limits.use_once("challenge", challenge_id, VALID_SECONDS + 1)

    async def _challenge(self, budget: str, client: Client) -> dict[str, str | int]:
        bits = await self._bits(budget, client)
        token = self.challenges.work(budget, client.address_key, bits)
        return {"token": token, "algorithm": "sha256", "bits": bits}

    async def _bits(self, budget: str, client: Client) -> int:
        answered = await self._limits.recent_count(f"{budget}_challenged", _widest_key(client))
        steps = (
            answered // _ANSWERS_PER_BIT[budget]
            if budget in _ANSWERS_PER_BIT
            else min(_MAX_CROWD_BITS, answered // _ANSWERS_PER_CROWD_BIT)
        )
        return min(self._settings.challenge_bits_most, self._settings.challenge_bits + steps)


def _widest_key(client: Client) -> str:
    """The key that the difficulty of challenges is counted by: an address, or the IPv6 network that one customer may have."""
    return network_of(client.address_key) or client.address_key

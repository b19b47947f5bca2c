"""Where every budget is spent, for the API and the pages alike, before anything is looked up.

What is attacked has tight limits: one tracking code here (`one_code`), a mobile and an account in accounts. An address has
wide ones, for a carrier or an office puts many people behind one, and what is beyond them is graded rather than refused:

| budget | counted by | beyond it |
| --- | --- | --- |
| `session` | account | 429: every request of somebody signed in |
| `anonymous` | address | 429: every other request, whatever its path (general_budget.py) |
| `codes` | address | a challenge: tracking codes that are typed or sent |
| `bad_codes` | address | first delays, then a challenge, harder with each further wrong code |
| `bad_codes_by_network` | IPv6 /48 | a challenge |
| `waited_codes` | address | 429: wrong codes of pages that waited for each |
| `one_code` | tracking code | 429 |
| `submissions` | account, or address | 429 for an account, a challenge for an address |
| `one_time_codes`, `sign_in` | address | a challenge |
| `upload_megabytes` | address | 429: bytes of evidence that are stored, whether they count in the end or not |
| `refresh` | token | 429: renewing and ending one session |
| `bad_tokens` | address | 429 instead of the 401, and nothing else: a good token is never refused for others' bad ones |

A text in which a code is looked for takes from `bad_codes` for each number in it that may be one (contracts/tracking_codes.py).
A challenge is work for a program and a while for a page without script (challenges.py).
A code that a browser has opened is not looked up again as if it were typed: others' wrong codes do not concern it.
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
from gateway.edge.challenges import GOOD_FOR, Challenges
from gateway.edge.limits import Limits, network_of
from gateway.settings import Settings

ANSWER_HEADER = "Challenge-Answer"
_PER_BIT = {"bad_codes": 4, "staff_sign_in": 4}
"""So many challenges answered within the hour, by who guessed wrong, make the next one twice as hard."""
_PER_BIT_OF_A_CROWD = 64
"""The same where those who come are not wrong but many: their challenges grow slowly, and by `_BITS_OF_A_CROWD` in all."""
_BITS_OF_A_CROWD = 4
_WAIT_GROWS = 5
"""Seconds that each wrong one within the hour adds to a wait."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, as limits see them. `address_key`: stands for the address today; `answer`: to a challenge; `computes`: False
    for a page without script."""

    address_key: str
    answer: str | None = None
    computes: bool = True


@dataclass(frozen=True, slots=True)
class Admitted:
    """A tracking code whose check digits are right. `hashes`: what its case may be stored under, the current key's first."""

    code: str
    hashes: list[str]


class Admission:
    """`delay`: waits for so many seconds."""

    def __init__(
        self, settings: Settings, limits: Limits, delay: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._settings, self._limits, self.delay = settings, limits, delay
        self._mac_keys, self._index_keys = secrets(settings.code_mac_keys), secrets(settings.code_index_keys)
        key = hmac.new(settings.code_derive_key.get_secret_value(), b"challenges", hashlib.sha256).digest()
        self.challenges = Challenges(key)

    @property
    def counts_requests(self) -> bool:
        """Whether the budgets of `request` have limits at all."""
        return self._limits.limited("session") or self._limits.limited("anonymous")

    async def request(self, address_key: str, account: str | None) -> None:
        """Any request. `account`: the id of who is signed in."""
        if account is not None:
            await self._limits.spend("session", account)
        else:
            await self._limits.spend("anonymous", address_key)

    async def tracking_code(self, client: Client, typed: str) -> Admitted:
        """A code that was typed or sent. UnknownTrackingCode for a wrong one, without asking anyone.

        Right and wrong ones are slowed, challenged and refused alike: a refusal tells nothing of the code.
        """
        await self._graded("codes", client)
        taken = await self._take_bad_code(client)
        for _ in tracking_codes.candidates(typed)[
            1:
        ]:  # each further number in a pasted text is a guess, whatever the others are
            await self._take_bad_code(client)
        code = tracking_codes.parse(typed, self._mac_keys)
        await self._slow_down(client)
        if code is None:
            if ("bad_codes", client.address_key) not in taken:
                await self._limits.count("bad_codes_challenged", _whole(client))
            raise UnknownTrackingCode
        for budget, who in taken:
            await self._limits.give_back(budget, who)
        return await self.opened_code(code)

    async def opened_code(self, code: str) -> Admitted:
        """A code that this browser has opened before, as its sealed cookie says."""
        hashes = tracking_codes.hashes(code, self._index_keys)
        await self._limits.spend("one_code", hashes[0])
        return Admitted(code, hashes)

    async def submission(self, client: Client, account: str | None) -> None:
        if account is not None:
            await self._limits.spend("submissions", account)
        else:
            await self._graded("submissions", client)

    async def stored_megabytes(self, address_key: str, amount: int) -> None:
        """So much is about to be stored for this address. How much may be announced is counted by media."""
        await self._limits.spend("upload_megabytes", address_key, amount)

    async def one_time_code(self, client: Client) -> None:
        """Asking for one; how often one mobile may be sent any is counted by accounts."""
        await self._graded("one_time_codes", client)

    async def sign_in(self, client: Client) -> None:
        """An attempt; how many one mobile or account may have is counted by accounts."""
        await self._graded("sign_in", client)

    async def worked(self, budget: str, client: Client) -> bool:
        """Whether an answered challenge of this budget came along."""
        if client.answer is None or not await self._answered(budget, client):
            return False
        await self._limits.count(f"{budget}_challenged", _whole(client))
        return True

    async def offer_work(self, budget: str, client: Client, refusal: TooMany) -> TooMany:
        """A refusal by a service, with a challenge that may be solved instead of waiting."""
        return TooMany(refusal.params, challenge=await self._work(budget, client))

    async def refresh(self, token: str) -> None:
        """Renewing or ending a session, by its refresh token."""
        await self._limits.spend("refresh", hashlib.sha256(token.encode()).hexdigest()[:32])

    async def bad_token(self, client: Client) -> None:
        """A refresh token that was none: TooMany instead of saying so, once there were too many."""
        await self._limits.spend("bad_tokens", client.address_key)

    async def _take_bad_code(self, client: Client) -> list[tuple[str, str]]:
        """Takes for a wrong code before it is known to be one, so that many at once gain nothing; what it was taken from, and
        nothing where work was done for it."""
        taken: list[tuple[str, str]] = []
        if not self._limits.limited("bad_codes"):
            return taken
        wanted = [("bad_codes", client.address_key)]
        if (network := network_of(client.address_key)) is not None:
            wanted.append(("bad_codes_by_network", network))
        try:
            for budget, who in wanted:
                await self._limits.spend(budget, who)
                taken.append((budget, who))
        except TooMany as refusal:
            for budget, who in taken:
                await self._limits.give_back(budget, who)
            await self._challenged("bad_codes", client, refusal)
            if client.computes:
                return []
            await self._limits.spend("waited_codes", _whole(client))
            return [("waited_codes", _whole(client))]
        return taken

    async def _slow_down(self, client: Client) -> None:
        settings = self._settings
        if not self._limits.limited("bad_codes"):
            return
        beyond = await self._limits.used("bad_codes", client.address_key) - settings.bad_codes_undelayed
        if beyond > 0:
            await self.delay(min(settings.bad_code_delay_most, beyond * settings.bad_code_delay))

    async def _graded(self, budget: str, client: Client) -> None:
        """Takes one from the address's budget; where it is used up, an answered challenge goes instead."""
        try:
            await self._limits.spend(budget, client.address_key)
        except TooMany as refusal:
            await self._challenged(budget, client, refusal)
            await self._limits.count(f"{budget}_challenged", _whole(client))

    async def _challenged(self, budget: str, client: Client, refusal: TooMany) -> None:
        """Nothing when the client has answered a challenge of this budget; else TooMany with one, or for a page with a `ticket`
        that is good when it has waited."""
        if client.answer is not None and await self._answered(budget, client):
            return
        if client.computes:
            raise await self.offer_work(budget, client, refusal)
        settings = self._settings
        wrong = await self._limits.counted(f"{budget}_challenged", _whole(client))
        steps = wrong if budget in _PER_BIT else min(_BITS_OF_A_CROWD, wrong // _PER_BIT_OF_A_CROWD)
        seconds = min(settings.wait_seconds_most, settings.wait_seconds + steps * _WAIT_GROWS)
        raise TooMany(retry_after=seconds, ticket=self.challenges.wait(budget, client.address_key, seconds))

    async def _answered(self, budget: str, client: Client) -> bool:
        """Whether the challenge is answered, and for the first time."""
        answer, who = client.answer or "", client.address_key
        if client.computes:
            answered = self.challenges.check_work(budget, who, answer, await self._bits(budget, client))
        else:
            answered = self.challenges.check_wait(budget, who, answer)
        return answered is not None and await self._limits.first("challenge", answered, GOOD_FOR + 1)

    async def _work(self, budget: str, client: Client) -> dict[str, str | int]:
        bits = await self._bits(budget, client)
        token = self.challenges.work(budget, client.address_key, bits)
        return {"token": token, "algorithm": "sha256", "bits": bits}

    async def _bits(self, budget: str, client: Client) -> int:
        wrong = await self._limits.counted(f"{budget}_challenged", _whole(client))
        steps = wrong // _PER_BIT[budget] if budget in _PER_BIT else min(_BITS_OF_A_CROWD, wrong // _PER_BIT_OF_A_CROWD)
        return min(self._settings.challenge_bits_most, self._settings.challenge_bits + steps)


def _whole(client: Client) -> str:
    """By which a challenge grows: an address, or all of the IPv6 network that one customer may have."""
    return network_of(client.address_key) or client.address_key

"""Giving papers out and checking what comes back, for the API and the pages alike."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import InvalidField, NotGenuine, StillRegistering, UnknownCase
from contracts.letters import Letter, ReadLetter
from contracts.vocabulary import Language
from gateway.broker import Bus
from gateway.catalogue import Shelf
from gateway.downloads import disposition
from gateway.papers.letters import letter_paper, letter_stamp
from gateway.papers.paper import Paper, Stamp
from gateway.papers.press import Press
from gateway.papers.receipts import receipt_paper, receipt_stamp
from gateway.papers.seals import ReceiptSeal, Seal, Seals
from gateway.receipts import Receipt, Signer
from gateway.settings import Settings

_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class Papers:
    """One desk a process."""

    def __init__(self, settings: Settings, bus: Bus, shelf: Shelf, signer: Signer) -> None:
        self._bus, self._shelf, self._public = bus, shelf, settings.public_url
        self.seals = Seals(signer)
        self.press = Press(settings.paper_seconds, settings.max_papers, settings.retry_after)

    async def letter(self, request: Request, asked: ReadLetter, language: Language) -> Response:
        """The letter as PDF. UnknownCase, NoLetter, StillRegistering, and Unavailable."""
        verify = self._verify(request)
        try:
            letter = await self._bus.ask("tracking", "read_letter", asked, Letter)
        except UnknownCase:
            if asked.code_hashes:
                raise StillRegistering from None
            raise
        paper = letter_paper(letter, language, self._shelf)
        stamp = letter_stamp(letter, paper, language, self.seals, verify)
        return await self._answer(f"peygir-letter-{letter.number}-{language}.pdf", paper, stamp)

    async def receipt(self, request: Request, receipt: Receipt, language: Language) -> Response:
        """The receipt as PDF. NotGenuine for one that is not ours, or not as we gave it."""
        verify = self._verify(request)
        seal = self.seals.of_receipt(receipt)
        told = self.seals.check(seal) if seal else None
        if seal is None or not isinstance(told, ReceiptSeal):
            raise NotGenuine
        stamp = receipt_stamp(told, seal, language, verify)
        name = f"peygir-receipt-{str(told.submission_id)[:8]}-{language}.pdf"
        return await self._answer(name, receipt_paper(told, language), stamp)

    def check(self, line: str) -> Seal | None:
        """What a genuine paper vouches for."""
        return self.seals.check(line)

    async def _answer(self, name: str, paper: Paper, stamp: Stamp) -> Response:
        headers = {
            "cache-control": "private, no-store",
            "content-disposition": disposition(name, inline=False),
            "content-language": paper.language,
            "x-robots-tag": "noindex",
        }
        return Response(await self.press.draw(paper, stamp), 200, headers, "application/pdf")

    def _verify(self, request: Request) -> str:
        """The address of the page that checks papers, without an end of its own."""
        origin = self._public or str(request.base_url).rstrip("/")
        if not _ORIGIN.fullmatch(origin):
            raise InvalidField(fields=[{"field": "Host", "reason": "string_pattern_mismatch"}])
        return f"{origin}/verify"

"""Giving papers out and checking what comes back, for the API and the pages alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import DeadlinePassed, NotGenuine, StillRegistering, Unavailable, UnknownCase
from contracts.intake import OwnName, ReadOwnName
from contracts.letters import Letter, ReadLetter
from contracts.vocabulary import ActorKind, Language
from gateway.evidence.downloads import disposition
from gateway.papers.letters import letter_paper, letter_stamp
from gateway.papers.paper import Paper, Stamp
from gateway.papers.pdf_queue import Press
from gateway.papers.receipts import receipt_paper, receipt_stamp
from gateway.papers.signatures import ReceiptSeal, Seal, Seals
from gateway.rabbit.client import RabbitClient
from gateway.settings import Settings
from gateway.submissions.catalogue_cache import CatalogueCache
from gateway.submissions.receipts import Receipt, Signer
from texts.office import office

_NAME_SECONDS = 2.0
_GONE = 499
"""What is noted for a client that left before its paper was there; nobody reads the answer."""


class Papers:
    """One desk a process."""

    def __init__(
        self, settings: Settings, rabbit: RabbitClient, catalogue_cache: CatalogueCache, signer: Signer
    ) -> None:
        self._bus, self._shelf = rabbit, catalogue_cache
        self._verify = f"{settings.public_url}/verify"
        self._emblem = office().emblem
        self.seals = Seals(signer)
        self.press = Press(settings.paper_seconds, settings.max_papers, settings.papers_each, settings.retry_after)

    async def letter(self, request: Request, asked: ReadLetter, language: Language, requester: str) -> Response:
        """The letter as PDF. `requester`: stands for an account or an address, in whose share of the queue it waits.
        UnknownCase, NoLetter, StillRegistering, TooMany and Unavailable."""
        try:
            letter = await self._bus.ask("tracking", "read_letter", asked, Letter)
        except UnknownCase:
            if asked.code_hashes:
                raise StillRegistering from None
            raise
        paper = letter_paper(letter, language, self._shelf, await self._addressee(asked))
        stamp = letter_stamp(letter, paper, language, self.seals, self._verify)
        name = f"peygir-letter-{letter.number}-{language}.pdf"
        return await self._answer(request, name, paper, stamp, requester)

    async def _addressee(self, asked: ReadLetter) -> str | None:
        """The citizen's own name, where it is this citizen who reads, signed in. Whoever holds no more than the code may have
        found it; staff learn names by opening a sealed identity alone. None, too, while intake is away."""
        if asked.actor.kind is not ActorKind.CITIZEN or asked.case_id is None:
            return None
        request = ReadOwnName(actor=asked.actor, case_id=asked.case_id)
        try:
            told = await self._bus.ask("intake", "read_own_name", request, OwnName, patience=_NAME_SECONDS)
        except (Unavailable, DeadlinePassed):
            return None
        return " ".join((told.name or "").split()) or None

    async def receipt(self, request: Request, receipt: Receipt, language: Language, requester: str) -> Response:
        """The receipt as PDF, as `letter`. NotGenuine for one that is not ours, or not as we gave it."""
        seal = self.seals.of_receipt(receipt)
        told = self.seals.check(seal) if seal else None
        if seal is None or not isinstance(told, ReceiptSeal):
            raise NotGenuine
        stamp = receipt_stamp(told, seal, language, self._verify)
        name = f"peygir-receipt-{str(told.submission_id)[:8]}-{language}.pdf"
        return await self._answer(request, name, receipt_paper(told, language), stamp, requester)

    def check(self, line: str) -> Seal | None:
        """What a genuine paper vouches for."""
        return self.seals.check(line)

    async def _answer(self, request: Request, name: str, paper: Paper, stamp: Stamp, requester: str) -> Response:
        pdf = await self._drawn_for(request, paper, replace(stamp, emblem=self._emblem), requester)
        if pdf is None:
            return Response(status_code=_GONE)
        headers = {
            "cache-control": "private, no-store",
            "content-disposition": disposition(name, inline=False),
            "content-language": paper.language,
            "x-robots-tag": "noindex",
        }
        return Response(pdf, 200, headers, "application/pdf")

    async def _drawn_for(self, request: Request, paper: Paper, stamp: Stamp, requester: str) -> bytes | None:
        """The PDF; None when the client left, which ends the waiting and the drawing."""
        drawing = asyncio.create_task(self.press.draw(paper, stamp, requester))
        leaving = asyncio.create_task(_left(request))
        try:
            await asyncio.wait((drawing, leaving), return_when=asyncio.FIRST_COMPLETED)
            return drawing.result() if drawing.done() else None
        finally:
            for task in (drawing, leaving):
                task.cancel()
            await asyncio.gather(drawing, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    """Waits until the client closes the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass

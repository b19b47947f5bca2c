"""Issuing papers and verifying them, for the API and the pages alike."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import DeadlinePassed, NotGenuine, PeygirError, StillRegistering, Unavailable, UnknownCase
from contracts.intake import OwnName, ReadOwnName
from contracts.letters import CheckLetter, Letter, LetterStanding, ReadLetter
from contracts.vocabulary import ActorKind, Language
from gateway.edge.problems import CLIENT_GONE
from gateway.evidence.downloads import content_disposition
from gateway.papers.letters import letter_paper, letter_verification
from gateway.papers.paper import Paper, VerificationBlock
from gateway.papers.pdf_queue import PdfQueue
from gateway.papers.receipts import receipt_paper, receipt_verification
from gateway.papers.signatures import PaperSigner, SignedLetter, SignedPaper, SignedReceipt
from gateway.rabbit.client import RabbitClient
from gateway.settings import Settings
from gateway.submissions.catalogue_cache import CatalogueCache
from gateway.submissions.receipts import Receipt, Signer
from texts.office import office

_NAME_PATIENCE = 2.0
_STANDING_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class VerifiedPaper:
    """`signed`: what a genuine signature line certifies. `in_force`: of a letter, whether what it told still holds; None for a
    receipt, and while tracking cannot say."""

    signed: SignedPaper
    in_force: bool | None = None


class PaperIssuing:
    """Issues letters and receipts as PDF. One object a process."""

    def __init__(
        self, settings: Settings, rabbit: RabbitClient, catalogue_cache: CatalogueCache, signer: Signer
    ) -> None:
        self._rabbit, self._catalogue_cache = rabbit, catalogue_cache
        self._verify_url = f"{settings.public_url}/verify"
        self._emblem = office().emblem
        self.signer = PaperSigner(signer)
        self.pdf_queue = PdfQueue(
            settings.paper_seconds, settings.max_papers, settings.papers_each, settings.retry_after
        )

    async def letter(self, request: Request, query: ReadLetter, language: Language, requester: str) -> Response:
        """The letter as PDF. `requester`: the key of an account or an address, in whose share of the queue it waits. Raises
        UnknownCase, NoLetter, StillRegistering, TooMany and Unavailable."""
        try:
            letter = await self._rabbit.call("tracking", "read_letter", query, Letter)
        except UnknownCase:
            if query.code_hashes:
                raise StillRegistering from None
            raise
        paper = letter_paper(letter, language, self._catalogue_cache, await self._addressee(query))
        verification = letter_verification(letter, paper, language, self.signer, self._verify_url)
        name = f"peygir-letter-{letter.number}-{language}.pdf"
        return await self._answer(request, name, paper, verification, requester)

    async def _addressee(self, query: ReadLetter) -> str | None:
        """The citizen's own name, where this citizen reads, signed in. Whoever holds only the code may have found it; staff learn
        names only by opening a sealed identity. Also None while intake does not answer."""
        if query.actor.kind is not ActorKind.CITIZEN or query.case_id is None:
            return None
        request = ReadOwnName(actor=query.actor, case_id=query.case_id)
        try:
            own = await self._rabbit.call("intake", "read_own_name", request, OwnName, patience=_NAME_PATIENCE)
        except (Unavailable, DeadlinePassed):
            return None
        return " ".join((own.name or "").split()) or None

    async def receipt(
        self, request: Request, receipt: Receipt, language: Language, requester: str, code: str | None = None
    ) -> Response:
        """The receipt as PDF, as `letter`. NotGenuine for one that this office did not issue, or that was changed. `code`: to be
        printed on it."""
        signature_line = self.signer.sign_receipt(receipt)
        signed = self.signer.verify(signature_line) if signature_line else None
        if signature_line is None or not isinstance(signed, SignedReceipt):
            raise NotGenuine
        verification = receipt_verification(signed, signature_line, language, self._verify_url)
        name = f"peygir-receipt-{str(signed.submission_id)[:8]}-{language}.pdf"
        # One with a code on it is a secret that nothing keeps.
        paper = receipt_paper(signed, language, code)
        return await self._answer(request, name, paper, verification, requester, keep=code is None)

    async def verify(self, line: str) -> VerifiedPaper | None:
        """What a genuine signature line certifies; None for any other. The signature is verified without a service; only then is
        tracking asked whether a letter was taken back or replaced, so that nobody learns it of a letter they do not hold."""
        signed = self.signer.verify(line)
        if signed is None:
            return None
        return VerifiedPaper(signed, await self._in_force(signed) if isinstance(signed, SignedLetter) else None)

    async def _in_force(self, letter: SignedLetter) -> bool | None:
        request = CheckLetter(number=letter.number)
        try:
            standing = await self._rabbit.call(
                "tracking", "check_letter", request, LetterStanding, patience=_STANDING_PATIENCE
            )
        except PeygirError:
            return None
        return standing.in_force

    async def _answer(
        self,
        request: Request,
        name: str,
        paper: Paper,
        verification: VerificationBlock,
        requester: str,
        keep: bool = True,
    ) -> Response:
        block = replace(verification, emblem=self._emblem)
        pdf = await self._render_for(request, self.pdf_queue.render(paper, block, requester, keep))
        if pdf is None:
            return Response(status_code=CLIENT_GONE)
        headers = {
            "cache-control": "private, no-store",
            "content-disposition": content_disposition(name, inline=False),
            "content-language": paper.language,
            "x-robots-tag": "noindex",
        }
        return Response(pdf, 200, headers, "application/pdf")

    @staticmethod
    async def _render_for(request: Request, render: Coroutine[Any, Any, bytes]) -> bytes | None:
        """The PDF; None when the client disconnected, which ends the waiting and the rendering."""
        rendering = asyncio.create_task(render)
        disconnect = asyncio.create_task(_disconnected(request))
        try:
            await asyncio.wait((rendering, disconnect), return_when=asyncio.FIRST_COMPLETED)
            return rendering.result() if rendering.done() else None
        finally:
            for task in (rendering, disconnect):
                task.cancel()
            await asyncio.gather(rendering, disconnect, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    """Waits until the client closes the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass

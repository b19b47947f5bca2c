"""Makes the package of a referral: tracking says what may go into it, intake opens the identity where it goes with it, media's
files are streamed from the object store; then it is recorded, and only then handed out. On the disk there is the encrypted
package alone, as a file without a name that is gone with the answer."""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from backbone.process import logs
from contracts.errors import Unavailable
from contracts.intake import OpenedIdentity, OpenIdentity
from contracts.media import FILE_SUFFIXES, Variant
from contracts.referrals import PackagedFile, PrepareReferral, RecordReferral, Referral, ReferralDraft, ReferredFile
from contracts.tracking import AuthorizeMedia
from contracts.vocabulary import Language
from gateway.evidence.attachments import Attachments
from gateway.papers.pdf_queue import PdfQueue
from gateway.rabbit.client import RabbitClient
from gateway.referrals.letter import referral_mark, referral_paper
from gateway.referrals.package import SealedPackage, too_large
from gateway.settings import Settings
from gateway.submissions.receipts import Signer
from texts.office import office

log = logs.get("referrals")

CASE_SCHEMA = "peygir.referral.case.v1"
_REASON_OF_OPENING = 500
"""Characters that intake keeps of why an identity was opened."""


@dataclass(frozen=True)
class MadePackage:
    """`file`: the encrypted package, at its start; whoever sends it closes it."""

    referral: Referral
    sha256: str
    size: int
    file: BinaryIO


class ReferralPackages:
    """Makes packages, so many at a time. One object a process."""

    def __init__(self, settings: Settings, rabbit: RabbitClient, signer: Signer, pdf_queue: PdfQueue) -> None:
        self._rabbit, self._signer, self._pdf_queue = rabbit, signer, pdf_queue
        self._folder, self._most = settings.gateway_state_dir, settings.max_referral_bytes
        self._retry_after = settings.retry_after
        self._making = asyncio.Semaphore(settings.max_referrals)

    async def make(
        self, request: PrepareReferral, attachments: Attachments, language: Language, requester: str
    ) -> MadePackage:
        """The package, recorded. `requester`: in whose share of the queue the letter waits. Raises what PrepareReferral and
        RecordReferral do, ReferralTooLarge, and Unavailable while others are made or the disk is full."""
        if self._making.locked():
            raise Unavailable(retry_after=self._retry_after)
        async with self._making:
            draft = await self._rabbit.call("tracking", "prepare_referral", request, ReferralDraft)
            if sum(file.size or 0 for file in draft.files) > self._most:
                raise too_large(self._most)
            file = _nameless(self._folder)
            try:
                contents, sha256, size = await self._fill(file, draft, request, attachments, language, requester)
                record = RecordReferral(
                    **dict(request),
                    contents=contents,
                    sha256=sha256,
                    size=size,
                    key_fingerprint=_fingerprint(draft.body.age_key),
                )
                referral = await self._rabbit.call("tracking", "record_referral", record, Referral)
            except OSError as error:
                file.close()
                log.error("a package could not be written", error=logs.describe(error.__cause__ or error))
                raise Unavailable(retry_after=self._retry_after) from None
            except BaseException:
                file.close()
                raise
        file.seek(0)
        return MadePackage(referral, sha256, size, file)

    async def _fill(
        self,
        target: BinaryIO,
        draft: ReferralDraft,
        request: PrepareReferral,
        attachments: Attachments,
        language: Language,
        requester: str,
    ) -> tuple[list[PackagedFile], str, int]:
        """What is in it, and SHA-256 and size of it when it is encrypted."""
        identity = await self._identity(draft, request) if request.identity else None
        paper = referral_paper(draft, request.reason, request.identity, language)
        mark = referral_mark(draft, paper, language)
        letter = await self._pdf_queue.render(paper, mark, requester, keep=False)
        package = SealedPackage(target, draft.body.age_key, draft.prepared_at, self._most)
        try:
            await package.add("letter.pdf", letter)
            evidence = [await self._evidence(package, request, file, attachments) for file in draft.files]
            if identity is not None:
                await package.add("identity.json", _json(identity.model_dump(mode="json")))
            await package.add("case.json", _json(_case(draft, request.reason, evidence)))
            about = {
                "referral_id": str(draft.referral_id),
                "case_number": draft.case.number,
                "body": draft.body.code,
                "identity": request.identity,
                "made_at": draft.prepared_at.isoformat(),
                "key": self._signer.key_id,
            }
            sha256, size = await package.finish(about, self._signer.signature)
        finally:
            await asyncio.to_thread(package.close)
        return package.contents, sha256, size

    async def _identity(self, draft: ReferralDraft, request: PrepareReferral) -> OpenedIdentity:
        wish = OpenIdentity(
            actor=request.actor,
            case_id=request.case_id,
            reason=request.reason[:_REASON_OF_OPENING],
            consented_by=draft.consented_by,
        )
        return await self._rabbit.call("intake", "open_identity", wish, OpenedIdentity)

    @staticmethod
    async def _evidence(
        package: SealedPackage, request: PrepareReferral, file: ReferredFile, attachments: Attachments
    ) -> dict[str, Any]:
        """The bytes as they are stored."""
        query = AuthorizeMedia(actor=request.actor, case_id=request.case_id, media_id=file.media_id)
        name = f"evidence/{file.label}{FILE_SUFFIXES.get(file.media_type or '', '')}"
        async with attachments.read(query, Variant.EVIDENCE) as chunks:
            packaged = await package.add_stream(name, chunks)
        return {**packaged.model_dump(), "media_type": file.media_type, "from_office": file.from_office}


def _case(draft: ReferralDraft, reason: str, evidence: list[dict[str, Any]]) -> dict[str, Any]:
    """case.json. A field is never renamed or removed in a schema; it may gain some."""
    return {
        "schema": CASE_SCHEMA,
        "referral_id": str(draft.referral_id),
        "made_at": draft.prepared_at.isoformat(),
        "office": dict(office().name),
        "body": draft.body.model_dump(include={"code", "name_fa", "name_en"}),
        "reason": reason,
        "case": draft.case.model_dump(mode="json"),
        "evidence": evidence,
    }


def _json(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, indent=1).encode() + b"\n"


def _fingerprint(age_key: str) -> str:
    return hashlib.sha256(age_key.encode()).hexdigest()


def _nameless(folder: Path) -> BinaryIO:
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)

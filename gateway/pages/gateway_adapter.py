"""The pages' port to the gateway: the same use cases as the API's, called directly instead of by HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import NoReturn
from uuid import UUID

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from contracts.accounts import OtpSent, RefreshTokens, RequestOtp, Tokens, VerifyOtp
from contracts.desk import AnswerFiledForMe, FiledForMe, FiledForMeItem, ListFiledForMe
from contracts.errors import BadToken, Gone, NotAuthenticated, PeygirError, StillRegistering, Unavailable
from contracts.gateway import Actor
from contracts.intake import Catalogue
from contracts.letters import ReadLetter
from contracts.media import UploadState, Variant
from contracts.notify import ListMessages, Message, MessagePage
from contracts.text_limits import LONGEST_TEXT
from contracts.tracking import AuthorizeMedia, CitizenCommand, ListOwnCases, OwnCase, OwnCases, PublicCase, ViewOwnCase
from contracts.visits import ListOfferedSlots, OfferedSlot, OfferedSlots
from contracts.vocabulary import ActorKind, Channel, Language
from gateway.api import dependencies
from gateway.api.submissions.bodies import IdentityBody, PlaceBody, SubmissionBody
from gateway.auth.tokens import Caller
from gateway.cases.views import CaseView, elsewhere_text
from gateway.container import AppContainer
from gateway.edge.admission import Client
from gateway.edge.problems import invalid
from gateway.evidence.chunk_relay import ChunkRelay, UploadBody
from gateway.evidence.refusals import reason_text
from gateway.pages.gateway_port import CaseKey, Filed, Filing, Limits, UploadStatus, Visitor
from gateway.pages.multipart import BrokenForm
from gateway.papers.issuing import VerifiedPaper
from gateway.submissions.receipts import Receipt

TEXT_LIMIT = LONGEST_TEXT
"""Characters of what happened, as `gateway.api.fields.ClaimText` takes them."""
STATE_PATIENCE = 1.0
"""Seconds for media to say what became of a file; a page is shown without it."""
VERDICT_PAUSES = (0.3, 0.4, 0.6, 0.8, 0.9)
"""Seconds between looks at a file that was just sent: most are judged by then, and a refusal is shown where the file was
chosen."""


_MOST_OWN_CASES = 500
"""How many of somebody's cases one page lists."""


class GatewayAdapter:
    """`uploads`: made when first needed, since its connections belong to the running loop; `file_size` in bytes."""

    def __init__(self, container: AppContainer, uploads: Callable[[], ChunkRelay], file_size: int) -> None:
        self._container, self._uploads = container, uploads
        self.limits = Limits(file_size=file_size, files=max(1, container.settings.max_uploads), text=TEXT_LIMIT)

    async def find_code(self, visitor: Visitor, typed: str) -> str:
        return (await self._container.admission.admit_typed_code(_client(visitor), typed)).code

    def catalogue(self) -> Catalogue | None:
        return self._container.catalogue_cache.current

    # --- filing ---

    def elsewhere(self, unit: str, language: Language) -> str | None:
        return elsewhere_text(language) if unit in self._container.substitutes.uncovered else None

    async def file(self, visitor: Visitor, filing: Filing, key: str) -> Filed:
        caller = self._caller(visitor)
        await self._container.admission.admit_submission(_client(visitor), str(caller.id) if caller else None)
        accepted = await self._container.filing.file(_body(visitor, filing), caller, visitor.language, key)
        return Filed(
            code=accepted.code,
            receipt_id=str(accepted.submission_id),
            receipt=accepted.receipt.payload,
            signature=accepted.receipt.signature,
        )

    async def upload(
        self, visitor: Visitor, file_name: str, media_type: str, size: int, chunks: AsyncIterator[bytes]
    ) -> str:
        uploads = self._uploads()
        upload = await uploads.create(size, file_name or None, media_type, visitor.address)
        body = UploadBody(chunks, size, self._container.settings.stall_timeout)
        try:
            stored = await uploads.append(upload.upload_id, 0, body, address_key=visitor.address)
            if stored.offset != size or body.is_incomplete:
                raise BrokenForm
        except Exception:
            await self._give_up(uploads, upload.upload_id)
            raise
        return upload.upload_id

    async def upload_states(self, visitor: Visitor, upload_ids: Sequence[str]) -> dict[str, UploadStatus]:
        statuses = await asyncio.gather(*(self._state(visitor, upload_id) for upload_id in upload_ids))
        return {upload_id: status for upload_id, status in zip(upload_ids, statuses, strict=True) if status is not None}

    async def upload_verdict(self, visitor: Visitor, upload_id: str) -> UploadStatus | None:
        for pause in VERDICT_PAUSES:
            await asyncio.sleep(pause)
            status = await self._state(visitor, upload_id)
            if status is None or status.state not in (UploadState.OPEN, UploadState.PROCESSING):
                return status
        return None

    async def _state(self, visitor: Visitor, upload_id: str) -> UploadStatus | None:
        try:
            upload = await self._uploads().get(upload_id, STATE_PATIENCE)
        except Gone:
            return UploadStatus(UploadState.REMOVED, reason_text("expired", visitor.language))
        except PeygirError:  # media is away, or a case has it: the file is shown as it was sent
            return None
        return UploadStatus(upload.state, reason_text(upload.reason, visitor.language))

    async def give_up_upload(self, upload_id: str) -> None:
        await self._give_up(self._uploads(), upload_id)

    async def _give_up(self, uploads: ChunkRelay, upload_id: str) -> None:
        with suppress(PeygirError):  # media forgets what nothing refers to
            await uploads.terminate(upload_id)

    # --- who ---

    async def request_otp(self, visitor: Visitor, mobile: str, otp_session: str | None) -> OtpSent:
        await self._container.admission.admit_one_time_code(_client(visitor))
        request = RequestOtp(
            mobile=mobile, language=visitor.language, address_key=visitor.address, otp_session=otp_session
        )
        return await self._container.rabbit.call("accounts", "request_otp", request, OtpSent)

    async def verify_otp(self, visitor: Visitor, mobile: str, code: str, otp_session: str | None) -> Tokens:
        await self._container.admission.admit_sign_in(_client(visitor))
        request = VerifyOtp(mobile=mobile, code=code[:20], address_key=visitor.address, otp_session=otp_session)
        return await self._container.rabbit.call("accounts", "verify_otp", request, Tokens)

    async def refresh(self, visitor: Visitor, refresh_token: str) -> Tokens:
        await self._container.admission.admit_refresh(refresh_token)
        try:
            return await self._container.rabbit.call(
                "accounts", "refresh", RefreshTokens(refresh_token=refresh_token), Tokens
            )
        except BadToken:
            await self._container.admission.count_bad_token(_client(visitor))
            raise

    async def revoke(self, visitor: Visitor, refresh_token: str) -> None:
        await self._container.admission.admit_refresh(refresh_token)
        await self._container.session_revocations.sign_out(refresh_token)

    def _caller(self, visitor: Visitor) -> Caller | None:
        return self._container.tokens.check(visitor.access_token) if visitor.access_token else None

    def _citizen(self, visitor: Visitor) -> Actor:
        caller = self._caller(visitor)
        if caller is None or caller.kind is not ActorKind.CITIZEN:
            raise NotAuthenticated
        return caller.actor(visitor.language)

    # --- cases ---

    async def _holder(self, visitor: Visitor, code: str) -> dependencies.Bearer:
        hashes = (await self._container.admission.admit_opened_code(code)).hashes
        return dependencies.Bearer(dependencies.Visitor(visitor.address, visitor.language, None), hashes)

    async def case(self, visitor: Visitor, key: CaseKey) -> CaseView:
        if key.code is not None:
            holder = await self._holder(visitor, key.code)
            view = await self._container.citizen_cases.read(holder.code_hashes, visitor.language)
            if view is None:
                raise StillRegistering
            return view
        if key.case_id is None:
            raise NotAuthenticated
        request = ViewOwnCase(actor=self._citizen(visitor), case_id=key.case_id)
        case = await self._container.rabbit.call("tracking", "view_own_case", request, PublicCase)
        return await self._container.citizen_cases.render(case, visitor.language)

    async def execute(self, visitor: Visitor, key: CaseKey, idempotency_key: str, command: CitizenCommand) -> None:
        if key.code is not None:
            holder = await self._holder(visitor, key.code)
            await self._container.citizen_cases.execute(
                holder.actor, command, idempotency_key, code_hashes=holder.code_hashes
            )
            return
        actor = self._citizen(visitor)
        await self._container.citizen_cases.execute(actor, command, idempotency_key, case_id=key.case_id)

    async def offered_slots(self, visitor: Visitor, key: CaseKey) -> list[OfferedSlot]:
        if key.code is not None:
            holder = await self._holder(visitor, key.code)
            request = ListOfferedSlots(actor=holder.actor, code_hashes=holder.code_hashes)
        else:
            request = ListOfferedSlots(actor=self._citizen(visitor), case_id=key.case_id)
        return (await self._container.rabbit.call("tracking", "list_offered_slots", request, OfferedSlots)).items

    async def messages(self, visitor: Visitor, key: CaseKey | None) -> list[Message]:
        if key is not None and key.code is not None:
            holder = await self._holder(visitor, key.code)
            request = ListMessages(actor=holder.actor, code_hashes=holder.code_hashes, limit=100)
        else:
            request = ListMessages(actor=self._citizen(visitor), limit=100)
        page = await self._container.rabbit.call("notify", "list_messages", request, MessagePage)
        case_id = key.case_id if key else None
        return [message for message in page.items if case_id in (None, message.case_id)]

    async def own_cases(self, visitor: Visitor) -> list[OwnCase]:
        cases: list[OwnCase] = []
        after: str | None = None
        while len(cases) < _MOST_OWN_CASES:
            request = ListOwnCases(actor=self._citizen(visitor), after=after, limit=100)
            page = await self._container.rabbit.call("tracking", "list_own_cases", request, OwnCases)
            cases, after = [*cases, *page.items], page.next
            if after is None:
                break
        return cases

    async def filed_for_me(self, visitor: Visitor) -> list[FiledForMeItem]:
        request = ListFiledForMe(actor=self._citizen(visitor), mobile_hash=self._mobile_hash(visitor))
        try:
            return (await self._container.rabbit.call("intake", "list_filed_for_me", request, FiledForMe)).items
        except Unavailable:
            return []

    async def answer_filed_for_me(self, visitor: Visitor, case_id: UUID, mine: bool) -> None:
        request = AnswerFiledForMe(
            actor=self._citizen(visitor), mobile_hash=self._mobile_hash(visitor), case_id=case_id, mine=mine
        )
        await self._container.rabbit.call("intake", "answer_filed_for_me", request, FiledForMe)

    def _mobile_hash(self, visitor: Visitor) -> str:
        caller = self._caller(visitor)
        mobile_hash = self._container.mobile_hash(caller) if caller is not None else None
        if mobile_hash is None:
            raise NotAuthenticated
        return mobile_hash

    async def download(
        self, visitor: Visitor, key: CaseKey, media_id: str, variant: Variant, request: Request
    ) -> Response:
        if key.code is not None:
            holder = await self._holder(visitor, key.code)
            permission = AuthorizeMedia(actor=holder.actor, code_hashes=holder.code_hashes, media_id=media_id)
        else:
            permission = AuthorizeMedia(actor=self._citizen(visitor), case_id=key.case_id, media_id=media_id)
        return await self._container.attachments.send(request, permission, variant, shared_computer=True)

    # --- papers ---

    async def letter(self, visitor: Visitor, key: CaseKey, request: Request) -> Response:
        if key.code is not None:
            holder = await self._holder(visitor, key.code)
            reader = ReadLetter(actor=holder.actor, code_hashes=holder.code_hashes)
            return await self._container.papers.letter(request, reader, visitor.language, visitor.address)
        reader = ReadLetter(actor=self._citizen(visitor), case_id=key.case_id)
        return await self._container.papers.letter(request, reader, visitor.language, reader.actor.id)

    async def receipt(self, visitor: Visitor, payload: str, signature: str, request: Request) -> Response:
        key = self._container.filing.signer.key_id
        signed = Receipt(payload=payload, signature=signature, key=key)
        return await self._container.papers.receipt(request, signed, visitor.language, visitor.address)

    async def seal_of(self, visitor: Visitor, receipt: Receipt) -> str | None:
        return self._container.papers.signer.sign_receipt(receipt)

    async def check_paper(self, visitor: Visitor, seal: str) -> VerifiedPaper | None:
        return await self._container.papers.verify(seal)


def _client(visitor: Visitor) -> Client:
    return Client(visitor.address, visitor.ticket, computes=False)


def _body(visitor: Visitor, filing: Filing) -> SubmissionBody:
    """The same body as the API's, and so the same checks."""
    try:
        return SubmissionBody(
            kind=filing.kind,
            unit=filing.unit,
            ground=filing.ground,
            answers=filing.answers,
            text=filing.text,
            happened_on=filing.happened_on,
            place=PlaceBody(address=filing.address) if filing.address else None,
            reference=filing.reference,
            people=filing.people,
            uploads=filing.uploads,
            consent=True,
            anonymous=filing.name is None,
            identity=IdentityBody(name=filing.name) if filing.name is not None else None,
            channel=Channel.PAGES,
            language=visitor.language,
        )
    except ValidationError as error:
        _refuse(error)


def _refuse(error: ValidationError) -> NoReturn:
    raise invalid(error) from None

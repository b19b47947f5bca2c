"""What the plain pages need from the rest of the gateway, as one port: the pages know no broker, token or service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from contracts.accounts import OtpSent, Tokens
from contracts.desk import FiledForMeItem
from contracts.gateway import AnswerValue
from contracts.intake import Catalogue
from contracts.media import UploadState, Variant
from contracts.notify import Message
from contracts.tracking import CitizenCommand, OwnCase
from contracts.visits import OfferedSlot
from contracts.vocabulary import Kind, Language
from gateway.cases.views import CaseView
from gateway.papers.issuing import VerifiedPaper
from gateway.submissions.receipts import Receipt


@dataclass(frozen=True)
class Visitor:
    """Who sent the request: `address` for the limits alone, `access_token` when signed in by a one-time code. `ticket`: of a
    visitor who has to wait."""

    address: str
    language: Language
    access_token: str | None = None
    ticket: str | None = None


@dataclass(frozen=True)
class Limits:
    """`file_size` in bytes."""

    file_size: int
    files: int
    text: int


@dataclass(frozen=True)
class Filing:
    """A submission as the form made it. `uploads` are ids that `GatewayPort.upload` gave; `name` None: anonymous."""

    kind: Kind
    unit: str
    ground: str
    text: str
    answers: dict[str, AnswerValue] = field(default_factory=dict)
    happened_on: str | None = None
    address: str | None = None
    reference: str | None = None
    people: list[str] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    name: str | None = None


@dataclass(frozen=True)
class Filed:
    """`code`: 16 digits. `receipt`: JSON with filed_at and content_hash; `signature` is over its bytes."""

    code: str
    receipt_id: str
    receipt: str
    signature: str


@dataclass(frozen=True)
class UploadStatus:
    """What has become of a file before it is filed. `reason`: why it was refused, in the visitor's words."""

    state: UploadState
    reason: str | None = None

    @property
    def refused(self) -> bool:
        return self.state in (UploadState.REJECTED, UploadState.REMOVED)


@dataclass(frozen=True)
class CaseKey:
    """What opens a case: its code, or its id for the signed-in citizen who filed it."""

    code: str | None = None
    case_id: UUID | None = None


class GatewayPort(Protocol):
    """Every call may raise a `PeygirError`; its text is shown to the visitor."""

    @property
    def limits(self) -> Limits: ...

    async def find_code(self, visitor: Visitor, typed: str) -> str:
        """The 16 digits of a code that was typed. UnknownTrackingCode, TooMany. A code in a `CaseKey` was found before."""
        ...

    def catalogue(self) -> Catalogue | None:
        """What the gateway holds; None when it holds none."""
        ...

    def elsewhere(self, unit: str, language: Language) -> str | None:
        """Where else to turn with what is about this unit of the inspection itself, while nobody may handle it here."""
        ...

    async def file(self, visitor: Visitor, filing: Filing, key: str) -> Filed:
        """Accepts a submission; the same `key` with the same filing gives the same code."""
        ...

    async def request_otp(self, visitor: Visitor, mobile: str, otp_session: str | None) -> OtpSent:
        """`otp_session`: of the code that this browser asked for before."""
        ...

    async def verify_otp(self, visitor: Visitor, mobile: str, code: str, otp_session: str | None) -> Tokens: ...

    async def refresh(self, visitor: Visitor, refresh_token: str) -> Tokens: ...

    async def revoke(self, visitor: Visitor, refresh_token: str) -> None: ...

    async def case(self, visitor: Visitor, key: CaseKey) -> CaseView:
        """StillRegistering while it has only just been filed."""
        ...

    async def execute(self, visitor: Visitor, key: CaseKey, idempotency_key: str, command: CitizenCommand) -> None: ...

    async def offered_slots(self, visitor: Visitor, key: CaseKey) -> list[OfferedSlot]:
        """The times that may be chosen for the appointment of this case."""
        ...

    async def messages(self, visitor: Visitor, key: CaseKey | None) -> list[Message]:
        """Newest first: of one case, or all of the signed-in citizen."""
        ...

    async def own_cases(self, visitor: Visitor) -> list[OwnCase]: ...

    async def filed_for_me(self, visitor: Visitor) -> list[FiledForMeItem]:
        """What operators filed with the citizen's mobile and waits for their word; nothing while that cannot be known."""
        ...

    async def answer_filed_for_me(self, visitor: Visitor, case_id: UUID, mine: bool) -> None: ...

    async def upload(
        self, visitor: Visitor, file_name: str, media_type: str, size: int, chunks: AsyncIterator[bytes]
    ) -> str:
        """Streams `size` bytes to the store; the upload's id. An upload that breaks off is removed again."""
        ...

    async def upload_states(self, visitor: Visitor, upload_ids: Sequence[str]) -> dict[str, UploadStatus]:
        """What has become of files that were sent and not filed yet, by id; those that are not known are left out."""
        ...

    async def upload_verdict(self, visitor: Visitor, upload_id: str) -> UploadStatus | None:
        """What became of a file that has just been sent, where that is known within a few seconds; else None."""
        ...

    async def give_up_upload(self, upload_id: str) -> None:
        """It is not wanted any more; never an error."""
        ...

    async def download(
        self, visitor: Visitor, key: CaseKey, media_id: str, variant: Variant, request: Request
    ) -> Response:
        """The answer to `request`: the file, or the part of it that was asked for. Never HTML."""
        ...

    async def letter(self, visitor: Visitor, key: CaseKey, request: Request) -> Response:
        """The case's letter as PDF. NoLetter, StillRegistering."""
        ...

    async def receipt(self, visitor: Visitor, payload: str, signature: str, request: Request) -> Response:
        """A receipt of ours as PDF. NotGenuine."""
        ...

    async def seal_of(self, visitor: Visitor, receipt: Receipt) -> str | None:
        """The seal of a receipt of ours, as a paper carries it; None for any other."""
        ...

    async def check_paper(self, visitor: Visitor, seal: str) -> VerifiedPaper | None:
        """What a genuine paper's seal vouches for, and whether a letter still holds."""
        ...

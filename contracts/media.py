"""What media says and answers: evidence from its first byte to its removal."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Event, KeyedHash, Moment, Request, UploadId

PRODUCER = "media"


class UploadState(StrEnum):
    OPEN = "open"  # bytes are still coming
    PROCESSING = "processing"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REMOVED = "removed"


class MediaNote(StrEnum):
    """What whoever looks at a file should know: of accepted evidence, or (check_delayed) of one still being checked."""

    FIRST_FRAME_ONLY = "first_frame_only"  # of an animated picture, or of one of several pages
    SCALED_DOWN = "scaled_down"  # more pixels were sent than are kept
    CUT_OFF = "cut_off"  # the file ends early: what is missing is grey
    NO_PLAYABLE_COPY = "no_playable_copy"  # too much work to convert: only some programs play it
    CHECK_DELAYED = "check_delayed"  # something of the office's is out of order; the check goes on when it is mended


class Variant(StrEnum):
    EVIDENCE = "evidence"  # what may be downloaded: metadata stripped
    PREVIEW = "preview"  # JPEG, at most 1280 px
    THUMBNAIL = "thumbnail"  # JPEG, at most 320 px
    PLAYABLE = "playable"  # of sound and film, for every browser: M4A (AAC) or MP4 (H.264, AAC)


class CreateUpload(Request):
    """RPC media.create_upload → Upload. `size` in bytes; `file_name` as typed, shown but never used as a path."""

    size: Annotated[int, Field(ge=0)]
    file_name: Annotated[str, Field(max_length=255)] | None = None
    declared_type: Annotated[str, Field(max_length=100)] | None = None


class GetUpload(Request):
    """RPC media.get_upload → Upload."""

    upload_id: UploadId


class Upload(Answer):
    """An upload as its owner (whoever knows its unguessable id) sees it. `size`, `offset` in bytes."""

    upload_id: UploadId
    size: int
    offset: int
    state: UploadState
    expires_at: Moment
    file_name: str | None = None
    declared_type: str | None = None
    reason: str | None = None
    part_size: int = 0
    notes: list[MediaNote] = []


class PrepareChunk(Request):
    """RPC media.prepare_chunk → ChunkTarget: where the gateway streams the next bytes to. OffsetConflict if not at `offset`."""

    upload_id: UploadId
    offset: Annotated[int, Field(ge=0)]
    length: Annotated[int, Field(ge=0)] | None = None


class ChunkTarget(Answer):
    """`part_urls`: presigned PUT URLs for the next parts in order, each of at most `upload.part_size` bytes; for more
    than they hold, prepare again at the new offset. `lease` names this attempt and is given back with what was stored."""

    upload: Upload
    lease: str
    part_urls: list[str]


class RecordChunk(Request):
    """RPC media.record_chunk → Upload. Compare-and-set on `offset`: of two at once only one wins, the other gets
    OffsetConflict.

    `lengths`: how many bytes count of each part stored under `lease`, the first being number `first_part` (from 0).
    A part may hold more bytes than count: one that was cut short is filled up.
    """

    upload_id: UploadId
    lease: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,32}$")]
    offset: Annotated[int, Field(ge=0)]
    first_part: Annotated[int, Field(ge=0)] = 0
    lengths: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=1000)]


class TerminateUpload(Request):
    """RPC media.terminate_upload → Upload. An upload that a case refers to is kept: WrongStage."""

    upload_id: UploadId


class SignDownload(Request):
    """RPC media.sign_download → Download. The caller has asked tracking whether this media may be seen.

    `case_id`: the case that tracking allowed it for; media of another case is NotFound. StillRegistering while the
    media is being looked at or not yet claimed by its case; Gone when it was rejected or removed.
    """

    media_id: UploadId
    variant: Variant = Variant.EVIDENCE
    case_id: UUID | None = None


class Download(Answer):
    """`url`: presigned, short-lived, for the gateway only. `size` in bytes."""

    url: str
    media_type: str
    size: int
    file_name: str
    sha256: str
    inline: bool = False


class MediaClaimed(Event):
    """Internal to media: the uploads now belong to a case and are kept."""

    name: ClassVar[str] = "media.claimed.v1"
    producer: ClassVar[str] = PRODUCER

    media_id: UploadId
    case_id: UUID


class MediaUploaded(Event):
    """All bytes of an upload have come; media itself examines it."""

    name: ClassVar[str] = "media.uploaded.v1"
    producer: ClassVar[str] = PRODUCER

    media_id: UploadId


class MediaAccepted(Event):
    """Evidence may be seen by those its case allows. Comes before or after the case: consumers are right either way.

    `media_type`, `size` (bytes): of the evidence, that is of what may be downloaded. `sha256`: of the bytes as uploaded.
    `scanned`: a virus scanner has looked at it.
    """

    name: ClassVar[str] = "media.accepted.v1"
    producer: ClassVar[str] = PRODUCER

    media_id: UploadId
    media_type: str
    size: int
    sha256: KeyedHash
    variants: list[Variant]
    scanned: bool = False
    duration_seconds: float | None = None
    notes: list[MediaNote] = []


class MediaDelayed(Event):
    """The check of an upload takes longer than it should, because something of ours is out of order. Its verdict comes
    later; nobody needs to send it again."""

    name: ClassVar[str] = "media.delayed.v1"
    producer: ClassVar[str] = PRODUCER

    media_id: UploadId


class MediaErased(Event):
    """The bytes of these media of a case are kept no longer: by the rule of so many `months` after its end."""

    name: ClassVar[str] = "media.erased.v1"
    producer: ClassVar[str] = PRODUCER

    case_id: UUID
    media: list[UploadId]
    months: int


class MediaRejected(Event):
    """`reason`: a stable code: type_not_permitted, empty, too_large, damaged, too_many_pixels, too_long, encrypted,
    too_complex, infected; and for what a case refers to: incomplete (never finished), unknown, expired."""

    name: ClassVar[str] = "media.rejected.v1"
    producer: ClassVar[str] = PRODUCER

    media_id: UploadId
    reason: str

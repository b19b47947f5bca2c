"""Messages of media: evidence from its first byte to its removal."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Event, KeyedHash, Moment, Request, UploadId

PRODUCER = "media"

INLINE_TYPES = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/webp",
        "audio/mpeg",
        "audio/aac",
        "audio/flac",
        "audio/mp4",
        "audio/ogg",
        "audio/wav",
        "audio/webm",
        "video/mp4",
        "video/webm",
    }
)
"""The types that media produces and that may be shown in the browser. All else (documents, most of all) is only ever saved; the
gateway sends what is no type of media's as bytes to be saved, whatever media says."""


SENT_TYPES: Mapping[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "image/heic": (".heic", ".heif"),
    "image/gif": (".gif",),
    "image/tiff": (".tif", ".tiff"),
    "application/pdf": (".pdf",),
    "audio/mpeg": (".mp3",),
    "audio/aac": (".aac",),
    "audio/mp4": (".m4a",),
    "audio/ogg": (".ogg", ".opus", ".oga"),
    "audio/wav": (".wav",),
    "audio/webm": (".weba",),
    "audio/flac": (".flac",),
    "video/mp4": (".mp4", ".m4v"),
    "video/webm": (".webm",),
}
"""What may be sent as evidence, with the suffixes such files have, for whoever draws a form; other sound and film that media can
read is taken as well. What a file is, its bytes say."""
MOST_FILES_OF_CASE = 50
"""That a citizen may send to one case, all in all."""


UNFILED_HOURS, UNFILED_DAYS = 24, 7
"""For how long an upload that no case refers to is kept after it was renewed, and after it was begun."""


class UploadState(StrEnum):
    OPEN = "open"  # bytes are still coming
    PROCESSING = "processing"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REMOVED = "removed"


class MediaNote(StrEnum):
    """What those who see a file should know: of accepted evidence, or (check_delayed) of one still being checked."""

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
    PEAKS = "peaks"  # of sound, as JSON: how loud it is from beginning to end, to be drawn as a waveform


FILE_SUFFIXES: Mapping[str, str] = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
    "audio/mpeg": ".mp3",
    "audio/aac": ".aac",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "audio/flac": ".flac",
    "audio/wav": ".wav",
    "audio/webm": ".webm",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
}
"""What a file of evidence is called by, for each type that media makes."""


class CreateUpload(Request):
    """RPC media.create_upload → Upload. `size` in bytes; `file_name` as typed, shown to its citizen alone and never used as
    a path. `address_key`: a keyed hash of the sender's address with a salt of the day, by which uploads that are not
    finished, or that no case refers to yet, are counted. TooManyUploads, EvidenceUnavailable, TooLarge."""

    size: Annotated[int, Field(ge=0)]
    file_name: Annotated[str, Field(max_length=255)] | None = None
    declared_type: Annotated[str, Field(max_length=100)] | None = None
    address_key: Annotated[str, Field(pattern=r"^[0-9a-f]{32,64}$")] | None = None


class GetUpload(Request):
    """RPC media.get_upload → Upload. NotFound once a case refers to it and all its bytes have come: from then on its state
    is told with the case, to those who may see that."""

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
    """RPC media.terminate_upload → Upload. An upload that a case refers to is kept: WrongStage while its bytes still come,
    then NotFound."""

    upload_id: UploadId


class RenewUpload(Request):
    """RPC media.renew_upload → Upload: a draft keeps it for another day, up to a week from its beginning. Counts against the
    sender's address of today. NotFound once a case refers to it; Gone when it is over or was rejected; TooManyUploads when
    that address keeps too much already."""

    upload_id: UploadId
    address_key: Annotated[str, Field(pattern=r"^[0-9a-f]{32,64}$")] | None = None


class SignOwnUpload(Request):
    """RPC media.sign_own_upload → Download, for whoever has its unguessable id, before it is filed. NotFound once a case
    refers to it; StillRegistering while it is open or being examined; Gone when it was rejected or removed."""

    upload_id: UploadId
    variant: Variant = Variant.PREVIEW


class ListFileNames(Request):
    """RPC media.list_file_names → FileNames. For the citizen of this case alone: the caller has checked that."""

    case_id: UUID
    media_ids: Annotated[list[UploadId], Field(max_length=500)]


class FileNames(Answer):
    """`names`: by media id, what the citizen's device called each file; without those that had no name, and those that
    another than the citizen of this case has sent."""

    names: dict[UploadId, str]


class SignDownload(Request):
    """RPC media.sign_download → Download. The caller has asked tracking whether this media may be seen.

    `case_id`: the case that tracking allowed it for; media of another case is NotFound. StillRegistering while the
    media is being examined or not yet claimed by its case; Gone when it was rejected or removed. `label`: what the
    attachment is saved as, before its suffix.
    """

    media_id: UploadId
    variant: Variant = Variant.EVIDENCE
    case_id: UUID | None = None
    label: Annotated[str, Field(pattern=r"^[a-z]{1,20}-[1-9][0-9]{0,5}$")] = "evidence-1"


class Download(Answer):
    """`url`: presigned, short-lived, for the gateway only. `size` in bytes. `file_name`: neutral, such as
    evidence-2.jpg; the name that the citizen's device gave it does not go with the bytes."""

    url: str
    media_type: str
    size: int
    file_name: str
    sha256: str
    inline: bool = False


class MediaEvent(Event):
    producer: ClassVar[str] = PRODUCER


class MediaClaimed(MediaEvent):
    """Internal to media: the uploads now belong to a case and are kept."""

    name: ClassVar[str] = "media.claimed.v1"

    media_id: UploadId
    case_id: UUID


class MediaUploaded(MediaEvent):
    """All bytes of an upload have come; media itself examines it."""

    name: ClassVar[str] = "media.uploaded.v1"

    media_id: UploadId


class MediaAccepted(MediaEvent):
    """Evidence may be seen by those its case allows. Comes before or after the case: consumers are right either way.

    `media_type`, `size` (bytes): of the evidence, that is of what may be downloaded. `sha256`: of the bytes as uploaded.
    `scanned`: a virus scanner has looked at it. `width`, `height`: pixels of pictures and films, as shown. `peaks`: the variant
    of this name can be had; it is not among `variants`, which older services read.
    """

    name: ClassVar[str] = "media.accepted.v1"

    media_id: UploadId
    media_type: str
    size: int
    sha256: KeyedHash
    variants: list[Variant]
    scanned: bool = False
    duration_seconds: float | None = None
    notes: list[MediaNote] = []
    width: int | None = None
    height: int | None = None
    peaks: bool = False


class MediaDelayed(MediaEvent):
    """The check of an upload takes longer than it should, because something of ours is out of order. Its verdict comes
    later; nobody needs to send it again."""

    name: ClassVar[str] = "media.delayed.v1"

    media_id: UploadId


class ClaimRefused(MediaEvent):
    """A case names an upload that it cannot have, while others can: `already_used` (it belongs to a case of somebody else) or
    `expired` (it was of another case, and is kept no longer). Nothing changes for the other cases."""

    name: ClassVar[str] = "media.claim_refused.v1"

    media_id: UploadId
    case_id: UUID
    reason: str


class MediaErased(MediaEvent):
    """The bytes of these media of a case are kept no longer: by the rule of so many `months` after its end."""

    name: ClassVar[str] = "media.erased.v1"

    case_id: UUID
    media: list[UploadId]
    months: int


class MediaRejected(MediaEvent):
    """`reason`: a stable code: type_not_permitted, empty, too_large, damaged, too_many_pixels, too_long, encrypted,
    too_complex, infected; and for what a case refers to: incomplete (never finished), unknown, expired."""

    name: ClassVar[str] = "media.rejected.v1"

    media_id: UploadId
    reason: str

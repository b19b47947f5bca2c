"""The body of a submission, and of what is asked about its receipt."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from contracts.base import GroundCode, KeyedHash, UnitCode, UploadId
from contracts.gateway import FILED_CONTENT, AnswerValue
from contracts.text_limits import (
    LONGEST_ADDRESS,
    LONGEST_ANSWER,
    LONGEST_NAME,
    LONGEST_REFERENCE,
    MOST_NAMED_MEMBERS,
    MOST_PEOPLE,
)
from contracts.vocabulary import Channel, ConsentForm, ConsentTo, Kind, Language
from gateway.api.digits import TypedNumber
from gateway.api.fields import (
    NAME_PATTERN,
    Body,
    ClaimText,
    Distinct,
    EmptyOrSeen,
    Flag,
    NotBlank,
    Number,
    OptionalLine,
    PastDay,
    PersonName,
    ShortText,
    Uploads,
    example,
    is_clean,
    whole,
)


def _accepted(consent: bool) -> bool:
    if not consent:
        raise PydanticCustomError("consent_missing", "must be accepted")
    return consent


def _answers(given: dict[str, AnswerValue]) -> dict[str, AnswerValue]:
    for value in given.values():
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float) and abs(value) > 1e15:
            raise PydanticCustomError("not_a_number", "too large")
        texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        if len(texts) > 50 or any(len(text) > LONGEST_ANSWER for text in texts):
            raise PydanticCustomError("string_too_long", "too long", {"max_length": LONGEST_ANSWER})
        if not all(is_clean(text) for text in texts):
            raise PydanticCustomError("forbidden_characters", "control characters")
    return given


class PlaceBody(Body):
    """Where it happened: a point (WGS 84 degrees), or words, or both."""

    latitude: Annotated[Number, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[Number, Field(ge=-180, le=180)] | None = None
    address: Annotated[str, StringConstraints(pattern=OptionalLine, max_length=LONGEST_ADDRESS), EmptyOrSeen] | None = (
        None
    )


class IdentityBody(Body):
    """Who files. A citizen's mobile comes from their verified session; only a desk operator gives `mobile`."""

    name: PersonName | None = None
    national_id: TypedNumber | None = Field(None, description="Ten digits in any script, checked by its check digit.")
    mobile: TypedNumber | None = Field(None, description="Only from a desk operator: 0912…, +98912…, in any digits.")


class DeskConsentBody(Body):
    """From a desk operator: how the citizen agreed, and to what. Without `filing` nothing is filed for them; without `sms`
    their mobile is kept sealed with their identity and no message goes to it."""

    form: ConsentForm
    to: Annotated[Distinct[ConsentTo], Field(max_length=2)]

    model_config = example(form="signed", to=["filing", "sms"])


class GroupMemberBody(Body):
    """One of the group besides its representative: a name, a mobile (0912…, +98912…, in any digits), or both."""

    name: PersonName | None = None
    mobile: TypedNumber | None = None

    model_config = example(name="همسایه نمونه", mobile="09351234567")


class GroupBody(Body):
    """A complaint of several people. Who files represents them: the code, all messages and every answer are theirs alone.

    `members`: how many they are, the representative among them. `people`: others of them, as far as they want to be named;
    sealed with the representative's identity.
    """

    members: Annotated[int, Field(ge=2), BeforeValidator(whole)]
    common: ShortText = Field(description="What they have in common.")
    people: Annotated[list[GroupMemberBody], Field(max_length=MOST_NAMED_MEMBERS)] = []

    model_config = example(
        members=12,
        common="ساکنان یک کوچه که آسفالت آن کنده شده است.",
        people=[{"name": "همسایه نمونه", "mobile": "09351234567"}],
    )


class SubmissionBody(Body):
    """One submission. `anonymous` left out: information is anonymous, the rest is not (when there is somebody to name)."""

    kind: Kind
    unit: UnitCode
    ground: GroundCode
    answers: Annotated[
        dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")], AnswerValue],
        Field(max_length=30),
        AfterValidator(_answers),
    ] = {}
    text: ClaimText
    happened_on: PastDay | None = None
    place: PlaceBody | None = None
    reference: (
        Annotated[str, StringConstraints(pattern=OptionalLine, max_length=LONGEST_REFERENCE), EmptyOrSeen] | None
    ) = Field(None, description="A file or letter number.")
    people: Annotated[
        list[Annotated[str, StringConstraints(pattern=NAME_PATTERN, min_length=1, max_length=LONGEST_NAME), NotBlank]],
        Field(max_length=MOST_PEOPLE),
    ] = Field([], description="Names of the staff concerned.")
    visit_wanted: Flag = False
    uploads: Uploads = []
    upload_hashes: Annotated[dict[UploadId, KeyedHash], Field(max_length=10)] = Field(
        {},
        json_schema_extra={"additionalProperties": False},  # what is named otherwise is refused
        description="SHA-256 (hex) of files in `uploads`, before they were sent: the receipt then vouches for them, too.",
    )
    consent: Annotated[Flag, Field(json_schema_extra={"const": True}), AfterValidator(_accepted)] = Field(
        description="Responsibility for what is claimed is accepted."
    )
    anonymous: Flag | None = None
    identity: IdentityBody | None = None
    desk_consent: DeskConsentBody | None = Field(
        None, description="From a desk operator, and needed from one: the consent of the citizen they file for."
    )
    group: GroupBody | None = Field(None, description="Only for a complaint.")
    channel: Annotated[Channel, Field(json_schema_extra={"enum": ["web", "app", "pages", "phone", "counter"]})] = (
        Channel.WEB
    )
    language: Language | None = Field(None, description="The citizen's; Accept-Language when left out.")

    model_config = example(
        kind="criticism",
        unit="dep.urb.permits",
        ground="delay",
        answers={"since": "2026-10-23", "file_number": "1405-1234"},
        text="پرونده پایان کار من یک ماه است که بی‌پاسخ مانده است.",
        happened_on="2026-11-20",
        place={"latitude": 36.27, "longitude": 50.0, "address": "خیابان فلسطین"},
        people=[],
        visit_wanted=False,
        uploads=[],
        consent=True,
        anonymous=True,
        channel="web",
    )

    def filed(self) -> dict[str, Any]:
        """What the receipt's hash is over; of a group its size and what they have in common, not who they are."""
        extra = {} if self.group is None else {"group": self.group.model_dump(mode="json", exclude={"people"})}
        if self.upload_hashes:
            extra["upload_hashes"] = self.upload_hashes
        return extra | self.model_dump(mode="json", include={"kind", "unit", "ground", *FILED_CONTENT, "uploads"})


class ReceiptBody(Body):
    """`submission_id`: as the receipt names it."""

    submission_id: UUID

    model_config = example(submission_id="0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11")

"""Bodies of what the administrator sets. Of an item that is there, what a body leaves out stays; a new one has what is shown as
the default."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contracts.base import GroundCode, ListCode, UnitCode
from contracts.intake import QuestionCode, QuestionType
from contracts.vocabulary import Kind, Outcome
from gateway.api.fields import AnyDay, Body, Day, Distinct, Flag, Whole, example

Typed = Annotated[str, StringConstraints(max_length=4000)]


class UnitBody(Body):
    """`parent` null: the root, of which there is one. `active` false closes it; left out, it is as before."""

    parent: UnitCode | None
    level: Typed
    name_fa: Typed
    name_en: Typed
    active: Flag = True
    model_config = example(
        parent="dep.urb", level="office", name_fa="اداره صدور پروانه", name_en="Building Permits Office", active=True
    )


class OptionBody(Body):
    value: Typed
    name_fa: Typed
    name_en: Typed
    model_config = example(value="desk", name_fa="پیشخوان", name_en="Desk")


class ConditionBody(Body):
    """The question is asked when `question`, an earlier one with options, was answered with one of `values`."""

    question: QuestionCode
    values: Annotated[list[Typed], Field(max_length=50)]
    model_config = example(question="where", values=["desk"])


class GroundQuestionBody(Body):
    """`options` for choice and choices alone. A required question is required only where it is asked."""

    code: QuestionCode
    type: QuestionType
    name_fa: Typed
    name_en: Typed
    required: Flag = False
    options: Annotated[list[OptionBody], Field(max_length=50)] = []
    when: ConditionBody | None = None
    model_config = example(
        code="desk_number",
        type="text",
        name_fa="شماره باجه",
        name_en="Counter's number",
        required=True,
        when={"question": "where", "values": ["desk"]},
    )


class GroundBody(Body):
    """With `kinds` empty it is offered no more. What is left out is as before."""

    kinds: Annotated[list[Kind], Field(max_length=10)]
    name_fa: Typed
    name_en: Typed
    hint_fa: Typed = ""
    hint_en: Typed = ""
    questions: Annotated[list[GroundQuestionBody], Field(max_length=30)] = []
    model_config = example(
        kinds=["complaint", "criticism"],
        name_fa="عدم پاسخگویی",
        name_en="No answer given",
        hint_fa="شماره نامه را بنویسید.",
        questions=[{"code": "letter", "type": "text", "name_fa": "شماره نامه", "name_en": "Letter's number"}],
    )


class RefusalReasonBody(Body):
    """`address`: where the citizen may turn instead. `active` false: offered no more. What is left out is as before."""

    name_fa: Typed
    name_en: Typed
    address_fa: Typed = ""
    address_en: Typed = ""
    active: Flag = True
    model_config = example(
        name_fa="موضوع در صلاحیت شهرداری نیست",
        name_en="It is outside the municipality's remit",
        address_fa="سامانه ۱۱۱",
        address_en="The 111 line",
    )


class RootCauseBody(Body):
    name_fa: Typed
    name_en: Typed
    active: Flag = True
    model_config = example(name_fa="فرایند", name_en="Process", active=True)


class AnswerTemplateBody(Body):
    """For every kind or ground that it does not name; null for every one, left out it is as before. `articles`: the codes of
    those that it cites."""

    kind: Kind | None = None
    ground: GroundCode | None = None
    text_fa: Typed
    text_en: Typed
    articles: Annotated[Distinct[ListCode], Field(max_length=20)] = []
    model_config = example(kind="complaint", text_fa="شکایت شما وارد است.", text_en="Your complaint is upheld.")


class ArticleBody(Body):
    """`title_…`: of the regulation; `number`: of its article. Decisions of the days from `valid_from` to `valid_until` may cite
    it; null: until further notice. What is left out is as before."""

    title_fa: Typed
    title_en: Typed
    number: Typed
    text_fa: Typed
    text_en: Typed = ""
    valid_from: AnyDay
    valid_until: AnyDay | None = None
    model_config = example(
        title_fa="قانون شهرداری",
        title_en="Municipality Act",
        number="۱۰۰",
        text_fa="مالکین اراضی باید قبل از هر اقدام عمرانی از شهرداری پروانه بگیرند.",
        valid_from="1977-08-15",
    )


class OutsideBodyBody(Body):
    """`age_key`: the body's public key of age, `age1…`; without one nothing is referred to it. What is left out is as before."""

    name_fa: Typed
    name_en: Typed
    age_key: Annotated[str, StringConstraints(max_length=100)] = ""
    active: Flag = True
    model_config = example(
        name_fa="سازمان بازرسی کل کشور، استان قزوین",
        name_en="General Inspection Organisation, Qazvin Province",
        age_key="age103hxfpfsdnsgsenjntpdafc4dqpry7ls37pcuc65mq7ra39jfgfsqjzukx",
    )


class CalendarBody(Body):
    """`weekend`: days of the week, Monday 0; not all seven. What is left out stays."""

    weekend: Annotated[list[Whole], Field(max_length=7)] | None = None
    holidays: Annotated[list[Day], Field(max_length=2000)] | None = None
    model_config = example(weekend=[3, 4], holidays=["2027-03-21"])


class DeadlineBody(Body):
    """Working days for one step of every kind, ground or urgency that is not named; what names the most wins."""

    kind: Kind | None = None
    ground: GroundCode | None = None
    urgent: Flag | None = None
    step: Literal["decision", "first_reading", "unit", "citizen", "citizen_reminder", "citizen_close", "objection"] = (
        "decision"
    )
    days: Whole
    model_config = example(kind="information", step="decision", days=30)


class DeadlinesBody(Body):
    """All rules, in place of those there are. `applies_to` open: the days of open cases are computed anew, too."""

    deadlines: Annotated[list[DeadlineBody], Field(max_length=500)]
    applies_to: Literal["open", "new"] = "new"
    model_config = example(deadlines=[{"kind": "information", "days": 30}, {"urgent": True, "days": 1}])


class DecisionsBody(Body):
    """`four_eyes`: kinds whose decisions a head approves; `auto_close_days`: working days;
    `transfers_without_head`: how often a case may go from one unit to another until it takes the head. What is left out
    stays. `applies_to` new: cases filed before go on by the rules of before."""

    four_eyes: Annotated[list[Kind], Field(max_length=10)] | None = None
    auto_close_days: Whole | None = None
    transfers_without_head: Whole | None = None
    applies_to: Literal["open", "new"] = "open"
    model_config = example(four_eyes=["complaint"], auto_close_days=10, transfers_without_head=2)


class RetentionRuleBody(Body):
    """Months after the case's end. `outcome` null: every outcome for which the kind has no other rule, and cases that were
    never decided. `text_months` null: texts are kept."""

    kind: Kind
    outcome: Outcome | None = None
    identity_months: Whole
    evidence_months: Whole
    text_months: Whole | None = None
    model_config = example(kind="information", identity_months=12, evidence_months=24, text_months=60)


class RetentionBody(Body):
    """All rules, in place of those there are. `applies_to` new: cases filed before are kept by the rules of before."""

    retention: Annotated[list[RetentionRuleBody], Field(max_length=100)]
    applies_to: Literal["open", "new"] = "open"
    model_config = example(retention=[{"kind": "information", "identity_months": 12, "evidence_months": 24}])

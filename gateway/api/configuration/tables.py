"""What the administrator keeps: tables of items with a code, and settings."""

from __future__ import annotations

from contracts import intake
from contracts.base import GroundCode, UnitCode
from gateway.api.configuration import bodies
from gateway.api.configuration.changes import ConfigurationSetting, ConfigurationTable

TABLES = (
    ConfigurationTable(
        path="units/{unit}",
        operation_id="putUnit",
        summary="A new unit; or rename, move, close or open one",
        description="What was filed before keeps the name of its day. One with open units below it cannot be closed.",
        table="units",
        change=intake.PutUnit,
        body=bodies.UnitBody,
        code=UnitCode,
    ),
    ConfigurationTable(
        path="grounds/{ground}",
        operation_id="putGround",
        summary="A new ground, or another name, kinds or questions for one",
        description="Questions are asked in their order; one with `when` only after the answer it waits for.",
        table="grounds",
        change=intake.PutGround,
        body=bodies.GroundBody,
        code=GroundCode,
    ),
    ConfigurationTable(
        path="refusal-reasons/{reason}",
        operation_id="putRefusalReason",
        summary="A new refusal reason; or rename, close or open one",
        description="""
        A closed one is refused in a refusal; its address is told where the screener gives none. What was refused before keeps
        the name of its day.
        """,
        table="refusal_reasons",
        change=intake.PutRefusalReason,
        body=bodies.RefusalReasonBody,
    ),
    ConfigurationTable(
        path="root-causes/{cause}",
        operation_id="putRootCause",
        summary="A new root cause; or rename, close or open one",
        description="A closed one is refused in a decision.",
        table="root_causes",
        change=intake.PutRootCause,
        body=bodies.RootCauseBody,
    ),
    ConfigurationTable(
        path="answer-templates/{template}",
        operation_id="putAnswerTemplate",
        summary="A text the office answers with again and again",
        description="Offered to staff for its kind and ground.",
        table="answer_templates",
        change=intake.PutAnswerTemplate,
        body=bodies.AnswerTemplateBody,
    ),
    ConfigurationTable(
        path="articles/{article}",
        operation_id="putArticle",
        summary="A new article of a regulation; or correct one, or say until when it is in force",
        description="What was decided before keeps the title of its day. One is never removed: decisions cite it.",
        table="articles",
        change=intake.PutArticle,
        body=bodies.ArticleBody,
    ),
    ConfigurationTable(
        path="outside-bodies/{outside_body}",
        operation_id="putOutsideBody",
        summary="A new body that cases are referred to; or rename, give a key, close or open one",
        description="A closed one, or one without a key, is refused in a referral. What was referred keeps the name of its day.",
        table="outside_bodies",
        change=intake.PutOutsideBody,
        body=bodies.OutsideBodyBody,
    ),
)

SETTINGS = (
    ConfigurationSetting(
        path="calendar",
        operation_id="setCalendar",
        summary="Weekend and holidays",
        description="Working days are counted by it from now on.",
        change=intake.SetCalendar,
        body=bodies.CalendarBody,
    ),
    ConfigurationSetting(
        path="deadlines",
        operation_id="setDeadlines",
        summary="Working days by kind, ground and urgency",
        description="All rules at once, 1 to 250 days each.",
        change=intake.SetDeadlines,
        body=bodies.DeadlinesBody,
        preview="previewDeadlines",
    ),
    ConfigurationSetting(
        path="decisions",
        operation_id="setDecisionRules",
        summary="Whose decisions a head approves, when they are closed, and how often a case changes its unit without the head",
        description="1 to 250 working days; 0 to 20 transfers.",
        change=intake.SetDecisions,
        body=bodies.DecisionsBody,
        preview="previewDecisionRules",
    ),
    ConfigurationSetting(
        path="retention",
        operation_id="setRetention",
        summary="How long identities, evidence and texts are kept",
        description="""
        All rules at once. What is past its time is erased by itself, within the minute, and does not come back when a rule is
        made longer.
        """,
        change=intake.SetRetention,
        body=bodies.RetentionBody,
        preview="previewRetention",
    ),
)

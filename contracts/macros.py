"""Macros: named sequences of commands with their texts, kept by a person or for a role, and given to one case or to many."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Contract, Moment, PageRequest, Request
from contracts.gateway import Actor
from contracts.searches import Dropped, Key
from contracts.tracking import (
    AddCheck,
    AddCoHandler,
    AddNote,
    AskCitizen,
    AskUnit,
    Assign,
    Close,
    ConsultColleague,
    Correct,
    Decide,
    LinkCase,
    Merge,
    Propose,
    Refuse,
    Remind,
    Reopen,
    ReturnToScreening,
    StaffCase,
    StartScreening,
)
from contracts.vocabulary import Language, Role

__all__ = [
    "ChangeMacro",
    "DropMacro",
    "Dropped",
    "GetMacro",
    "KeepMacro",
    "ListMacros",
    "Macro",
    "MacroAudience",
    "MacroPage",
    "RemindInDays",
    "RunMacro",
    "StaffCase",
    "Step",
]

MOST_STEPS = 10


class RemindInDays(Contract):
    """`Remind`, on the `working_days`-th working day after the one on which it is given."""

    type: Literal["remind_in_days"] = "remind_in_days"
    working_days: Annotated[int, Field(ge=1, le=250)]
    text: Annotated[str, Field(min_length=1, max_length=1_000)]


Step = Annotated[
    StartScreening
    | Correct
    | Refuse
    | Merge
    | Assign
    | ReturnToScreening
    | Reopen
    | AskCitizen
    | AskUnit
    | AddNote
    | Decide
    | Propose
    | Remind
    | RemindInDays
    | AddCheck
    | LinkCase
    | AddCoHandler
    | ConsultColleague
    | Close,
    Field(discriminator="type"),
]
"""The commands that many cases may be given, and that a macro may hold: those that name nothing which belongs to one case alone
(an item of its checklist, its visit, a file), and that need nobody's judgement of just this case (an approval, what its citizen
said). This is the one place that says which."""


class MacroAudience(StrEnum):
    """Who may run a macro besides its owner: nobody, all who give commands, or those of one role."""

    NOBODY = "nobody"
    ALL = "all"
    SCREENER = Role.SCREENER.value
    INSPECTOR = Role.INSPECTOR.value
    HEAD = Role.HEAD.value


MacroName = Annotated[str, Field(min_length=1, max_length=100)]
Steps = Annotated[list[Step], Field(min_length=1, max_length=MOST_STEPS)]


class Macro(Answer):
    """`language`: of its texts, in which their placeholders are filled. `own`: the caller's; `changeable`: the caller may change
    it. `owner`: who made it."""

    macro_id: UUID
    name: str
    steps: list[Step]
    language: Language
    audience: MacroAudience
    owner: UUID
    owner_name: str | None = None
    own: bool
    changeable: bool
    version: int
    made_at: Moment
    changed_at: Moment


class MacroPage(Answer):
    items: list[Macro]
    next: str | None = None


class KeepMacro(Request):
    """RPC tracking.keep_macro → Macro. For oneself by who gives commands on cases, for others by a head or an administrator (else
    NotAllowed). TooManyMacros; InvalidField for a placeholder that is unknown or has no value in this step; repeated with its
    key, the one it made."""

    actor: Actor
    name: MacroName
    steps: Steps
    language: Language = Language.FA
    audience: MacroAudience = MacroAudience.NOBODY
    idempotency_key: Key


class ListMacros(PageRequest):
    """RPC tracking.list_macros → MacroPage: one's own and those for one's roles, the newest first; to a head and an administrator
    all that are for a role."""

    actor: Actor


class GetMacro(Request):
    """RPC tracking.get_macro → Macro; NotFound also when it is not for the actor."""

    actor: Actor
    macro_id: UUID


class ChangeMacro(Request):
    """RPC tracking.change_macro → Macro, all of it anew. As `keep_macro`; NotFound, StaleVersion. One that is for others is
    changed by any head or administrator: it does not leave with who made it."""

    actor: Actor
    macro_id: UUID
    expected_version: int
    name: MacroName
    steps: Steps
    language: Language = Language.FA
    audience: MacroAudience = MacroAudience.NOBODY


class DropMacro(Request):
    """RPC tracking.drop_macro → Dropped. As `change_macro`."""

    actor: Actor
    macro_id: UUID
    expected_version: int


class RunMacro(Request):
    """RPC tracking.run_macro → StaffCase: its steps in order, all of them or none. NotFound for the macro, UnknownCase,
    StaleVersion, KeyReused, and MacroStepRefused for what a step is refused with."""

    actor: Actor
    case_id: UUID
    macro_id: UUID
    expected_version: int
    idempotency_key: Key

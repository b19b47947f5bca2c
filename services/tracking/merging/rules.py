"""Cases that repeat another one: merged into it, and what becomes of them when that one ends. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contracts.tracking import (
    CaseJoined,
    CaseMerged,
    CaseReopened,
    Merge,
    MergedCaseDecided,
    MergedCaseRefused,
    MergedCaseReopened,
)
from contracts.vocabulary import OPEN_STAGES, Outcome, RefusalReason, Stage
from services.tracking.case import deadlines
from services.tracking.case.lifecycle import Case, Change, Context
from services.tracking.case.transitions import (
    BY_SCREENER,
    CommandRule,
    Transitions,
    change_of,
    moved,
    next_stage,
    wrong,
)

REASONS_OF_THE_MATTER = frozenset({RefusalReason.OUTSIDE_REMIT, RefusalReason.PENDING_ELSEWHERE})
"""Refusal reasons that lie in the matter, and so hold for all who complained of it; any other, one that the administrator
added included, may lie in what one of them did or left out."""

TAKEN_BACK = frozenset({"refusal_taken_back", "decision_taken_back", "joined_reopened"})
"""Entries after which the outcome or the reason does not hold of which the citizens of merged cases were told."""

TOLD_OF_END = ("joined_decided", "joined_refused")
"""Entries of a merged case: its citizen is told how the case ended that it goes on in."""
OF_OTHER_CASE = (*TOLD_OF_END, "joined_reopened", "merge_undone")
"""These, and those after which what was told does not hold."""

OTHER_TRANSITIONS: Mapping[str, Transitions] = {"part": {Stage.MERGED: Stage.SCREENING}}
"""Not of a command: the case that a merged one went on in ended and decided nothing."""


def merged_case_ended(case: Case, entry: Mapping[str, Any], informed: bool, context: Context) -> Change:
    """What becomes of a merged case when the one that it goes on in ends: of a decision it gets the outcome, of a refusal that
    lies in the matter the reason, and nothing of who else complained. Any other end was another citizen's: the case is its
    own again, unless its citizen was `informed` of an outcome already. Of an end that the office takes back it is told, if it was
    `informed` of it.

    `entry`: the other case's timeline entry, with its `entry`, `details` and the `number` of that case.
    """
    end = entry["details"]
    if entry["entry"] in TAKEN_BACK:
        return change_of(case, case, "joined_reopened", MergedCaseReopened) if informed else Change(case)
    if entry["entry"] in ("decided", "joined_decided"):
        outcome = {"outcome": Outcome(end["outcome"]), "final": end["final"]}
        return change_of(case, case, "joined_decided", MergedCaseDecided, details=outcome, fields=outcome)
    if entry["entry"] != "withdrawn" and end["reason"] in REASONS_OF_THE_MATTER:
        reason = {name: end.get(name) for name in ("reason", "reason_fa", "reason_en")}
        details = {**reason, "address": end.get("address")}
        return change_of(case, case, "joined_refused", MergedCaseRefused, details=details, fields=reason)
    return Change(case) if informed else _parted(case, entry, context)


def _parted(case: Case, entry: Mapping[str, Any], context: Context) -> Change:
    """Back to screening, owed anew from today: the first day may be long past."""
    stage = next_stage(case, OTHER_TRANSITIONS["part"], "part")
    own = replace(case, stage=stage, merged_into=None, calendar=context.calendar)
    own = deadlines.with_clock_started(own, context.today, (context.workdays, context.deadlines))
    details = {"number": entry["number"], "after": entry["entry"]}
    return deadlines.with_next_check(change_of(case, own, "reopened", CaseReopened, details=details), context)


def _merge(case: Case, command: Merge, context: Context) -> Change:
    target = context.other_case
    if target is None:
        raise wrong("into", "unknown_case")
    if target.case_id == case.case_id:
        raise wrong("into", "itself")
    if target.stage not in OPEN_STAGES:
        raise wrong("into", "not_open")
    after = moved(case, context, merged_into=command.into)
    details = {"into": str(command.into), "number": target.number}
    return change_of(case, after, "merged", CaseMerged, details=details, fields={"into": command.into})


def duplicate_merged(target: Case, merged: Case) -> Change:
    """What a merge leaves in the case that goes on."""
    fields = {"merged": merged.case_id}
    return change_of(target, target, "duplicate_joined", CaseJoined, details={"number": merged.number}, fields=fields)


COMMANDS = (
    CommandRule(
        Merge,
        {Stage.SCREENING: Stage.MERGED},
        BY_SCREENER,
        _merge,
        waits_for_proposal=True,
        other_case=lambda command: command.into,
        change_other=lambda target, merged, command: duplicate_merged(target, merged),
    ),
)

"""All commands of a case: which may be given where and by whom, and what comes of each. Pure.

Each capability declares its own in its rules; nothing is registered by being imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID

from contracts.base import Contract
from contracts.errors import NotAllowed, WrongStage
from contracts.gateway import Actor
from contracts.vocabulary import Role
from services.tracking.case import deadlines
from services.tracking.case import rules as case_rules
from services.tracking.case.lifecycle import ASKED, Case, Change, Context
from services.tracking.case.transitions import CommandRule, Transitions
from services.tracking.citizens import rules as citizens
from services.tracking.colleagues import rules as colleagues
from services.tracking.decisions import rules as decisions
from services.tracking.evidence import rules as evidence
from services.tracking.inquiry import rules as inquiry
from services.tracking.merging import rules as merging
from services.tracking.reopening import rules as reopening
from services.tracking.screening import rules as screening
from services.tracking.visits import rules as visits


class CommandTable:
    """The commands, by their contracts."""

    def __init__(self, rules: Iterable[CommandRule]) -> None:
        self._rules = {rule.command: rule for rule in rules}

    @property
    def transitions(self) -> Mapping[str, Transitions]:
        """Command → the stage it may be given in → the stage it leads to."""
        return {rule.name: rule.transitions for rule in self._rules.values()}

    @property
    def permissions(self) -> Mapping[Role, frozenset[str]]:
        """Role → the commands it may give; a substitute all of them, on cases about the inspection itself."""
        own = {
            role: frozenset(rule.name for rule in self._rules.values() if role in rule.roles)
            for role in Role
            if any(role in rule.roles for rule in self._rules.values())
        }
        return own | {Role.SUBSTITUTE: frozenset(rule.name for rule in self._rules.values() if rule.roles)}

    def permits(self, actor: Actor, command: type[Contract]) -> bool:
        """Whether a role of the actor gives this command at all."""
        return bool(actor.roles & {*self._rules[command].roles, Role.SUBSTITUTE})

    def act(self, case: Case, command: Contract, context: Context) -> Change:
        """A command of staff. NotAllowed, WrongStage, or an Invalid that names what is wrong with the command. What a deputy
        does is recorded as for the one who is away."""
        on_behalf_of = _absent_one(case, self._rules[type(command)], context)
        change = self._act(case, command, replace(context, on_behalf_of=on_behalf_of))
        if on_behalf_of is None:
            return change
        away = {"on_behalf_of": str(on_behalf_of)}
        return replace(change, entries=[replace(entry, details={**entry.details, **away}) for entry in change.entries])

    def _act(self, case: Case, command: Contract, context: Context) -> Change:
        rule = self._rules[type(command)]
        _authorise(case, rule, context)
        if case.proposal is not None and rule.waits_for_proposal:
            raise WrongStage(stage=case.stage, command=rule.name)
        if rule.lapses_question and case.stage in ASKED and inquiry.answer_is_overdue(context):
            lapsed = inquiry.lapse(case, context)
            change = rule.apply(lapsed.case, command, rule.in_next_stage(lapsed.case, replace(context, question=None)))
            entries, effects = [*lapsed.entries, *change.entries], (*lapsed.effects, *change.effects)
            return deadlines.with_next_check(Change(change.case, entries, effects), context)
        return deadlines.with_next_check(rule.apply(case, command, rule.in_next_stage(case, context)), context)

    def act_as_citizen(self, case: Case, command: Contract, context: Context) -> Change:
        """A command of the one who filed the case. WrongStage, or what its rule raises."""
        rule = self._rules[type(command)]
        return deadlines.with_next_check(rule.apply(case, command, rule.in_next_stage(case, context)), context)

    def other_case(self, command: Contract) -> UUID | None:
        """The other case that this command names."""
        named = self._rules[type(command)].other_case
        return None if named is None else named(command)

    def has_partner(self, command: Contract) -> bool:
        """Whether the command may change the case that this one was merged into."""
        return self._rules[type(command)].partner is not None

    def partner(self, case: Case, command: Contract) -> UUID | None:
        """The other case that the case itself names, which this command changes."""
        named = self._rules[type(command)].partner
        return None if named is None else named(case)

    def change_other(self, case: Case, command: Contract, other: Case) -> Change:
        """What a command of `case` that names another one does to that one."""
        change = self._rules[type(command)].change_other
        assert change is not None
        return change(other, case, command)

    def offered(self, case: Case, today: date) -> list[str]:
        """The commands that its citizen's view offers now."""
        return [
            rule.name
            for rule in self._rules.values()
            if rule.offered and case.stage in rule.transitions and rule.available(case, today)
        ]


def _authorise(case: Case, rule: CommandRule, context: Context) -> None:
    """NotAllowed unless a role that the actor has for this case gives this command; an inspector's, on a case of theirs."""
    roles = context.roles_on(case) & rule.roles
    if not roles:
        raise NotAllowed
    handles = rule.inspectors(case, context.actor.id) or context.on_behalf_of is not None
    if roles == {Role.INSPECTOR} and not handles:
        raise NotAllowed


def _absent_one(case: Case, rule: CommandRule, context: Context) -> UUID | None:
    """For whom the actor gives this command as their deputy: what is an inspector's, and not theirs to give themselves."""
    if Role.INSPECTOR not in rule.roles or rule.inspectors(case, context.actor.id):
        return None
    return next((away for away in sorted(context.absent) if rule.inspectors(case, str(away))), None)


COMMANDS = CommandTable(
    (
        *screening.COMMANDS,
        *merging.COMMANDS,
        *inquiry.COMMANDS,
        *colleagues.COMMANDS,
        *evidence.COMMANDS,
        *decisions.COMMANDS,
        *case_rules.COMMANDS,
        *citizens.COMMANDS,
        *visits.COMMANDS,
        *reopening.COMMANDS,
    )
)

TRANSITIONS: Mapping[str, Transitions] = {
    **COMMANDS.transitions,
    **inquiry.OTHER_TRANSITIONS,
    **merging.OTHER_TRANSITIONS,
}
"""Those of commands, and those that no command of a case makes."""
PERMISSIONS = COMMANDS.permissions

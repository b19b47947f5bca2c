"""All commands of a case: which may be given where and by whom, and what comes of each. Pure.

Each capability declares its own in its rules; nothing is registered by being imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from contracts.base import Contract
from contracts.gateway import Actor
from contracts.tracking import ShownCommand
from contracts.vocabulary import Role, Stage
from services.tracking.case import deadlines
from services.tracking.case import rules as case_rules
from services.tracking.case.lifecycle import ASKED, Case, Change, Context
from services.tracking.case.transitions import (
    CommandRule,
    Hindrance,
    Transitions,
    Why,
    not_at_this_stage,
    not_by_this_one,
)
from services.tracking.citizens import rules as citizens
from services.tracking.colleagues import rules as colleagues
from services.tracking.decisions import rules as decisions
from services.tracking.evidence import rules as evidence
from services.tracking.inquiry import rules as inquiry
from services.tracking.merging import rules as merging
from services.tracking.messages import rules as messages
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
        lapsed = _lapsed(case, rule, context)
        begun, asked = (case, context) if lapsed is None else (lapsed.case, replace(context, question=None))
        hindrance = _hindrance_of_staff(begun, rule, asked)
        if hindrance is not None:
            raise hindrance.error
        change = rule.apply(begun, command, rule.in_next_stage(begun, asked))
        if lapsed is not None:
            entries, effects = [*lapsed.entries, *change.entries], (*lapsed.effects, *change.effects)
            change = Change(change.case, entries, effects)
        return deadlines.with_next_check(change, context)

    def act_as_citizen(self, case: Case, command: Contract, context: Context) -> Change:
        """A command of the one who filed the case. WrongStage, or what its rule raises."""
        rule = self._rules[type(command)]
        hindrance = _hindrance(case, rule, context)
        if hindrance is not None:
            raise hindrance.error
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

    def shown_to_staff(self, case: Case, context: Context) -> list[ShownCommand]:
        """Every command that the actor's roles for this case ever give, and whether it can be given now."""
        roles = context.roles_on(case)
        return [_shown_to_staff(case, rule, context) for rule in self._rules.values() if rule.roles & roles]

    def shown_to_citizen(self, case: Case, context: Context) -> list[ShownCommand]:
        """Every command of citizens, and whether it can be given now."""
        return [
            _shown(case, rule, context, _hindrance(case, rule, context))
            for rule in self._rules.values()
            if not rule.roles
        ]

    def in_summary(self, name: str) -> bool:
        """Whether `can` of the citizen's view names this command."""
        return any(rule.in_summary for rule in self._rules.values() if rule.name == name)


def _shown_to_staff(case: Case, rule: CommandRule, context: Context) -> ShownCommand:
    on_behalf_of = _absent_one(case, rule, context) if context.absent else None
    if on_behalf_of is not None:
        context = replace(context, on_behalf_of=on_behalf_of)
    lapsed = _lapsed(case, rule, context)
    begun, asked = (case, context) if lapsed is None else (lapsed.case, replace(context, question=None))
    return _shown(begun, rule, asked, _hindrance_of_staff(begun, rule, asked))


def _shown(case: Case, rule: CommandRule, context: Context, hindrance: Hindrance | None) -> ShownCommand:
    if hindrance is not None:
        return ShownCommand(type=rule.name, possible=False, why=hindrance.why, code=hindrance.code)
    choices = {name: dict(choose(case, context)) for name, choose in rule.choices.items()}
    if not all(choices.values()):
        why, code = rule.without_choice
        return ShownCommand(type=rule.name, possible=False, why=why, code=code)
    four_eyes = rule.decides and context.needs_approval(case)
    return ShownCommand(
        type=rule.name,
        possible=True,
        next_stage=case.stage if four_eyes else rule.transitions[case.stage],
        four_eyes=four_eyes,
        choices=choices,
        bounds={name: dict(bounds) for name, bounds in rule.bounds(case, context).items()},
    )


def _lapsed(case: Case, rule: CommandRule, context: Context) -> Change | None:
    """The change by which the open question gives way to this command; None where it does not."""
    gives_way = rule.lapses_question and case.stage in ASKED and inquiry.answer_is_overdue(context)
    return inquiry.lapse(case, context) if gives_way else None


def _hindrance_of_staff(case: Case, rule: CommandRule, context: Context) -> Hindrance | None:
    """What keeps the actor from giving this command to the case with any arguments: their roles, what they are to the case, its
    stage, what it waits for, what the rule itself asks."""
    roles = context.roles_on(case) & rule.roles
    if not roles:
        return not_by_this_one("not_allowed")
    handles = rule.inspectors(case, context.actor.id) or context.on_behalf_of is not None
    if roles == {Role.INSPECTOR} and not handles:
        return not_by_this_one("not_your_case")
    return _hindrance(case, rule, context)


def _hindrance(case: Case, rule: CommandRule, context: Context) -> Hindrance | None:
    if case.stage not in rule.transitions:
        waits = case.stage in ASKED and Stage.INVESTIGATING in rule.transitions
        objected = case.stage is Stage.REVIEW and Stage.REVIEW in rule.transitions.values()  # once, and no more
        ahead = waits or (not objected and rule.transitions.keys() & _TO_COME[case.stage])
        why: Why = "not_yet" if ahead else "too_late"
        return not_at_this_stage(case, rule.command, why, "open_question" if waits else "wrong_stage")
    if case.proposal is not None and rule.waits_for_proposal:
        return not_at_this_stage(case, rule.command, "not_yet", "proposal_waits")
    return rule.guard(case, context)


def _to_come() -> Mapping[Stage, frozenset[Stage]]:
    """Stage → those that may come after it, as long as nobody objects, and nothing is taken back or begun anew."""
    ahead: dict[Stage, set[Stage]] = {
        Stage.REGISTERED: {Stage.SCREENING},
        Stage.SCREENING: {Stage.INVESTIGATING},
        Stage.INVESTIGATING: {*ASKED, Stage.DECIDED},
        Stage.AWAITING_CITIZEN: {Stage.INVESTIGATING},
        Stage.AWAITING_UNIT: {Stage.INVESTIGATING},
        Stage.REVIEW: {Stage.DECIDED},
        Stage.DECIDED: {Stage.CLOSED},
        Stage.REFUSED: {Stage.CLOSED},
    }
    found: dict[Stage, frozenset[Stage]] = {}
    for stage in Stage:
        reached: set[Stage] = set()
        frontier = ahead.get(stage, set())
        while frontier - reached:
            reached |= frontier
            frontier = {further for step in frontier for further in ahead.get(step, set())}
        found[stage] = frozenset(reached)
    return found


_TO_COME = _to_come()


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
        *messages.COMMANDS,
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

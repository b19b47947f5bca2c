"""What a unit's liaison reads, with what they may do about it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from contracts.base import LEFT_OUT, Answer
from contracts.tracking import FollowedRecommendation, Recommendations, UnitQuestion, UnitQuestions
from contracts.vocabulary import Language
from gateway.cases.command_forms import Command, CommandForm, CommandForms


class UnitQuestionView(UnitQuestion):
    """All that a liaison sees: the question and what was sent along, never the case, never who complained; and how it is
    answered."""

    commands: list[Command] = []  # type: ignore[assignment]  # the same, complete


class UnitQuestionsView(Answer):
    items: list[UnitQuestionView]
    next: str | None = None


class FollowedRecommendationView(FollowedRecommendation):
    __doc__ = FollowedRecommendation.__doc__

    commands: list[Command] = LEFT_OUT  # type: ignore[assignment]  # the same, complete


class RecommendationsView(Answer):
    items: list[FollowedRecommendationView]
    next: str | None = None


class UnitViews:
    """The views. `forms`: of the commands of liaisons."""

    def __init__(self, forms: Mapping[str, CommandForm]) -> None:
        self._forms = CommandForms()
        self._forms.add("liaison", forms.values())

    def question(self, question: UnitQuestion, language: Language) -> UnitQuestionView:
        values = {**dict(question), "commands": self._commands(question, language, question_id=question.question_id)}
        return UnitQuestionView.model_construct(**values)

    def questions(self, questions: UnitQuestions, language: Language) -> UnitQuestionsView:
        return UnitQuestionsView.model_construct(
            items=[self.question(one, language) for one in questions.items], next=questions.next
        )

    def recommendation(self, followed: FollowedRecommendation, language: Language) -> FollowedRecommendationView:
        commands = self._commands(followed, language, recommendation_id=followed.recommendation_id)
        return FollowedRecommendationView.model_construct(**{**dict(followed), "commands": commands or None})

    def recommendations(self, followed: Recommendations, language: Language) -> RecommendationsView:
        return RecommendationsView.model_construct(
            items=[self.recommendation(one, language) for one in followed.items], next=followed.next
        )

    def _commands(self, of: UnitQuestion | FollowedRecommendation, language: Language, **ids: UUID) -> list[Command]:
        return [self._forms.of_liaison(shown, language, **ids) for shown in of.commands]

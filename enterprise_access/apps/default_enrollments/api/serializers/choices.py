"""The rules and reasons of a decision, with their sentences, for the API document."""

from typing import Final

from enterprise_access.apps.default_enrollments.domain.answers import IntentionState
from enterprise_access.apps.default_enrollments.domain.reasons import EXPLANATIONS
from enterprise_access.apps.default_enrollments.domain.values import Reason, Rule
from enterprise_access.apps.default_enrollments.models import Outcome

RULES: Final = [(rule.value, rule.value) for rule in Rule]
REASONS: Final = [(reason.value, EXPLANATIONS[reason].text) for reason in Reason]
STATES: Final = [(state.value, state.value) for state in IntentionState]
OUTCOMES: Final = [(value, value) for value in Outcome.values]

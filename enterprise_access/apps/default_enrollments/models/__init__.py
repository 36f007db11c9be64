"""What customers intend, what happened to each learner, and what is still to do. Each module begins with its states."""

from enterprise_access.apps.default_enrollments.models.attempts import Outcome, RealizationAttempt
from enterprise_access.apps.default_enrollments.models.health import DigestDelivery, IntentionHealth
from enterprise_access.apps.default_enrollments.models.intentions import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.models.overrides import RealizationOverride, override_validity
from enterprise_access.apps.default_enrollments.models.realizations import DefaultEnterpriseEnrollmentRealization
from enterprise_access.apps.default_enrollments.models.requests import RealizationRequest, Trigger, priority_of

# What the modules of this app call them.
Intention = DefaultEnterpriseEnrollmentIntention
Realization = DefaultEnterpriseEnrollmentRealization

__all__ = [
    "DefaultEnterpriseEnrollmentIntention",
    "DefaultEnterpriseEnrollmentRealization",
    "DigestDelivery",
    "Intention",
    "IntentionHealth",
    "Outcome",
    "Realization",
    "RealizationAttempt",
    "RealizationOverride",
    "RealizationRequest",
    "Trigger",
    "override_validity",
    "priority_of",
]

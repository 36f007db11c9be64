"""Use cases of redeeming."""

from enterprise_access.apps.redemption.services.people import forget_learner
from enterprise_access.apps.redemption.services.queue import QUEUE
from enterprise_access.apps.redemption.services.signals import attempt_ended

__all__ = ["QUEUE", "attempt_ended", "forget_learner"]

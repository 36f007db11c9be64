"""Seeing to it that the learner who is here has a license to use."""

from enterprise_access.apps.licenses.services.claims import forget_learner
from enterprise_access.apps.licenses.services.ensuring import Ensured, ensure_license

__all__ = ["Ensured", "ensure_license", "forget_learner"]

"""Which licenses learners hold, and seeing to it that the learner who is here has one to use."""

from enterprise_access.apps.licenses.services.claims import forget_learner
from enterprise_access.apps.licenses.services.ensuring import Ensured, ensure_license
from enterprise_access.apps.licenses.services.lookup import fetch_licenses, fetch_licenses_with_revoked

__all__ = [
    "Ensured",
    "ensure_license",
    "fetch_licenses",
    "fetch_licenses_with_revoked",
    "forget_learner",
]

"""Learner credit in the admin."""

from enterprise_access.apps.redemption.admin import attempts as attempts

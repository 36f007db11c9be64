"""The learner's licenses, after taking those that wait for the learner."""

import time
from typing import Any

from django.conf import settings

from enterprise_access.apps.bff.domain.problems import LICENSES, Problem
from enterprise_access.apps.bff.services.load import CALLS, LICENSE, PageTarget
from enterprise_access.apps.bff.services.parts.base import Found, PagePart
from enterprise_access.apps.default_enrollments.services.requests.license_changes import licenses_changed
from enterprise_access.apps.licenses.domain import OwnLicenses
from enterprise_access.apps.licenses.selectors import fetch_own_licenses
from enterprise_access.apps.licenses.services import Ensured, ensure_license


class LicensesPart(PagePart):
    """What the learner has of the customer's subscriptions. `licenses` None: not known."""

    def start(self) -> None:
        visitor, customer_uuid = self.load.visitor, self.customer_uuid
        self._licenses = self.load.start(
            lambda: fetch_own_licenses(
                learner_token=visitor.token,
                customer_uuid=customer_uuid,
                lms_user_id=visitor.lms_user_id,
                budget_seconds=settings.PORTAL_BUDGET_SECONDS,
            )
        )

    def finish(self, shown: PageTarget, found: Found) -> dict[str, Any]:
        load = self.load
        seen = load.part(LICENSES, lambda: self._licenses.result(ends_at=load.at(CALLS)), None)
        if seen is None:
            return {"licenses": None}
        ensured = load.part(LICENSES, lambda: self._ensure(seen, shown), Ensured(licenses=seen))
        load.errors += [Problem(it.developer_message, it.user_message) for it in ensured.problems]
        return {"licenses": ensured.licenses}

    def _ensure(self, seen: OwnLicenses, shown: PageTarget) -> Ensured:
        lms_user_id = self.load.visitor.lms_user_id
        ensured = ensure_license(
            learner_token=self.load.visitor.token,
            customer_uuid=self.customer_uuid,
            lms_user_id=lms_user_id,
            is_linked=shown.is_linked,
            has_identity_provider=shown.has_identity_provider,
            budget_seconds=self.load.at(LICENSE) - time.monotonic(),
            seen=seen,
        )
        if ensured.has_changed and shown.is_linked:
            licenses_changed(customer_uuid=self.customer_uuid, lms_user_id=lms_user_id)
        return ensured

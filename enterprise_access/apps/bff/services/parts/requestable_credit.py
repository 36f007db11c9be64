"""Whether learners of the customer may browse and request. Only the dashboard says so."""

from typing import Any

from enterprise_access.apps.bff.domain.problems import REQUESTABLE_CREDIT
from enterprise_access.apps.bff.services.load import PageTarget
from enterprise_access.apps.bff.services.parts.base import Found, PagePart
from enterprise_access.apps.subsidy_access_policies.selectors import has_request_policy


class RequestableCreditPart(PagePart):
    """The member `has_requestable_credit`, out of our own budgets: no service is asked."""

    def finish(self, shown: PageTarget, found: Found) -> dict[str, Any]:
        if not self.load.with_enrollments:
            return {}
        has = self.load.part(REQUESTABLE_CREDIT, lambda: has_request_policy(customer_uuid=shown.customer_uuid), False)
        return {"has_requestable_credit": has}

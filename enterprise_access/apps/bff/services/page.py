"""What a page of the learner portal consists of."""

from collections.abc import Mapping
from enum import Enum
from uuid import UUID

from attrs import field, frozen

from enterprise_access.apps.bff.domain.choosing import is_search_disabled, shows_integration_warning
from enterprise_access.apps.bff.domain.enrollments import ShownEnrollment
from enterprise_access.apps.bff.domain.problems import Problem
from enterprise_access.apps.default_enrollments.services.learners.status import LearnerStatus
from enterprise_access.apps.default_enrollments.services.requests.asking import AskedResult
from enterprise_access.apps.licenses.domain import OwnLicenses
from enterprise_access.upstream.catalog.types import SearchKey
from enterprise_access.upstream.lms.portal_types import PortalCustomer


class PageOutcome(Enum):
    """How the page as a whole came out. A part that failed does not count: the page is there without it."""

    SHOWN = "shown"
    NOTHING_TO_SHOW = "nothing to show"
    UNAVAILABLE = "unavailable"


@frozen
class ShownCustomer:
    """A customer with what follows from its switches."""

    customer: PortalCustomer

    @property
    def disable_search(self) -> bool:
        return is_search_disabled(
            has_identity_provider=bool(self.customer.identity_provider),
            is_search_enabled=self.customer.enable_integrated_customer_learner_portal_search,
        )

    @property
    def show_integration_warning(self) -> bool:
        return shows_integration_warning(
            is_search_disabled=self.disable_search, has_active_integrations=bool(self.customer.active_integrations)
        )


@frozen(kw_only=True)
class ShownLink:
    """One of the learner's customers. `id` is the LMS's id of the link."""

    id: int
    active: bool
    enterprise_customer: ShownCustomer


@frozen(kw_only=True)
class PortalPage:
    """Everything that a page shows. What could not be loaded is empty or None, and named in `errors`."""

    outcome: PageOutcome
    customer: ShownCustomer | None = None
    linked: tuple[ShownLink, ...] = ()
    active: ShownCustomer | None = None
    staff: ShownCustomer | None = None
    should_switch: bool = False
    features: Mapping[str, bool] = field(factory=dict)
    search_key: SearchKey | None = field(default=None, repr=False)
    licenses: OwnLicenses | None = None
    enrollments: tuple[ShownEnrollment, ...] = ()
    status: LearnerStatus | None = None
    has_requestable_credit: bool = False
    user_email: str | None = field(default=None, repr=False)
    realizations: tuple[AskedResult, ...] = ()
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def query_uuids_by_catalog(self) -> Mapping[UUID, UUID]:
        """The catalogs that the learner may search."""
        return {} if self.search_key is None else self.search_key.query_uuids_by_catalog

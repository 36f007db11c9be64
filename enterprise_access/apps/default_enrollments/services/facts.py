"""Reading the facts afresh, before anybody is enrolled."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from uuid import UUID

from django.utils import timezone

from enterprise_access.apps.content_metadata.domain import Resolved
from enterprise_access.apps.content_metadata.selectors import Content, fetch_content
from enterprise_access.apps.content_metadata.services import refresh_modes
from enterprise_access.apps.course_types.domain.modes import is_paid
from enterprise_access.apps.customers.domain import EnrollmentCopy
from enterprise_access.apps.customers.selectors import list_enterprise_enrollments
from enterprise_access.apps.customers.services import (
    refresh_customer,
    refresh_enrollments,
    refresh_enterprise_enrollments,
    refresh_learners,
)
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentRealization
from enterprise_access.apps.default_enrollments.selectors.facts import (
    Facts,
    list_intentions,
    list_overrides,
    list_realizations,
    list_realized_elsewhere,
)
from enterprise_access.apps.default_enrollments.services.noticing import notice_changes
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.keys import fold

log = logging.getLogger(__name__)


def fetch_facts(*, customer_uuid: UUID, lms_user_ids: Collection[int], renew: Callable[[], object] = bool) -> Facts:
    """Ask the neighbours about these learners, keep what they answered, and return it.

    Raises UpstreamError when the LMS cannot be asked for the customer, links or enrollments: nothing can be decided
    then. Content, modes and revocations that cannot be asked for are unknown, and the decision says so. `renew` is
    called between calls, so that a lease lasts as long as there is progress.
    """
    read_at = timezone.now()
    customer = refresh_customer(customer_uuid=customer_uuid)
    learners = refresh_learners(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids)
    enrollments = refresh_enrollments(learners=learners.values(), names_since=read_at)
    realizations = list_realizations(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids)
    ask_about_revocations(customer_uuid, enrollments, realizations, renew=renew)
    renew()
    enterprise_enrollments = list_enterprise_enrollments(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids)
    notice_changes(realizations.values(), enrollments, enterprise_enrollments, now=read_at)
    intentions = list_intentions(customer_uuid=customer_uuid)
    contents = fetch_content(
        customer_uuid=customer_uuid, content_keys=[intention.content_key for intention in intentions]
    )
    return Facts(
        customer_uuid=customer_uuid,
        is_customer_active=customer.is_active,
        intentions=intentions,
        learners=learners,
        enrollments=enrollments,
        enterprise_enrollments=enterprise_enrollments,
        realizations=realizations,
        contents=contents,
        modes=refresh_modes(course_run_keys=_resolved_runs(contents.values())),
        overrides=list_overrides(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids),
        realized_elsewhere=list_realized_elsewhere(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids),
        read_at=read_at,
    )


def _resolved_runs(contents: Iterable[Content]) -> set[str]:
    return {content.resolution.run.key for content in contents if isinstance(content.resolution, Resolved)}


def ask_about_revocations(
    customer_uuid: UUID,
    enrollments: Mapping[int, tuple[EnrollmentCopy, ...]],
    realizations: Mapping[int, tuple[DefaultEnterpriseEnrollmentRealization, ...]],
    *,
    renew: Callable[[], object] = bool,
) -> None:
    """Ask edx-enterprise about the learners for whom it matters whether a license was taken away.

    Those are few: learners with a paid enrollment that is inactive, or with an audit one where we realized more.
    """
    for lms_user_id, rows in enrollments.items():
        realized = {fold(row.course_run_key): row for row in realizations.get(lms_user_id, ())}
        if not any(_may_be_revoked(row, realized.get(fold(row.course_run_key))) for row in rows):
            continue
        renew()
        try:
            refresh_enterprise_enrollments(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
        except UpstreamError as error:
            log.warning("Revocations could not be asked for. reason=%s", error.reason)


def _may_be_revoked(row: EnrollmentCopy, realized: DefaultEnterpriseEnrollmentRealization | None) -> bool:
    if not row.is_active:
        return is_paid(row.mode) if realized is None else realized.left_at is None
    return realized is not None and is_paid(realized.predicted_mode) and not is_paid(row.mode)

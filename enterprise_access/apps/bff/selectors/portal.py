"""Reads of the upstream services for one page. They touch no table, so that threads may make them side by side.

Every function raises UpstreamError.
"""

from typing import Final
from uuid import UUID

from attrs import evolve
from django.utils import timezone

from enterprise_access.apps.bff.domain.enrollments import Due, ShownEnrollment, course_key_of
from enterprise_access.apps.bff.selectors.remembered import RememberedLinks, may_be_served
from enterprise_access.lib.errors import UpstreamReason, UpstreamRefused
from enterprise_access.lib.rows import Rows
from enterprise_access.upstream import catalog, lms
from enterprise_access.upstream.catalog.types import SearchKey
from enterprise_access.upstream.lms.portal_types import Banner, Branding, PortalCustomer, Site
from enterprise_access.upstream.lms.types import PortalEnrollment

_NO_SITE: Final = Site(domain="", name="")
_NO_BRANDING: Final = Branding(logo=None, primary_color=None, secondary_color=None, tertiary_color=None)


def fetch_links(*, lms_user_id: int) -> RememberedLinks:
    """Return the learner's customers. Should the LMS ignore whom it was asked for, links of others are left out."""
    started_at = timezone.now()
    found = lms.from_settings().list_portal_links(lms_user_id=lms_user_id)
    own = Rows(
        (evolve(link, customer=completed(link.customer)) for link in found.links if link.lms_user_id == lms_user_id),
        found.unreadable,
    )
    return RememberedLinks(links=evolve(found, links=own), fetched_at=started_at)


def fetch_customer(*, uuid: UUID | None, slug: str | None) -> PortalCustomer | None:
    """Return the customer that staff want to look at; None: there is none, or it is switched off."""
    client = lms.from_settings()
    try:
        if uuid is not None:
            found = client.get_portal_customer(customer_uuid=uuid)
        else:
            found = client.find_portal_customer(slug=slug or "")
    except UpstreamRefused as error:
        if error.reason is UpstreamReason.REFUSED_LOCALLY:
            # No customer can have a slug like that.
            return None
        raise
    return None if found is None else completed(found)


def completed(customer: PortalCustomer) -> PortalCustomer:
    """Return the customer with a harmless value wherever the portal wants one and the LMS has null."""
    banner = customer.enterprise_notification_banner or Banner(title=None, text=None)
    return evolve(
        customer,
        site=customer.site or _NO_SITE,
        branding_configuration=customer.branding_configuration or _NO_BRANDING,
        enterprise_notification_banner=Banner(title=banner.title or "", text=banner.text or ""),
        learner_portal_sidebar_content=customer.learner_portal_sidebar_content or "",
    )


def fetch_search_key(*, learner_token: str, customer_uuid: UUID) -> SearchKey:
    """Return a new search key. One that is all but over counts as refused: the portal would ask for another at once."""
    key = catalog.from_settings(optional="search key").get_search_key(
        learner_token=learner_token, customer_uuid=customer_uuid
    )
    if not may_be_served(key):
        raise UpstreamRefused(
            "The search key is all but over.", service="catalog", reason=UpstreamReason.UNEXPECTED_STATUS
        )
    return key


def fetch_enrollments(*, learner_token: str, customer_uuid: UUID) -> tuple[ShownEnrollment, ...]:
    """Return the active enrollments that the learner has through the customer."""
    rows = lms.from_settings(optional="own enrollments").list_portal_enrollments(
        learner_token=learner_token, customer_uuid=customer_uuid, is_active=True
    )
    return tuple(_as_shown(row) for row in rows)


def _as_shown(row: PortalEnrollment) -> ShownEnrollment:
    return ShownEnrollment(
        course_run_id=row.course_run_key,
        course_run_status=row.run_status,
        course_key=row.course_key or course_key_of(row.course_run_key),
        course_type=row.course_type or "",
        title=row.title,
        org_name=row.org_name or "",
        mode=row.mode or "",
        pacing=row.pacing or "",
        product_source=row.product_source or "",
        micromasters_title=row.micromasters_title,
        created=row.created_at,
        start_date=row.start_date,
        end_date=row.end_date,
        enroll_by=row.enroll_by,
        is_enrollment_active=row.is_active,
        is_revoked=row.is_revoked,
        has_emails_enabled=bool(row.has_emails_enabled),
        notifications=tuple(Due(name=due.name, date=due.date, url=due.url) for due in row.due_dates),
        resume_course_run_url=row.resume_url,
        link_to_course=row.resume_url or row.course_url or "",
        link_to_certificate=row.certificate_url,
    )

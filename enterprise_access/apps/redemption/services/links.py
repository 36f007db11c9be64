"""How learners are linked to a customer, and what they are enrolled in, from copies that are young enough or asked."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.customers.domain import EnrollmentCopy, Learner, Told
from enterprise_access.apps.customers.selectors import get_customer, list_learners
from enterprise_access.apps.customers.services import fetch_customer, read_enrollments, refresh_learners
from enterprise_access.lib import clock
from enterprise_access.lib.errors import NotFound, UpstreamError


@frozen(kw_only=True)
class CustomerLink:
    """A learner as linked to the customer. `is_linked` None: could not be asked. `learner` None: never linked."""

    learner: Learner | None
    is_linked: bool | None


def read_links(
    customer_uuid: UUID, lms_user_ids: Collection[int], *, max_age: timedelta, now: datetime
) -> dict[int, CustomerLink]:
    """Return how each learner is linked to the customer; those whose copies are too old are asked for together."""
    known = list_learners(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids)
    young = {key: one for key, one in known.items() if one.fetched_at >= now - max_age}
    links = {key: CustomerLink(learner=one, is_linked=one.is_linked) for key, one in young.items()}
    old = [key for key in lms_user_ids if key not in young]
    if not old:
        return links
    unknown = {key: CustomerLink(learner=known.get(key), is_linked=None) for key in old}
    try:
        told = ask_links(customer_uuid, old)
    except (UpstreamError, NotFound):
        return links | unknown
    for key in old:
        learner = told.get(key)
        is_linked = learner is not None and learner.is_linked
        links[key] = unknown[key] if key in told.unknown else CustomerLink(learner=learner, is_linked=is_linked)
    return links


def ask_links(customer_uuid: UUID, lms_user_ids: Collection[int]) -> Told[Learner]:
    """Ask the LMS which learners are linked, and for their addresses. Raises UpstreamError, and NotFound."""
    if get_customer(customer_uuid=customer_uuid) is None:
        fetch_customer(customer_uuid=customer_uuid)
    return refresh_learners(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids)


def read_enrollments_of(
    links: Mapping[int, CustomerLink], *, max_age: timedelta
) -> dict[int, tuple[EnrollmentCopy, ...] | None]:
    """Return each learner's enrollments; None: could not be asked, or never linked (then the rules refuse before)."""
    learners = [link.learner for link in links.values() if link.learner is not None]
    found: dict[int, tuple[EnrollmentCopy, ...] | None] = dict.fromkeys(links)
    if not learners:
        return found
    try:
        read = read_enrollments(
            learners=learners,
            # Their names were read with the links.
            names_since=min([clock.now(), *(learner.fetched_at for learner in learners)]),
            reuse_seconds=max_age.total_seconds(),
        )
    except UpstreamError:
        return found
    return found | {key: read.enrollments.get(key) for key in found}

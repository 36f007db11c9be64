"""What the LMS says of one learner of one customer, for a reader: copies that are young enough, or else refreshed
within the reader's deadline, or else older ones, marked as stale."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from attrs import evolve, frozen
from django.conf import settings

from enterprise_access.apps.course_types.domain.modes import is_paid
from enterprise_access.apps.customers.domain import EnrollmentCopy, EnterpriseEnrollmentCopy, Learner
from enterprise_access.apps.customers.selectors import (
    StoredLearner,
    get_customer,
    get_stored_learner,
    list_enterprise_enrollments,
)
from enterprise_access.apps.customers.services import (
    LinksAskedFor,
    ask_for_links_ahead,
    read_enrollments,
    refresh_customer,
    refresh_learners,
    remember_email,
)
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.http.deadline import deadline, earliest
from enterprise_access.lib.one_at_a_time import one_at_a_time
from enterprise_access.upstream import lms


@frozen(kw_only=True)
class Current:
    """The copies to be used. `learner` None: never linked. `enrollments_read_at` None: never read.

    `is_stale`: the LMS did not answer, and something is older than it should be.
    """

    customer_uuid: UUID
    is_customer_active: bool
    customer_read_at: datetime
    learner: Learner | None
    enrollments: tuple[EnrollmentCopy, ...]
    enterprise_enrollments: Mapping[tuple[int, str], EnterpriseEnrollmentCopy]
    enrollments_read_at: datetime | None
    is_stale: bool

    @property
    def is_linked(self) -> bool:
        """Whether the learner is linked to the customer."""
        return self.learner is not None and self.learner.is_linked


@frozen(kw_only=True)
class _Link:
    """What is known of customer and learner without the enrollments, and whether it is older than it should be."""

    is_customer_active: bool
    customer_read_at: datetime
    learner: Learner | None
    is_stale: bool = False


def get_current(*, customer_uuid: UUID, lms_user_id: int, now: datetime, reads_platform: bool = True) -> Current:
    """Return the copies, after asking the LMS for what is too old. Many readers at once ask once.

    `reads_platform` False: take the stored enrollments, however old. The LMS throttles those reads, and nothing else.

    Raises CustomerUnknown, and UpstreamUnavailable when there is no copy that may be shown and the LMS does not answer.
    """
    stored = get_stored_learner(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    link = _link_in(stored)
    needs = _Needs(now=now, enrollments=reads_platform)
    if link is not None and not needs.are_met_by(link) and needs.can_do_with(link) and lms.is_known_to_be_away():
        link = evolve(link, is_stale=True)
    elif link is None or not needs.are_met_by(link):
        patience = settings.STALE_BUDGET_SECONDS if needs.can_do_with(link) else settings.REQUEST_BUDGET_SECONDS
        ends_at = earliest(time.monotonic() + patience)
        with (
            one_at_a_time(ends_at=ends_at, reading=str(customer_uuid), lms_user_id=lms_user_id) as has_waited,
            deadline(ends_at),
        ):
            if has_waited:
                stored = get_stored_learner(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
                link = _link_in(stored)
            if link is None or not needs.are_met_by(link):
                link = _refreshed(customer_uuid, lms_user_id, link, needs)
                stored = get_stored_learner(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    return Current(
        customer_uuid=customer_uuid,
        is_customer_active=link.is_customer_active,
        customer_read_at=link.customer_read_at,
        learner=link.learner,
        enrollments=stored.enrollments,
        enterprise_enrollments=_enterprise_enrollments(customer_uuid, lms_user_id, stored.enrollments),
        enrollments_read_at=link.learner.enrollments_fetched_at if link.learner else None,
        is_stale=link.is_stale,
    )


def _enterprise_enrollments(
    customer_uuid: UUID, lms_user_id: int, enrollments: Iterable[EnrollmentCopy]
) -> Mapping[tuple[int, str], EnterpriseEnrollmentCopy]:
    """Return edx-enterprise's rows where they can matter: beside an enrollment that ended, or is in the audit track."""
    if all(row.is_active and is_paid(row.mode) for row in enrollments):
        return {}
    return list_enterprise_enrollments(customer_uuid=customer_uuid, lms_user_ids=[lms_user_id])


def _link_in(stored: StoredLearner) -> _Link | None:
    """Return customer and learner as they are stored; None for a customer that we never met."""
    customer = stored.customer
    if customer is None:
        return None
    return _Link(is_customer_active=customer.is_active, customer_read_at=customer.fetched_at, learner=stored.learner)


@frozen(kw_only=True)
class _Needs:
    """How young the copies have to be at `now`; of the enrollments only if `enrollments` is set."""

    now: datetime
    enrollments: bool

    def are_met_by(self, link: _Link) -> bool:
        """Say whether the LMS need not be asked."""
        learner = link.learner
        return (
            _is_younger(link.customer_read_at, settings.LINKS_FRESH_SECONDS, self.now)
            and learner is not None
            and _is_younger(learner.fetched_at, settings.LINKS_FRESH_SECONDS, self.now)
            and not self.wants_enrollments_of(learner)
        )

    def can_do_with(self, link: _Link | None) -> bool:
        """Say whether what is stored can be shown if need be."""
        if link is None or link.learner is None:
            return False
        ages: list[datetime | None] = [link.customer_read_at, link.learner.fetched_at]
        if link.learner.is_linked and self.enrollments:
            ages.append(link.learner.enrollments_fetched_at)
        return all(_may_be_shown(age, self.now) for age in ages)

    def wants_enrollments_of(self, learner: Learner) -> bool:
        """Say whether the platform has to be asked about the learner."""
        return self.enrollments and learner.is_linked and not _are_enrollments_young(learner, self.now)


def _are_enrollments_young(learner: Learner, now: datetime) -> bool:
    return _is_younger(learner.enrollments_fetched_at, settings.ENROLLMENTS_FRESH_SECONDS, now)


def _is_younger(instant: datetime | None, seconds: float, now: datetime) -> bool:
    return instant is not None and instant >= now - timedelta(seconds=seconds)


# --- Asking the LMS ----------------------------------------------------------------------------------------------


def _refreshed(customer_uuid: UUID, lms_user_id: int, stored: _Link | None, needs: _Needs) -> _Link:
    """Ask for what is too old of what is stored; where the LMS does not answer, what is stored has to do.

    The link is requested at the same time as the customer, if that is one that we have met.
    """
    now = needs.now
    copy = stored.learner if stored else None
    # Enrollments are requested by a username, which only a link that was read just now can tell.
    is_link_young = (
        copy is not None
        and _is_younger(copy.fetched_at, settings.LINKS_FRESH_SECONDS, now)
        and not needs.wants_enrollments_of(copy)
    )
    asked = None
    if stored is not None and not is_link_young and lms.takes_several_calls():
        asked = ask_for_links_ahead(customer_uuid=customer_uuid, lms_user_ids=[lms_user_id])
    is_active, customer_read_at, is_customer_stale = _ask_for_customer(customer_uuid, now)
    learner, is_link_stale = copy, False
    if not is_link_young:
        learner, is_link_stale = _ask_for_link(customer_uuid, lms_user_id, copy, asked, now)
    are_enrollments_stale = False
    if learner is not None and needs.wants_enrollments_of(learner):
        learner, are_enrollments_stale = _ask_for_enrollments(learner, now)
    return _Link(
        is_customer_active=is_active,
        customer_read_at=customer_read_at,
        learner=learner,
        is_stale=is_customer_stale or is_link_stale or are_enrollments_stale,
    )


def _ask_for_customer(customer_uuid: UUID, now: datetime) -> tuple[bool, datetime, bool]:
    """Return whether the customer is active, since when we know, and whether that is older than it should be."""
    try:
        customer = refresh_customer(customer_uuid=customer_uuid)
    except UpstreamError:
        copy = get_customer(customer_uuid=customer_uuid)
        if copy is None or not _may_be_shown(copy.fetched_at, now):
            raise
        return copy.is_active, copy.fetched_at, True
    return customer.is_active, customer.fetched_at, False


def _ask_for_link(
    customer_uuid: UUID, lms_user_id: int, copy: Learner | None, asked: LinksAskedFor | None, now: datetime
) -> tuple[Learner | None, bool]:
    """Return the learner (None: never linked), and whether that is the copy, older than it should be."""
    try:
        learners = refresh_learners(customer_uuid=customer_uuid, lms_user_ids=[lms_user_id], asked=asked)
    except UpstreamError:
        if copy is None or not _may_be_shown(copy.fetched_at, now):
            raise
        return copy, True
    learner = learners.get(lms_user_id)
    if learner is not None:
        remember_email(learner=learner)
    return learner, False


def _ask_for_enrollments(learner: Learner, now: datetime) -> tuple[Learner, bool]:
    """Read the learner's enrollments; return the learner with their age, and whether it is more than it should be."""
    try:
        can_wait = _may_be_shown(learner.enrollments_fetched_at, now)
        read = read_enrollments(learners=[learner], names_since=now, is_patient=not can_wait).enrollments
    except UpstreamError:
        if not _may_be_shown(learner.enrollments_fetched_at, now):
            raise
        return learner, True
    if learner.lms_user_id not in read:
        # No one links the learner any more: the copy of the link is out of date.
        return learner, True
    return evolve(learner, enrollments_fetched_at=now), False


def _may_be_shown(fetched_at: datetime | None, now: datetime) -> bool:
    """Say whether a copy is better than nothing."""
    return _is_younger(fetched_at, settings.STALE_LIMIT_SECONDS, now)

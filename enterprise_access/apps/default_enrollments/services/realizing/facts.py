"""Reading the facts afresh, before anybody is enrolled."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from attrs import evolve
from django.conf import settings

from enterprise_access.apps.content_metadata.selectors import fetch_content
from enterprise_access.apps.content_metadata.services import refresh_modes_of
from enterprise_access.apps.customers.services import read_enrollments, refresh_customer, refresh_learners
from enterprise_access.apps.default_enrollments.selectors.doubts import list_doubts
from enterprise_access.apps.default_enrollments.selectors.endings import list_modes_of_ended
from enterprise_access.apps.default_enrollments.selectors.facts import Facts
from enterprise_access.apps.default_enrollments.selectors.intended import as_intended
from enterprise_access.apps.default_enrollments.selectors.past import (
    list_intentions,
    list_overrides,
    list_realizations,
    list_realized_elsewhere,
)
from enterprise_access.apps.default_enrollments.services.learners.ending import (
    EndingQuestion,
    ask_why_ended,
    find_questions,
)
from enterprise_access.apps.default_enrollments.services.learners.noticing import notice_changes
from enterprise_access.apps.default_enrollments.services.realizing.override_use import withdraw_overrides
from enterprise_access.lib import clock


def fetch_facts(*, customer_uuid: UUID, lms_user_ids: Collection[int], renew: Callable[[], object] = bool) -> Facts:
    """Ask the upstream services about these learners, keep what they answered, and return it.

    `renew` is called between calls, so that a lease lasts as long as there is progress. Raises UpstreamError when the
    LMS cannot be asked for the customer, links or enrollments: nothing can be decided then. Content, modes and
    revocations that cannot be asked for are unknown, and the decision says so.
    """
    asked_at = clock.now()
    customer = refresh_customer(customer_uuid=customer_uuid)
    learners = refresh_learners(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids)
    read = read_enrollments(
        learners=learners.values(),
        names_since=asked_at,
        # Half the time in which something may be sent; the rest is for what comes between.
        reuse_seconds=settings.ENROLLMENTS_FRESH_SECONDS / 2,
        # What became of a call is told by a read that began after the lease.
        must_read={attempt.lms_user_id for attempt in list_doubts(lms_user_ids)},
    )
    enrollments, read_at = read.enrollments, min(asked_at, read.read_at)
    renew()
    intentions = list_intentions(customer_uuid=customer_uuid)
    contents = fetch_content(
        customer_uuid=customer_uuid,
        content_keys=[intention.content_key for intention in intentions],
        in_background=True,
    )
    modes = refresh_modes_of(contents=contents.values(), renew=renew)
    renew()
    realizations = list_realizations(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids)
    in_scope = frozenset(
        label
        for intention in intentions
        for label in as_intended(intention, contents[intention.content_key_folded], None).labels
    )
    questions: list[EndingQuestion] = find_questions(learners, enrollments, realizations, in_scope=in_scope)
    enterprise_enrollments = ask_why_ended(customer_uuid, learners, questions, renew=renew)
    notice_changes(realizations.values(), enrollments, enterprise_enrollments, now=read_at)
    facts = Facts(
        customer_uuid=customer_uuid,
        is_customer_active=customer.is_active,
        intentions=intentions,
        learners=learners,
        enrollments=enrollments,
        enterprise_enrollments=enterprise_enrollments,
        realizations=realizations,
        contents=contents,
        modes=modes,
        modes_of_ended=list_modes_of_ended(row for rows in enrollments.values() for row in rows),
        overrides=frozenset(),
        realized_elsewhere={},
        read_at=read_at,
        unknown=learners.unknown | enrollments.unknown,
    )
    return with_records(facts, now=clock.now())


def with_records(facts: Facts, *, now: datetime) -> Facts:
    """Return the facts with our own records as they are now: to be called after anything was written of them."""
    customer_uuid, ids = facts.customer_uuid, list(facts.enrollments)
    fresh = evolve(
        facts,
        realizations=list_realizations(customer_uuid=customer_uuid, lms_user_ids=ids),
        realized_elsewhere=list_realized_elsewhere(customer_uuid=customer_uuid, lms_user_ids=ids),
        overrides=list_overrides(customer_uuid=customer_uuid, lms_user_ids=ids, now=now),
    )
    return withdraw_overrides(fresh, now=now) if fresh.overrides else fresh

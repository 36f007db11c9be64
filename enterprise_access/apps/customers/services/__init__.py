"""Writes: the local copies of what the LMS knows, what events tell of them, and who was just seen."""

from enterprise_access.apps.customers.services.changes import apply_enrollment_changes
from enterprise_access.apps.customers.services.counting import LinkedCount, fetch_linked_count
from enterprise_access.apps.customers.services.customer_rows import (
    fetch_customer,
    fetch_customer_by_slug,
    find_customer,
    get_customer_named,
    refresh_customer,
)
from enterprise_access.apps.customers.services.enrollments import forget_enrollments, forget_learner
from enterprise_access.apps.customers.services.enterprise_rows import refresh_enterprise_enrollments, remember_endings
from enterprise_access.apps.customers.services.finding import FoundLearners, find_learners
from enterprise_access.apps.customers.services.links import (
    LinksAskedFor,
    ask_for_links_ahead,
    iterate_linked_learners,
    note_visits,
    read_linked_learners,
    refresh_learners,
    remember_email,
)
from enterprise_access.apps.customers.services.logins import resolve_logins
from enterprise_access.apps.customers.services.neighbours import (
    check_neighbours,
    check_neighbours_again,
    check_neighbours_at_start,
)
from enterprise_access.apps.customers.services.pausing import pause_customer, resume_customer
from enterprise_access.apps.customers.services.platform_reads import (
    READ_JOB,
    ask_for_enrollments,
    read_enrollments,
    read_wanted_enrollments,
    want_enrollments,
)
from enterprise_access.apps.customers.services.portal_links import SeenLink, forget_active_link, note_link
from enterprise_access.apps.customers.services.sightings import QUEUE as SIGHTINGS
from enterprise_access.apps.customers.services.sightings import RESOLVE_LOGINS_JOB, note_sightings, prune_sightings
from enterprise_access.lib.neighbour_checks import NeighbourCheck, last_neighbour_checks
from enterprise_access.upstream.lms.types import LearnerLink as LinkedLearner

__all__ = [
    "READ_JOB",
    "RESOLVE_LOGINS_JOB",
    "SIGHTINGS",
    "FoundLearners",
    "LinkedCount",
    "LinkedLearner",
    "LinksAskedFor",
    "NeighbourCheck",
    "SeenLink",
    "apply_enrollment_changes",
    "ask_for_enrollments",
    "ask_for_links_ahead",
    "check_neighbours",
    "check_neighbours_again",
    "check_neighbours_at_start",
    "fetch_customer",
    "fetch_customer_by_slug",
    "fetch_linked_count",
    "find_customer",
    "find_learners",
    "forget_active_link",
    "forget_enrollments",
    "forget_learner",
    "get_customer_named",
    "iterate_linked_learners",
    "last_neighbour_checks",
    "note_link",
    "note_sightings",
    "note_visits",
    "pause_customer",
    "prune_sightings",
    "read_enrollments",
    "read_linked_learners",
    "read_wanted_enrollments",
    "refresh_customer",
    "refresh_enterprise_enrollments",
    "refresh_learners",
    "remember_email",
    "remember_endings",
    "resolve_logins",
    "resume_customer",
    "want_enrollments",
]

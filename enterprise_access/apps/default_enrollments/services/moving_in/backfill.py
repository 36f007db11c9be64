"""Default enrollments for learners who were there before the intentions, or who never log in."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.customers.services import LinkedLearner, iterate_linked_learners
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.errors import IntentionUnknown
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentRealization, Trigger
from enterprise_access.apps.default_enrollments.selectors.past import list_intentions
from enterprise_access.apps.default_enrollments.services.realizing.facts import fetch_facts
from enterprise_access.apps.default_enrollments.services.realizing.planning import make_plan
from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
from enterprise_access.lib import clock

LEARNERS_AT_ONCE = 100
SECONDS_PER_MINUTE = 60


@frozen(kw_only=True)
class Scope:
    """Whom a backfill is about. Empty `lms_user_ids`: every linked learner whose active customer it is.

    `after`: only learners with a higher LMS user id, to go on where an earlier backfill was stopped.
    """

    customer_uuid: UUID
    lms_user_ids: frozenset[int] = frozenset()
    intention_uuids: frozenset[UUID] = frozenset()
    with_inactive_links: bool = False
    after: int = 0


@frozen(kw_only=True)
class Foretold:
    """What would come of one intention for one learner, and why."""

    lms_user_id: int
    content_key: str
    what: str
    reason: str
    course_run_key: str


def check_scope(scope: Scope) -> None:
    """Raise IntentionUnknown when the scope names what the customer does not intend (any more)."""
    known = {intention.pk for intention in list_intentions(customer_uuid=scope.customer_uuid)}
    if unknown := scope.intention_uuids - known:
        named = ", ".join(sorted(str(uuid) for uuid in unknown))
        raise IntentionUnknown(f"The customer has no such intention: {named}.")


def request_all(
    scope: Scope, *, learners_per_minute: int | None, sleep: Callable[[float], None] = time.sleep
) -> Iterator[tuple[int, int]]:
    """Owe a look to every learner in scope, some at a time; yield how many so far, and the last LMS user id.

    What was yielded is committed: stopping in between loses nothing. Raises UpstreamError when the LMS does not answer.
    """
    done = 0
    for ids in _pieces(scope):
        wanted = request_some(scope, ids)
        done += wanted
        yield done, max(ids)
        if learners_per_minute and wanted:
            sleep(wanted * SECONDS_PER_MINUTE / learners_per_minute)


def request_some(scope: Scope, lms_user_ids: Collection[int]) -> int:
    """Request evaluation of these learners, but for those who have all that the scope names; return how many."""
    wanted = _without_what_is_realized(scope, lms_user_ids)
    if wanted:
        request_realization(
            customer_uuid=scope.customer_uuid, lms_user_ids=wanted, trigger=Trigger.BACKFILL, now=clock.now()
        )
    return len(wanted)


def foretell(scope: Scope) -> Iterator[Foretold]:
    """Say what would happen to every learner in scope, and why. Reads only: no one is enrolled or queued."""
    for ids in _pieces(scope):
        facts = fetch_facts(customer_uuid=scope.customer_uuid, lms_user_ids=ids)
        known = [lms_user_id for lms_user_id in ids if lms_user_id not in facts.unknown]
        plan = make_plan(facts, lms_user_ids=known, doubts=(), now=clock.now())
        foretold = [
            Foretold(
                lms_user_id=item.lms_user_id,
                content_key=item.intention.content_key,
                what="upgrade" if item.is_upgrade else "enroll",
                reason=item.verdict.reason,
                course_run_key=item.course_run_key,
            )
            for item in plan.items
            if not scope.intention_uuids or item.intention.pk in scope.intention_uuids
        ]
        foretold += [
            Foretold(
                lms_user_id=finding.lms_user_id,
                content_key=finding.intention.content_key,
                what="nothing",
                reason=finding.reason,
                course_run_key=finding.course_run_key,
            )
            for finding in plan.findings
            if not scope.intention_uuids or finding.intention.pk in scope.intention_uuids
        ]
        yield from sorted(foretold, key=lambda entry: (entry.lms_user_id, entry.content_key))


def in_words(entry: Foretold) -> str:
    """Return a line for people."""
    run = f" ({entry.course_run_key})" if entry.course_run_key else ""
    return f"learner {entry.lms_user_id}: {entry.content_key}{run}: {entry.what}. {explain(entry.reason).text}"


def _pieces(scope: Scope) -> Iterator[list[int]]:
    piece: list[int] = []
    for lms_user_id in _learners(scope):
        piece.append(lms_user_id)
        if len(piece) == LEARNERS_AT_ONCE:
            yield piece
            piece = []
    if piece:
        yield piece


def _learners(scope: Scope) -> Iterator[int]:
    if scope.lms_user_ids:
        yield from sorted(lms_user_id for lms_user_id in scope.lms_user_ids if lms_user_id > scope.after)
        return
    yield from learners_in_scope(scope, iterate_linked_learners(customer_uuid=scope.customer_uuid))


def learners_in_scope(scope: Scope, learners: Iterable[LinkedLearner]) -> Iterator[int]:
    """Yield those of a customer's linked learners whom a backfill is about."""
    for learner in learners:
        # Enrolling makes this customer the learner's active one: not for whom another one is, unless asked for.
        if learner.lms_user_id > scope.after and (learner.is_active_link or scope.with_inactive_links):
            yield learner.lms_user_id


def _without_what_is_realized(scope: Scope, ids: Collection[int]) -> list[int]:
    """Leave out learners who have all of the intentions that were named; all stay when none was named."""
    if not scope.intention_uuids:
        return list(ids)
    realized = DefaultEnterpriseEnrollmentRealization.objects.filter(
        intention__in=scope.intention_uuids, lms_user_id__in=ids
    ).values_list("lms_user_id", "intention_id")
    have = set(realized)
    return [key for key in ids if any((key, uuid) not in have for uuid in scope.intention_uuids)]

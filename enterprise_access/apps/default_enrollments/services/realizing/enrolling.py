"""The one call that enrolls: what is sent, and what can be known from what comes back."""

from collections.abc import Callable, Collection, Sequence
from enum import StrEnum
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.paying import PaymentOffer
from enterprise_access.apps.default_enrollments.domain.values import Verdict, VerdictKind
from enterprise_access.apps.default_enrollments.selectors.facts import Intention
from enterprise_access.lib.errors import UpstreamError, UpstreamReason, UpstreamRefused
from enterprise_access.lib.keys import fold
from enterprise_access.upstream import lms
from enterprise_access.upstream.lms.types import EnrollAnswer, EnrollFailure, EnrollItem, EnrollSuccess

INTERNAL_SERVER_ERROR = 500

# The LMS understood who asks and what for, and says that this very item is wrong.
_ABOUT_THE_ITEM = frozenset({UpstreamReason.BAD_REQUEST, UpstreamReason.REFUSED_LOCALLY})


@frozen(kw_only=True)
class Item:
    """One learner to enroll in one run for one intention."""

    intention: Intention
    lms_user_id: int
    enterprise_customer_user_id: int
    course_key: str
    course_uuid: UUID | None
    course_run_key: str
    verdict: Verdict
    offer: PaymentOffer
    was_enrolled: bool
    """The learner had an enrollment in the run before, active or not."""
    is_by_override: bool = False
    """It was decided under an override, and must not be sent without."""

    @property
    def mode(self) -> str:
        """The mode that we expect the LMS to choose."""
        return self.verdict.mode or ""

    @property
    def is_upgrade(self) -> bool:
        """Whether the learner has the run already, in a lesser mode."""
        return self.verdict.kind is VerdictKind.UPGRADE


class Sent(StrEnum):
    """What is known of an item after the call."""

    SUCCESS = "success"
    """The LMS says so."""
    FAILURE = "failure"
    """The LMS says no, and never why: what the platform shows now settles it."""
    NOT_SENT = "not_sent"
    """The LMS could not be asked: it certainly did not happen, and nothing is wrong with the item."""
    KEPT_BACK = "kept_back"
    """We did not send it, as it was not allowed any more."""
    UNKNOWN = "unknown"
    """No answer: it may have happened, or may still be happening."""


def enroll(
    *, customer_uuid: UUID, items: Sequence[Item], still_allowed: Callable[[], Collection[int]]
) -> dict[Item, Sent]:
    """Send the items to the LMS and say what is known of each afterwards. Never raises for what the LMS does.

    `still_allowed` is asked straight before every call, and returns the learners who may (still) be enrolled.

    One item that the LMS cannot work on makes it fail the whole call: then each half is sent on its own, until the
    culprit stands alone. That is safe at once, as the LMS has finished with a call that it answers with 500, and takes
    a quick repeat of an item for the same one.
    """
    allowed = still_allowed()
    kept_back = [item for item in items if item.lms_user_id not in allowed]
    sending = [item for item in items if item.lms_user_id in allowed]
    return dict.fromkeys(kept_back, Sent.KEPT_BACK) | _send(customer_uuid, sending, still_allowed)


def _send(customer_uuid: UUID, items: Sequence[Item], still_allowed: Callable[[], Collection[int]]) -> dict[Item, Sent]:
    if not items:
        return {}
    try:
        answer = lms.from_settings().enroll(customer_uuid=customer_uuid, items=[_as_sent(item) for item in items])
    except UpstreamError as error:
        if not _is_poisoned(error):
            return dict.fromkeys(items, _state_after(error))
        if len(items) == 1:
            return {items[0]: Sent.FAILURE}
        middle = len(items) // 2
        halves = [
            enroll(customer_uuid=customer_uuid, items=half, still_allowed=still_allowed)
            for half in (items[:middle], items[middle:])
        ]
        return _after_crash(error, halves[0] | halves[1])
    return {item: _state_in(answer, item) for item in items}


def _after_crash(error: UpstreamError, sent: dict[Item, Sent]) -> dict[Item, Sent]:
    """Return what is known of the items of a call that crashed, given what came of sending its halves.

    The LMS may keep what it did before the crash: an item that was not sent again may have happened all the same.
    """
    if not error.may_have_happened:
        return sent
    return {item: Sent.UNKNOWN if what in (Sent.NOT_SENT, Sent.KEPT_BACK) else what for item, what in sent.items()}


def _as_sent(item: Item) -> EnrollItem:
    return EnrollItem(lms_user_id=item.lms_user_id, course_run_key=item.course_run_key, license_uuid=item.offer.uuid)


def _is_poisoned(error: UpstreamError) -> bool:
    """Say whether one of several items may be what the LMS failed on."""
    if isinstance(error, UpstreamRefused):
        return error.reason in _ABOUT_THE_ITEM
    return error.status == INTERNAL_SERVER_ERROR


def _state_after(error: UpstreamError) -> Sent:
    return Sent.UNKNOWN if error.may_have_happened else Sent.NOT_SENT


def _state_in(answer: EnrollAnswer, item: Item) -> Sent:
    """Find the item in the answer. One that the answer does not mention is unknown, not failed."""
    if _is_among(answer.successes, item):
        return Sent.SUCCESS
    if item.lms_user_id in answer.invalid_user_ids or _is_among(answer.failures, item):
        return Sent.FAILURE
    return Sent.UNKNOWN


def _is_among(rows: Sequence[EnrollSuccess | EnrollFailure], item: Item) -> bool:
    return any(
        row.lms_user_id == item.lms_user_id and fold(row.course_run_key) == fold(item.course_run_key) for row in rows
    )

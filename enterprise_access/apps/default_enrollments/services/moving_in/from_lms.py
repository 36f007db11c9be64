"""Moving in: taking over what an LMS has intended itself so far."""

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.course_types.domain.modes import is_paid
from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.domain import values
from enterprise_access.apps.default_enrollments.errors import IntentionDeleted, IntentionExists
from enterprise_access.apps.default_enrollments.services.intentions.describing import Preview, preview_keys
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import add_intention
from enterprise_access.lib.errors import ServiceError, UpstreamReason, UpstreamUnavailable
from enterprise_access.lib.keys import fold
from enterprise_access.upstream import lms
from enterprise_access.upstream.lms.types import DefaultIntention

# How often a list is read that does not come whole: it has no order, and may shift between two pages.
READINGS = 3


class ArrivalFate(StrEnum):
    """What is done with an intention of the LMS."""

    ADD = "add"
    EXISTS = "exists"
    DELETED_HERE = "deleted_here"
    REFUSED = "refused"


@frozen(kw_only=True)
class Arrival:
    """An intention of the LMS, and what is done with it here.

    `problem` says why it is refused. `risks_leavers`: the run has no paid mode, so an enrollment that somebody has left
    looks like one that was never wanted, and who left would be enrolled again (docs/how-to/switch-over.rst).
    """

    content_key: str
    fate: ArrivalFate
    problem: str = ""
    warnings: tuple[values.Reason, ...] = ()
    course_run_key: str = ""
    risks_leavers: bool = False


def list_arrivals(*, customer_uuid: UUID) -> list[Arrival]:
    """Say what is done with every intention that the LMS has for a customer. Saves nothing but the customer's copy.

    Raises CustomerUnknown, and UpstreamError when the LMS or its list cannot be had whole.
    """
    fetch_customer(customer_uuid=customer_uuid)
    theirs = _read_all(customer_uuid)
    previews = preview_keys(customer_uuid=customer_uuid, content_keys=[row.content_key for row in theirs])
    return [_arrival(row, previews[fold(row.content_key)]) for row in theirs]


def _read_all(customer_uuid: UUID) -> tuple[DefaultIntention, ...]:
    """Read the LMS's list until it comes whole."""
    for _ in range(READINGS):
        answer = lms.from_settings().list_default_intentions(customer_uuid=customer_uuid)
        if answer.is_whole:
            return answer.intentions
    raise UpstreamUnavailable(
        "The LMS's list of default enrollments changed while it was read. Try again.",
        service="lms",
        reason=UpstreamReason.UNKNOWN_SHAPE,
    )


def _arrival(theirs: DefaultIntention, preview: Preview | ServiceError) -> Arrival:
    if isinstance(preview, ServiceError):
        return Arrival(content_key=theirs.content_key, fate=ArrivalFate.REFUSED, problem=preview.detail)
    run = preview.description.content.run
    return Arrival(
        content_key=theirs.content_key,
        fate=_fate(preview),
        warnings=preview.description.warnings,
        course_run_key=run.key if run else theirs.course_run_key or "",
        risks_leavers=_risks_leavers(theirs, preview),
    )


def _fate(preview: Preview) -> ArrivalFate:
    if preview.twin is None:
        return ArrivalFate.ADD
    return ArrivalFate.DELETED_HERE if preview.twin.is_deleted else ArrivalFate.EXISTS


def _risks_leavers(theirs: DefaultIntention, preview: Preview) -> bool:
    """Say whether the LMS enrolls in it without a paid mode. The LMS's own word counts; unknown is a risk."""
    modes = preview.description.modes
    mode = theirs.mode or (modes.chosen if modes else None)
    return not mode or not is_paid(mode)


def move_in(*, customer_uuid: UUID, arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Add what there is to add; return what could not be added after all. Doing it twice is doing it once."""
    failed = []
    for arrival in arrivals:
        if arrival.fate is not ArrivalFate.ADD:
            continue
        try:
            add_intention(customer_uuid=customer_uuid, content_key=arrival.content_key)
        except (IntentionExists, IntentionDeleted):
            continue  # Somebody was quicker.
        except ServiceError as error:
            failed.append(Arrival(content_key=arrival.content_key, fate=ArrivalFate.REFUSED, problem=error.detail))
    return failed

"""What is to be done for a request, and how to go on after license-manager refused a batch."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from attrs import field, frozen

T = TypeVar("T")

_LICENSE, _COUPON = "license ", "coupon "


class GrantProblem(StrEnum):
    """Why a subsidy is not granted. Stable codes: shown with the request."""

    NO_LICENSE_LEFT = "no_license_left"
    REFUSED = "license_manager_refused"
    NOT_FOUND = "license_not_found"
    UNAVAILABLE = "license_manager_unavailable"
    CODE_NOT_ASSIGNED = "coupon_code_not_assigned"
    ASSIGNMENT_FAILED = "assignment_failed"
    UNEXPECTED = "unexpected_error"


def license_group(plan_uuid: UUID) -> str:
    """Return the group of requests that get licenses of one plan, together in one call."""
    return f"{_LICENSE}{plan_uuid}"


def coupon_group(coupon_id: int) -> str:
    """Return the group of requests that wait for codes of one coupon."""
    return f"{_COUPON}{coupon_id}"


def is_license_group(group: str) -> bool:
    """Say whether the requests of a group get licenses."""
    return group.startswith(_LICENSE)


@frozen(kw_only=True)
class Split(Generic[T]):
    """Which smaller batches to try, and which requests get nothing."""

    batches: Sequence[Sequence[T]] = field(factory=tuple)
    left_out: Sequence[T] = field(factory=tuple)


def after_refusal(batch: Sequence[T], *, unassigned: int | None) -> Split[T]:
    """Say how to go on after license-manager refused to assign licenses to all of a batch, and assigned none.

    Where the plan has too few licenses, the first ones get what there is. Where there are enough, or the number is not
    known, one request is the cause: it is found by halving.
    """
    if unassigned is not None and unassigned < len(batch):
        first = batch[:unassigned]
        return Split(batches=[first] if first else [], left_out=batch[unassigned:])
    if len(batch) == 1:
        return Split(left_out=batch)
    middle = len(batch) // 2
    return Split(batches=[batch[:middle], batch[middle:]])

"""What edx-enterprise adds to learners' enrollments, for one customer: when they ended, and if a license was revoked.

Two lists of the LMS together: one shows every row in every configuration, but may lag and says nothing of licenses; the
other one says that, but leaves audit rows out, and is empty without data sharing consent.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import evolve, frozen
from django.conf import settings

from enterprise_access.apps.customers.domain import Learner
from enterprise_access.apps.customers.models import EnterpriseEnrollment
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.keys import fold
from enterprise_access.lib.parallel import run_parallel
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.upstream import lms
from enterprise_access.upstream.lms.client import LmsClient

log = logging.getLogger(__name__)

CALLS_AT_ONCE: Final = 8


@frozen
class _Row:
    course_run_key: str
    unenrolled_at: datetime | None = None
    is_revoked: bool | None = None


_Answer = Sequence[_Row] | UpstreamError


def refresh_enterprise_enrollments(
    *,
    customer_uuid: UUID,
    learners: Iterable[Learner],
    runs: Mapping[int, Collection[str]],
    renew: Callable[[], object] = bool,
) -> None:
    """Ask edx-enterprise what it knows of these learners' enrollments for one customer, several at a time; keep copies.

    `runs`: what is asked about, by learner; that there is no row of one is kept, too. `renew` is called after
    every few answers. Who cannot be asked about is left as they were, and logged. Nothing that is known is forgotten.
    """
    asked = list(learners)
    for start in range(0, len(asked), CALLS_AT_ONCE):
        piece, started_at = asked[start : start + CALLS_AT_ONCE], clock.now()
        for learner, answer in zip(piece, _read_all(customer_uuid, piece), strict=True):
            if isinstance(answer, UpstreamError):
                log.warning("Revocations could not be read. reason=%s", answer.reason)
                continue
            known = {fold(row.course_run_key) for row in answer}
            missing = [_Row(key) for key in runs.get(learner.lms_user_id, ()) if fold(key) not in known]
            _store(customer_uuid, learner.lms_user_id, [*answer, *missing], started_at)
        renew()


def _read_all(customer_uuid: UUID, learners: Sequence[Learner]) -> list[_Answer]:
    client = lms.from_settings()

    def asking(learner: Learner) -> Callable[[], _Answer]:
        def ask() -> _Answer:
            try:
                return _read(client, customer_uuid, learner)
            except UpstreamError as error:
                return error

        return ask

    # Each call has its own time limit; this one only has to be later than all of them.
    ends_at = time.monotonic() + len(learners) * settings.REQUEST_BUDGET_SECONDS * 10
    return run_parallel([asking(learner) for learner in learners], limit=CALLS_AT_ONCE, ends_at=ends_at)


def _read(client: LmsClient, customer_uuid: UUID, learner: Learner) -> Sequence[_Row]:
    everything = client.list_enterprise_enrollments(enterprise_customer_user_id=learner.enterprise_customer_user_id)
    details = client.list_enterprise_enrollments_admin(customer_uuid=customer_uuid, lms_user_id=learner.lms_user_id)
    rows = {fold(row.course_run_key): _Row(row.course_run_key, row.unenrolled_at) for row in everything}
    for detail in details:
        row = rows.get(fold(detail.course_run_key)) or _Row(detail.course_run_key)
        # (The second list does not lag.)
        rows[fold(detail.course_run_key)] = evolve(
            row, unenrolled_at=detail.unenrolled_at, is_revoked=detail.is_revoked
        )
    return list(rows.values())


@retry_deadlocks
def _store(customer_uuid: UUID, lms_user_id: int, rows: Collection[_Row], started_at: datetime) -> None:
    """Keep what was read, except where another read that started later was quicker."""
    mine = EnterpriseEnrollment.objects.filter(customer_id=customer_uuid, lms_user_id=lms_user_id)
    stored = {fold(row.course_run_key): row for row in mine.order_by("pk").select_for_update()}
    new, changed = [], []
    for row in rows:
        copy = stored.get(fold(row.course_run_key))
        if copy is None:
            copy = EnterpriseEnrollment(
                customer_id=customer_uuid, lms_user_id=lms_user_id, course_run_key=row.course_run_key
            )
            new.append(copy)
        elif copy.fetched_at > started_at:
            continue
        else:
            changed.append(copy)
        _take_over(copy, row, started_at)
    EnterpriseEnrollment.objects.bulk_create(new, ignore_conflicts=True)
    EnterpriseEnrollment.objects.bulk_update(
        changed, ["unenrolled_at", "is_revoked", "ended_because", "fetched_at"], batch_size=50
    )


def _take_over(copy: EnterpriseEnrollment, row: _Row, started_at: datetime) -> None:
    if copy.unenrolled_at != row.unenrolled_at:
        # It has ended another time since, or is open again.
        copy.ended_because = ""
    copy.unenrolled_at, copy.fetched_at = row.unenrolled_at, started_at
    if row.is_revoked is not None:
        copy.is_revoked = row.is_revoked


@retry_deadlocks
def remember_endings(*, customer_uuid: UUID, reasons: Mapping[tuple[int, str], str]) -> None:
    """Keep why enrollments ended, by learner and folded run key, where edx-enterprise has a row."""
    rows = EnterpriseEnrollment.objects.filter(
        customer_id=customer_uuid, lms_user_id__in={lms_user_id for lms_user_id, _ in reasons}, ended_because=""
    )
    found = [row for row in rows if (row.lms_user_id, fold(row.course_run_key)) in reasons]
    for row in found:
        row.ended_because = reasons[row.lms_user_id, fold(row.course_run_key)]
    EnterpriseEnrollment.objects.bulk_update(found, ["ended_because"], batch_size=50)

"""Activating what waits for the learner, and applying a license where the customer wants that: once, and believed only
when license-manager shows it.

Everything is asked and done with the learner's own token. Nothing that license-manager says of a license it has just
activated or applied is believed: it may tell two learners the same one, or activate another one than it was asked for.
What it shows the learner afterwards counts.
"""

import logging
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from attrs import field, frozen

from enterprise_access.apps.licenses.domain import (
    Activate,
    AutoApply,
    LicenseProblem,
    OwnLicense,
    OwnLicenses,
    ProblemCode,
    next_step,
)
from enterprise_access.apps.licenses.selectors import fetch_own_licenses, forget_own_licenses, read_own_licenses_again
from enterprise_access.apps.licenses.services.claims import Claim, end_claim, take_claim, wait_until_done
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.http import deadline
from enterprise_access.upstream import license_manager

log = logging.getLogger(__name__)

# A license is applied, was given to somebody else too, is applied again, and is activated: more is never needed.
MOST_STEPS: Final = 3
# What is kept of the budget for reading what was done, by this page load or by another.
KEPT_FOR_READING_SECONDS: Final = 0.3

Step = Activate | AutoApply


@frozen(kw_only=True)
class Ensured:
    """The learner's licenses as license-manager shows them now, and what was done about them.

    `licenses` None: they could not be asked for, which is never "none". `activated` are those that are activated since
    this call. `may_have_changed`: something was sent whose outcome could not be seen.
    """

    licenses: OwnLicenses | None
    activated: tuple[OwnLicense, ...] = ()
    may_have_changed: bool = False
    problems: tuple[LicenseProblem, ...] = ()

    @property
    def has_changed(self) -> bool:
        """Whether the learner may have a license to use now that was not there before this call."""
        return bool(self.activated) or self.may_have_changed


@frozen(kw_only=True)
class _Visit:
    """A learner who is here."""

    learner_token: str = field(repr=False)
    customer_uuid: UUID
    lms_user_id: int
    is_linked: bool
    has_identity_provider: bool
    ends_at: float

    def next_step(self, own: OwnLicenses) -> Step | None:
        return next_step(own, is_linked=self.is_linked, has_identity_provider=self.has_identity_provider)

    @property
    def asks_until(self) -> float:
        """When calls and waiting end, so that there is time to read what they came to."""
        return self.ends_at - KEPT_FOR_READING_SECONDS

    def wait_for_others(self) -> bool:
        return wait_until_done(customer_uuid=self.customer_uuid, lms_user_id=self.lms_user_id, ends_at=self.asks_until)

    def forget(self) -> None:
        forget_own_licenses(customer_uuid=self.customer_uuid, lms_user_id=self.lms_user_id)

    def read(self) -> OwnLicenses:
        return fetch_own_licenses(
            learner_token=self.learner_token,
            customer_uuid=self.customer_uuid,
            lms_user_id=self.lms_user_id,
            budget_seconds=self.ends_at - time.monotonic(),
        )

    def read_again(self) -> OwnLicenses:
        return read_own_licenses_again(
            learner_token=self.learner_token,
            customer_uuid=self.customer_uuid,
            lms_user_id=self.lms_user_id,
            ends_at=self.ends_at,
        )


def ensure_license(
    *,
    learner_token: str,
    customer_uuid: UUID,
    lms_user_id: int,
    is_linked: bool,
    has_identity_provider: bool,
    budget_seconds: float,
    seen: OwnLicenses | None = None,
) -> Ensured:
    """Read the learner's licenses, and activate or apply one where there is none to use. Never raises UpstreamError.

    `lms_user_id` is whom the token belongs to. `seen` is what the caller has read just now. Of many calls for a learner
    at once, one does what is to be done; the others wait for it within their budget. To be called without a transaction
    open, and not from a thread: it writes to the database.
    """
    visit = _Visit(
        learner_token=learner_token,
        customer_uuid=customer_uuid,
        lms_user_id=lms_user_id,
        is_linked=is_linked,
        has_identity_provider=has_identity_provider,
        ends_at=time.monotonic() + budget_seconds,
    )
    with deadline(visit.ends_at):
        try:
            own = seen or visit.read()
        except UpstreamError as error:
            return Ensured(licenses=None, problems=(_problem(ProblemCode.LICENSES_UNAVAILABLE, error),))
        return _ensure(visit, own)


def _ensure(visit: _Visit, own: OwnLicenses) -> Ensured:
    """Do what is to be done, or wait for whoever is doing it; as long as there is something."""
    while visit.next_step(own) is not None:
        if time.monotonic() >= visit.asks_until:
            return Ensured(licenses=own, problems=(LicenseProblem(code=ProblemCode.NO_TIME),))
        claim = take_claim(customer_uuid=visit.customer_uuid, lms_user_id=visit.lms_user_id, now=clock.now())
        if isinstance(claim, Claim):
            return _carry_out(visit, claim, own)
        if claim.problem:
            return Ensured(licenses=own, problems=(LicenseProblem(code=ProblemCode(claim.problem)),))
        if not visit.wait_for_others():
            return Ensured(licenses=own, problems=(LicenseProblem(code=ProblemCode.IN_PROGRESS),))
        try:
            own = visit.read()
        except UpstreamError as error:
            return Ensured(licenses=own, problems=(_problem(ProblemCode.LICENSES_UNAVAILABLE, error),))
    return Ensured(licenses=own)


def _carry_out(visit: _Visit, claim: Claim, own: OwnLicenses) -> Ensured:
    """Work while the claim is ours, and write down how it ended."""
    ended_with: str = ProblemCode.NOT_CONFIRMED
    try:
        ensured = _read_and_work(visit, claim, own)
        ended_with = _to_keep(visit, ensured)
    finally:
        end_claim(claim, problem=ended_with)
    return ensured


def _to_keep(visit: _Visit, ensured: Ensured) -> str:
    """Return the problem for which nobody is to try again for a while; none where nothing was sent, or all is done."""
    if ensured.licenses is None or visit.next_step(ensured.licenses) is None:
        return ""
    code = ensured.problems[0].code
    return "" if code is ProblemCode.LICENSES_UNAVAILABLE else code


def _read_and_work(visit: _Visit, claim: Claim, own: OwnLicenses) -> Ensured:
    """Work on what is true now: what was read before the claim may have been changed by whoever had it before."""
    if not claim.still_holds(own.fetched_at):
        try:
            own = visit.read_again()
        except UpstreamError as error:
            return Ensured(licenses=own, problems=(_problem(ProblemCode.LICENSES_UNAVAILABLE, error),))
    return _work(visit, own, is_taken_over=claim.is_taken_over)


def _work(visit: _Visit, own: OwnLicenses, *, is_taken_over: bool) -> Ensured:
    """Take one step after another, and look after each of them what there is."""
    before = own
    failures: tuple[_Failure, ...] = ()
    for _ in range(MOST_STEPS):
        step = visit.next_step(own)
        if step is None or failures:
            break
        with deadline(visit.asks_until):
            failures = _take(visit, step)
        # Whoever reads meanwhile, and we ourselves if that fails, must not be told what was true before.
        visit.forget()
        try:
            own = visit.read_again()
        except UpstreamError as error:
            return _unseen(own, failures, error)
    return _seen(visit, before, own, failures, is_taken_over=is_taken_over)


@frozen
class _Failure:
    """What license-manager answered instead of activating (or applying: None) a license."""

    license_uuid: UUID | None
    problem: LicenseProblem
    may_have_happened: bool

    def is_mended(self, own: OwnLicenses) -> bool:
        """Say whether it came about all the same, or does not matter any more."""
        if self.license_uuid is None:
            return bool(own.licenses)
        return not any(row.uuid == self.license_uuid and row.is_assigned for row in own.licenses)


def _take(visit: _Visit, step: Step) -> tuple[_Failure, ...]:
    """Send what the step asks for, once; return what failed."""
    client = license_manager.from_settings(optional="own licenses")
    if isinstance(step, AutoApply):
        try:
            client.auto_apply(learner_token=visit.learner_token, agreement_uuid=step.agreement_uuid)
        except UpstreamError as error:
            return (_failure(None, ProblemCode.AUTO_APPLY_FAILED, error),)
        return ()
    failures = []
    for row in step.licenses:
        if row.activation_key is None:
            continue
        try:
            client.activate(learner_token=visit.learner_token, activation_key=row.activation_key)
        except UpstreamError as error:
            failures.append(_failure(row.uuid, ProblemCode.ACTIVATION_FAILED, error))
    return tuple(failures)


def _failure(license_uuid: UUID | None, code: ProblemCode, error: UpstreamError) -> _Failure:
    return _Failure(license_uuid, _problem(code, error), error.may_have_happened)


def _unseen(last_seen: OwnLicenses, failures: Sequence[_Failure], error: UpstreamError) -> Ensured:
    """Something was sent, and what it came to cannot be seen."""
    problems = tuple(failure.problem for failure in failures)
    is_refused = bool(failures) and not any(failure.may_have_happened for failure in failures)
    return Ensured(
        licenses=last_seen,
        may_have_changed=not is_refused,
        problems=problems or (_problem(ProblemCode.NOT_CONFIRMED, error),),
    )


def _seen(
    visit: _Visit,
    before: OwnLicenses,
    own: OwnLicenses,
    failures: Sequence[_Failure],
    *,
    is_taken_over: bool,
) -> Ensured:
    """Compare what license-manager shows now with what it showed before."""
    were_activated = {row.uuid for row in before.licenses if row.is_activated}
    left = [failure for failure in failures if not failure.is_mended(own)]
    problems = tuple(failure.problem for failure in left)
    if visit.next_step(own) is not None and not problems:
        problems = (LicenseProblem(code=ProblemCode.NOT_CONFIRMED),)
        log.warning("License-manager does not show what it said that it did. customer=%s", visit.customer_uuid)
    return Ensured(
        licenses=own,
        activated=tuple(row for row in own.licenses if row.is_activated and row.uuid not in were_activated),
        may_have_changed=is_taken_over or any(failure.may_have_happened for failure in left),
        problems=problems,
    )


def _problem(code: ProblemCode, error: UpstreamError) -> LicenseProblem:
    log.warning("A learner's own licenses: %s. reason=%s", code, error.reason)
    return LicenseProblem(code=code, because=error.reason)

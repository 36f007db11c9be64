"""Loading a page: independent calls side by side, within one budget, and each part failing by itself.

What a page has to ask of each customer depends on which customer is shown, and that the LMS tells. Asking in this order
would make every page two round trips slower than it has to be, so the customer is guessed (from what is remembered, or
from the caller's token) and asked about at once; a wrong guess costs calls that nobody looks at, never a wrong page.

Threads talk HTTP only. Every table is read and written here, in the main thread.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar
from uuid import UUID

from attrs import define, field, frozen
from django.conf import settings
from django.utils import timezone

from enterprise_access.apps.bff.domain.choosing import Choice, Wanted, choose
from enterprise_access.apps.bff.domain.enrollments import ShownEnrollment
from enterprise_access.apps.bff.domain.problems import (
    CUSTOMERS,
    ENROLLMENTS,
    LICENSES,
    NO_CUSTOMER,
    REALIZATION,
    SEARCH_KEY,
    STATUS,
    Part,
    Problem,
    portal_is_off,
)
from enterprise_access.apps.bff.errors import MayNotSeePage
from enterprise_access.apps.bff.selectors.portal import (
    fetch_customer,
    fetch_enrollments,
    fetch_links,
    fetch_search_key,
)
from enterprise_access.apps.bff.selectors.remembered import (
    RememberedLinks,
    note_in_vain,
    note_switch,
    remember_links,
    remember_search_key,
    remembered_links,
    remembered_search_key,
    was_in_vain,
)
from enterprise_access.apps.bff.selectors.stored import stored_links
from enterprise_access.apps.bff.services.meanwhile import Meanwhile, Pending, done
from enterprise_access.apps.bff.services.page import LinkedCustomer, Outcome, Page, ShownCustomer
from enterprise_access.apps.content_metadata.selectors import fetch_content
from enterprise_access.apps.core.domain import Caller, Role
from enterprise_access.apps.customers.services import SeenLink, forget_active_link, note_link
from enterprise_access.apps.default_enrollments.domain.looking_again import Event, is_woken_by
from enterprise_access.apps.default_enrollments.domain.shown import OwnEnrollment
from enterprise_access.apps.default_enrollments.domain.values import Bucket, Reason
from enterprise_access.apps.default_enrollments.selectors.facts import list_intentions
from enterprise_access.apps.default_enrollments.services.asking import (
    AskedResult,
    EnrollmentStatus,
    ask_for_realization,
)
from enterprise_access.apps.default_enrollments.services.asking import Outcome as AttemptOutcome
from enterprise_access.apps.default_enrollments.services.license_changes import licenses_changed
from enterprise_access.apps.default_enrollments.services.status import LearnerStatus, get_page_status
from enterprise_access.apps.licenses.domain import OwnLicenses
from enterprise_access.apps.licenses.selectors import fetch_own_licenses
from enterprise_access.apps.licenses.services import Ensured, ensure_license
from enterprise_access.lib.errors import Reason as Cause
from enterprise_access.lib.errors import ServiceError, UpstreamChanged, UpstreamError
from enterprise_access.lib.http.deadline import deadline
from enterprise_access.lib.structure import Rows
from enterprise_access.upstream.catalog.types import SearchKey
from enterprise_access.upstream.lms.portal_types import PortalCustomer, PortalLinks

log = logging.getLogger(__name__)

T = TypeVar("T")

# Which share of the budget may be over when these end: what the learner's own courses tell of the enrollments, the
# learner's customers, what default enrollments are decided from, all that is asked at the start, taking a license,
# waiting for enrollments, and reading once more what they changed. The rest is for writing the answer. A service that
# keeps the facts back leaves time to take a license.
OWN: Final = 0.4
LINKS: Final = 0.45
FACTS: Final = 0.55
CALLS: Final = 0.65
LICENSE: Final = 0.8
WAIT: Final = 0.88
AGAIN: Final = 0.95


@frozen(kw_only=True)
class Visitor:
    """Who loads the page. `token` is their own, and goes to the neighbours that answer its owner alone."""

    caller: Caller
    lms_user_id: int
    username: str = field(repr=False)
    token: str = field(repr=False)


def load_page(*, visitor: Visitor, wanted: Wanted, with_enrollments: bool) -> Page:
    """Return the page of the customer that is wanted, or of another one of the learner's if that is not theirs.

    Raises MayNotSeePage. Whatever a neighbour does, there is a page in time: what it lacks is named in it.
    """
    if wanted.uuid is not None and not visitor.caller.may_read(wanted.uuid):
        raise MayNotSeePage("You have no role for this customer.")
    started_at = time.monotonic()
    with Meanwhile() as meanwhile:
        return _Loading(visitor, wanted, with_enrollments, meanwhile, started_at).page()


@frozen(kw_only=True)
class _Calls:
    """What is under way for one customer. `new_key` None: there is a remembered one. `enrollments` None: not shown."""

    customer_uuid: UUID
    licenses: Pending[OwnLicenses]
    remembered_key: SearchKey | None
    new_key: Pending[SearchKey] | None
    enrollments: Pending[tuple[ShownEnrollment, ...]] | None


@define
class _Loading:
    """One page while it is being loaded."""

    _visitor: Visitor
    _wanted: Wanted
    _with_enrollments: bool
    _meanwhile: Meanwhile
    _started_at: float
    _errors: list[Problem] = field(factory=list)
    _warnings: list[Problem] = field(factory=list)

    def page(self) -> Page:
        with deadline(self._at(CALLS)):
            remembered = remembered_links(lms_user_id=self._visitor.lms_user_id)
            asked = None if self._will_do(remembered) else self._start_links()
            staff = None if asked is None else self._start_staff()
            guess = self._guess(remembered)
            calls = None if guess is None else self._start(guess)
            if guess is not None and asked is not None:
                self._warm_up(guess)
            links = self._links(remembered, asked, staff)
            if links is None:
                return self._page(Outcome.UNAVAILABLE)
            choice = self._choose(links, staff)
            if choice.should_switch and choice.shown is not None:
                self._forget_selected(choice.shown.uuid)
            frame = self._frame(links, choice)
            if choice.shown is None or not choice.shown.enable_learner_portal:
                return self._empty_page(frame)
            if calls is None or calls.customer_uuid != choice.shown.uuid:
                calls = self._start(choice.shown.uuid)
            with deadline(self._at(FACTS)):
                own = self._own_enrollments(calls) if choice.is_linked else None
                status = done(lambda: self._get_status(calls.customer_uuid, own)) if choice.is_linked else None
        return self._page(Outcome.SHOWN, {**frame, **self._parts(choice, choice.shown, calls, status)})

    def _empty_page(self, frame: Mapping[str, Any]) -> Page:
        if self._errors:
            return self._page(Outcome.UNAVAILABLE, frame)
        self._errors.append(NO_CUSTOMER)
        return self._page(Outcome.NOTHING_TO_SHOW, frame)

    def _page(self, outcome: Outcome, parts: Mapping[str, Any] = MappingProxyType({})) -> Page:
        about = {"errors": tuple(self._errors), "warnings": tuple(self._warnings), **parts}
        return Page(outcome=outcome, user_email=self._visitor.caller.email, **about)

    def _at(self, share: float) -> float:
        """Return the moment, as time.monotonic() has it, when this share of the budget is over."""
        return self._started_at + share * settings.PORTAL_BUDGET_SECONDS

    def _part(self, part: Part, load: Callable[[], T], otherwise: T) -> T:
        """Load a part of the page. If that fails the page says so, and goes on with something harmless."""
        try:
            return load()
        except ServiceError as error:
            why = f"{error.service} {error.reason.value}" if isinstance(error, UpstreamError) else error.code
            log.warning("A part of a portal page is missing. part=%s why=%s", part.name, why)
        except Exception:
            why = "unexpected error"
            log.exception("A part of a portal page failed. part=%s", part.name)
        problem = part.failed(why)
        if problem not in self._errors:
            self._errors.append(problem)
        return otherwise

    # --- the learner's customers ----------------------------------------------------------------------------------

    def _will_do(self, remembered: RememberedLinks | None) -> bool:
        """Say whether what is remembered answers the question: a customer that is not in it may have come since."""
        return remembered is not None and remembered.is_fresh and self._is_linked_in(remembered.links)

    def _is_linked_in(self, links: PortalLinks) -> bool:
        return any(self._wanted.is_met_by(link.customer) for link in links.links)

    def _start_links(self) -> Pending[RememberedLinks]:
        lms_user_id = self._visitor.lms_user_id
        return self._meanwhile.start(lambda: fetch_links(lms_user_id=lms_user_id))

    def _start_staff(self) -> Pending[PortalCustomer | None] | None:
        """Ask for the customer itself, for callers who may look at customers that they are not linked to."""
        wanted, customers = self._wanted, self._visitor.caller.administered_customers()
        if customers is not None and (not customers or (wanted.uuid is not None and wanted.uuid not in customers)):
            return None
        return self._meanwhile.start(lambda: fetch_customer(uuid=wanted.uuid, slug=wanted.slug))

    def _guess(self, remembered: RememberedLinks | None) -> UUID | None:
        """Return the customer that will most likely be shown; None when there is no telling."""
        if remembered is not None and self._is_linked_in(remembered.links):
            links = remembered.links.links
            return next(link.customer.uuid for link in links if self._wanted.is_met_by(link.customer))
        caller = self._visitor.caller
        if self._wanted.uuid is not None:
            return self._wanted.uuid if caller.has(Role.LEARNER, customer_uuid=self._wanted.uuid) else None
        own = caller.readable_customers()
        return next(iter(own)) if own is not None and len(own) == 1 else None

    def _links(
        self,
        remembered: RememberedLinks | None,
        asked: Pending[RememberedLinks] | None,
        staff: Pending[PortalCustomer | None] | None,
    ) -> PortalLinks | None:
        """Return the learner's customers, remembered ones if the LMS does not answer; None: nobody knows.

        Remembered ones that lack the wanted customer prove nothing: the learner may have been linked since.
        """
        if asked is None:
            return None if remembered is None else remembered.links
        fresh = self._part(CUSTOMERS, lambda: self._readable(asked.result(ends_at=self._at(LINKS))), None)
        if fresh is not None:
            self._keep(fresh)
            return fresh.links
        old = remembered or stored_links(lms_user_id=self._visitor.lms_user_id)
        if old is not None and self._is_linked_in(old.links):
            return old.links
        return None if staff is None else PortalLinks(links=Rows(), features={})

    def _readable(self, fresh: RememberedLinks) -> RememberedLinks:
        """Return the links, unless the wanted customer may be in a row that cannot be read: that is never "no"."""
        if fresh.links.unreadable and not self._is_linked_in(fresh.links):
            raise UpstreamChanged("a link of the learner cannot be read", service="lms", reason=Cause.UNKNOWN_SHAPE)
        return fresh

    def _keep(self, fresh: RememberedLinks) -> None:
        """Remember what the LMS told; of the wanted customer also where default enrollments look for it."""
        visitor = self._visitor
        remember_links(fresh, lms_user_id=visitor.lms_user_id)
        for link in fresh.links.links:
            if self._wanted.is_met_by(link.customer) or link.is_active_link:
                note_link(
                    SeenLink(
                        customer_uuid=link.customer.uuid,
                        slug=link.customer.slug,
                        name=link.customer.name,
                        is_customer_active=link.customer.active,
                        lms_user_id=visitor.lms_user_id,
                        username=visitor.username,
                        enterprise_customer_user_id=link.enterprise_customer_user_id,
                        is_active_link=link.is_active_link,
                        fetched_at=fresh.fetched_at,
                    )
                )

    def _forget_selected(self, customer_uuid: UUID) -> None:
        """Believe no copy of which customer is the selected one: the portal is told to change that now."""
        lms_user_id = self._visitor.lms_user_id
        note_switch(lms_user_id=lms_user_id, customer_uuid=customer_uuid)
        forget_active_link(lms_user_id=lms_user_id)

    def _choose(self, links: PortalLinks, staff: Pending[PortalCustomer | None] | None) -> Choice[PortalCustomer]:
        """Choose the customer to show. Raises MayNotSeePage where a slug means no customer of the caller's."""
        seen: PortalCustomer | None = None
        if staff is not None and not self._is_linked_in(links):
            seen = self._part(CUSTOMERS, lambda: staff.result(ends_at=self._at(LINKS)), None)
        customers = [link.customer for link in links.links]
        choice = choose(
            wanted=self._wanted,
            linked=[customer for customer in customers if customer.enable_learner_portal],
            off=[customer for customer in customers if not customer.enable_learner_portal],
            active=next((link.customer for link in links.links if link.is_active_link), None),
            staff=seen,
        )
        if self._wanted.uuid is None and not self._may_see(choice.shown):
            raise MayNotSeePage("You have no role for a customer of this name.")
        return choice

    def _may_see(self, customer: PortalCustomer | None) -> bool:
        """Say whether the caller has a role for it, whoever told of it. That none was found while something did not
        answer is no refusal."""
        if customer is None:
            return bool(self._errors)
        return self._visitor.caller.may_read(customer.uuid)

    def _frame(self, links: PortalLinks, choice: Choice[PortalCustomer]) -> dict[str, Any]:
        """Return what the page says of customers. Those that do not use the portal are left out, with a warning."""
        seen = [link.customer for link in links.links] + [it for it in (choice.shown,) if it is not None]
        off = sorted({customer.slug for customer in seen if not customer.enable_learner_portal})
        self._warnings += [portal_is_off(slug) for slug in off]
        return {
            "customer": _shown(choice.shown),
            "active": _shown(choice.active),
            "staff": _shown(choice.staff),
            "should_switch": choice.should_switch,
            "features": links.features,
            "linked": tuple(
                LinkedCustomer(
                    id=link.enterprise_customer_user_id,
                    active=link.is_active_link,
                    enterprise_customer=ShownCustomer(link.customer),
                )
                for link in links.links
                if link.customer.enable_learner_portal
            ),
        }

    # --- what the page says of the customer that is shown ---------------------------------------------------------

    def _start(self, customer_uuid: UUID) -> _Calls:
        """Start what is independent of each other."""
        token, lms_user_id = self._visitor.token, self._visitor.lms_user_id
        key = remembered_search_key(lms_user_id=lms_user_id, customer_uuid=customer_uuid)
        start = self._meanwhile.start
        return _Calls(
            customer_uuid=customer_uuid,
            licenses=self._start_licenses(customer_uuid),
            remembered_key=key,
            new_key=None if key else start(lambda: fetch_search_key(learner_token=token, customer_uuid=customer_uuid)),
            enrollments=self._start_enrollments(customer_uuid),
        )

    def _warm_up(self, customer_uuid: UUID) -> None:
        """Let the catalog be asked, while the LMS is, for what the status of default enrollments will need."""
        keys = [intention.content_key for intention in list_intentions(customer_uuid=customer_uuid)]
        fetch_content(customer_uuid=customer_uuid, content_keys=keys)

    def _start_licenses(self, customer_uuid: UUID) -> Pending[OwnLicenses]:
        token, lms_user_id = self._visitor.token, self._visitor.lms_user_id
        return self._meanwhile.start(
            lambda: fetch_own_licenses(
                learner_token=token,
                customer_uuid=customer_uuid,
                lms_user_id=lms_user_id,
                budget_seconds=settings.PORTAL_BUDGET_SECONDS,
            )
        )

    def _start_enrollments(self, customer_uuid: UUID) -> Pending[tuple[ShownEnrollment, ...]] | None:
        token = self._visitor.token
        if not self._with_enrollments:
            return None
        return self._meanwhile.start(lambda: fetch_enrollments(learner_token=token, customer_uuid=customer_uuid))

    def _own_enrollments(self, calls: _Calls) -> tuple[ShownEnrollment, ...] | None:
        """Return what the LMS tells the learner, if it does soon; the catalog is asked meanwhile."""
        if calls.enrollments is None:
            return None
        if not calls.enrollments.is_done:
            self._warm_up(calls.customer_uuid)
        try:
            return calls.enrollments.result(ends_at=self._at(OWN))
        except Exception:  # noqa: BLE001 (told where the enrollments themselves are shown)
            return None

    def _get_status(self, customer_uuid: UUID, own: tuple[ShownEnrollment, ...] | None) -> LearnerStatus:
        return get_page_status(
            customer_uuid=customer_uuid,
            lms_user_id=self._visitor.lms_user_id,
            own=None if own is None else _as_own(own),
        )

    def _parts(
        self,
        choice: Choice[PortalCustomer],
        customer: PortalCustomer,
        calls: _Calls,
        status: Pending[LearnerStatus] | None,
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if status is not None and not _may_enroll(status):
            # Nothing to wait for: done while the neighbours are still answering.
            found |= self._default_enrollments(customer.uuid, status, None)
        licenses = found["licenses"] = self._licenses(choice, customer, calls)
        found["search_key"] = self._search_key(calls)
        if calls.enrollments is not None and choice.is_linked:
            found["enrollments"] = self._enrollments(calls.enrollments, CALLS)
        if status is not None and _may_enroll(status):
            found |= self._default_enrollments(customer.uuid, status, licenses)
        return found

    def _search_key(self, calls: _Calls) -> SearchKey | None:
        new = calls.new_key
        if new is None:
            return calls.remembered_key
        key = self._part(SEARCH_KEY, lambda: new.result(ends_at=self._at(CALLS)), None)
        if key is not None:
            lms_user_id = self._visitor.lms_user_id
            remember_search_key(key, lms_user_id=lms_user_id, customer_uuid=calls.customer_uuid)
        return key

    def _licenses(self, choice: Choice[PortalCustomer], customer: PortalCustomer, calls: _Calls) -> OwnLicenses | None:
        """Return the learner's licenses, after taking those that wait for the learner; None: they are not known."""
        seen = self._part(LICENSES, lambda: calls.licenses.result(ends_at=self._at(CALLS)), None)
        if seen is None:
            return None
        ensured = self._part(LICENSES, lambda: self._ensure(seen, choice, customer), Ensured(licenses=seen))
        self._errors += [Problem(it.developer_message, it.user_message) for it in ensured.problems]
        return ensured.licenses

    def _ensure(self, seen: OwnLicenses, choice: Choice[PortalCustomer], customer: PortalCustomer) -> Ensured:
        lms_user_id = self._visitor.lms_user_id
        ensured = ensure_license(
            learner_token=self._visitor.token,
            customer_uuid=customer.uuid,
            lms_user_id=lms_user_id,
            is_linked=choice.is_linked,
            has_identity_provider=bool(customer.identity_provider),
            budget_seconds=self._at(LICENSE) - time.monotonic(),
            seen=seen,
        )
        if ensured.has_changed and choice.is_linked:
            licenses_changed(customer_uuid=customer.uuid, lms_user_id=lms_user_id)
        return ensured

    def _enrollments(self, pending: Pending[tuple[ShownEnrollment, ...]], share: float) -> tuple[ShownEnrollment, ...]:
        return self._part(ENROLLMENTS, lambda: pending.result(ends_at=self._at(share)), ())

    # --- default enrollments --------------------------------------------------------------------------------------

    def _default_enrollments(
        self, customer_uuid: UUID, pending: Pending[LearnerStatus], licenses: OwnLicenses | None
    ) -> dict[str, Any]:
        """Ask that what is owed to the learner be realized, wait for it a little, and show what came of it."""
        status = self._part(STATUS, lambda: pending.result(ends_at=self._at(CALLS)), None)
        if status is not None and not status.intentions:
            return {"status": status}
        is_worth_waiting = self._is_worth_waiting(status, licenses)
        has_news = status is not None and _has_news(status, licenses)
        nothing: tuple[AskedResult, ...] = ()
        with deadline(self._at(WAIT)):
            results = self._part(REALIZATION, lambda: self._ask(customer_uuid, is_worth_waiting, has_news), nothing)
        if status is None or not _newly_enrolled(status, results):
            return {"status": status, "realizations": results}
        return {"realizations": results, **self._again(customer_uuid, status)}

    def _is_worth_waiting(self, status: LearnerStatus | None, licenses: OwnLicenses | None) -> bool:
        """Say whether an enrollment may come within moments: something can be had, somebody may pay, workers work."""
        if status is None or not status.in_bucket(Bucket.ENROLLABLE):
            return False
        if licenses is not None and not _can_pay(licenses):
            return False
        return not was_in_vain(lms_user_id=self._visitor.lms_user_id, customer_uuid=status.customer_uuid)

    def _ask(self, customer_uuid: UUID, is_worth_waiting: bool, has_news: bool) -> tuple[AskedResult, ...]:
        lms_user_id = self._visitor.lms_user_id
        asked = ask_for_realization(
            customer_uuid=customer_uuid,
            lms_user_id=lms_user_id,
            wait_until=self._at(WAIT) if is_worth_waiting else None,
            has_news=has_news,
            evaluated_since=timezone.now() - timedelta(seconds=settings.ENROLLMENTS_FRESH_SECONDS),
        )
        if is_worth_waiting and not asked.was_evaluated:
            note_in_vain(lms_user_id=lms_user_id, customer_uuid=customer_uuid)
        return asked.results

    def _again(self, customer_uuid: UUID, status: LearnerStatus) -> dict[str, Any]:
        """Read once more what an enrollment has changed; what cannot be read stays as it was."""
        with deadline(self._at(AGAIN)):
            pending = self._start_enrollments(customer_uuid)
            enrollments = None if pending is None else self._enrollments(pending, AGAIN)
            again = self._part(STATUS, lambda: self._get_status(customer_uuid, enrollments or None), status)
        return {"status": again} if enrollments is None else {"status": again, "enrollments": enrollments}


def _shown(customer: PortalCustomer | None) -> ShownCustomer | None:
    return None if customer is None or not customer.enable_learner_portal else ShownCustomer(customer)


def _may_enroll(status: Pending[LearnerStatus]) -> bool:
    """Say whether an enrollment may come, so that it is worth knowing first whether there is a license for it."""
    found = status.peek()
    return found is not None and bool(found.in_bucket(Bucket.ENROLLABLE))


def _newly_enrolled(status: LearnerStatus, results: Iterable[AskedResult]) -> bool:
    """Say whether something was enrolled since the status was found out."""
    wanted = {item.intended.intention.pk for item in status.in_bucket(Bucket.ENROLLABLE)}
    return any(it.enrollment_status is EnrollmentStatus.ENROLLED and it.intention_uuid in wanted for it in results)


def _as_own(enrollments: Iterable[ShownEnrollment]) -> tuple[OwnEnrollment, ...]:
    return tuple(OwnEnrollment(course_run_key=row.course_run_id, mode=row.mode) for row in enrollments)


def _can_pay(licenses: OwnLicenses) -> bool:
    return any(it.is_activated and it.plan.is_open for it in licenses.licenses)


def _has_news(status: LearnerStatus, licenses: OwnLicenses | None) -> bool:
    """Say whether the page knows something that the last evaluation did not: what stood in the way is gone."""
    gone = {Reason.NO_LICENSE.value, Reason.LICENSE_NOT_ACTIVATED.value, Reason.LICENSE_PLAN_NOT_CURRENT.value}
    can_pay = licenses is not None and _can_pay(licenses)
    return any(
        it.last_look is not None
        and (
            it.last_look.outcome == AttemptOutcome.NOT_NEEDED
            or (it.last_look.outcome == AttemptOutcome.BLOCKED and it.last_look.reason in gone and can_pay)
            or (
                it.last_look.outcome == AttemptOutcome.BLOCKED
                and is_woken_by(it.last_look.reason, Event.CONTENT_CHANGE)
                and it.last_look.reason != Reason.REFUSED_BY_LMS
            )
        )
        for it in status.in_bucket(Bucket.ENROLLABLE)
    )

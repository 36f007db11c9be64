"""license-manager: licenses, plans, agreements. Contract: recordings/license-manager.

Calls with the learner's own token answer for the token's owner alone: a worker account that used them would read, or
use up, licenses of its own.
"""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from enterprise_access.lib.http import Answer, Params
from enterprise_access.lib.rows import Rows
from enterprise_access.lib.structure import reader
from enterprise_access.upstream.asking import ServiceClient
from enterprise_access.upstream.license_manager.types import (
    ACTIVATED,
    ASSIGNED,
    REVOKED,
    UNASSIGNED,
    AgreementRecord,
    Assignments,
    LicenseRecord,
    OwnLicensesPage,
    OwnLicensesRecord,
    PlanLicense,
    PlanRecord,
    StaffLicense,
    key_of_license,
)
from enterprise_access.upstream.paging import all_rows, numbered_pages, numbered_pages_apart, page_of, whole_page_of
from enterprise_access.upstream.rights import need_operator

_OWN_LICENSES: Final = page_of(LicenseRecord, page=OwnLicensesPage)
_STATUSES: Final = frozenset({ACTIVATED, ASSIGNED, REVOKED, UNASSIGNED})


class LicenseManagerClient(ServiceClient):
    """Asks license-manager as our worker account, or as a learner where it answers only to learners.

    Every method raises UpstreamUnavailable (time-out, 5xx, throttled, locked: later), UpstreamRefused (4xx, or
    malformed input that was not sent: never again) or UpstreamChanged (unknown shape: alert).
    """

    # --- as our worker account ------------------------------------------------------------------------------------

    def list_licenses_of(self, *, customer_uuid: UUID, user_email: str) -> Rows[LicenseRecord]:
        """Return every license of the learner, in whatever state, of whatever plan; empty means "has none".

        Found by the e-mail that license-manager has stored: after an address change the old one, until the learner has
        looked at their own licenses once.
        """
        params = [
            ("enterprise_customer_uuid", self._checked.uuid(customer_uuid, "customer_uuid")),
            ("user_email", self._checked.email(user_email)),
        ]
        return all_rows(numbered_pages(self._ask("/api/v1/admin-license-view/"), params, page_of(LicenseRecord)))

    def list_plans(self, *, customer_uuid: UUID) -> Rows[PlanRecord]:
        """Return the customer's plans that are switched on, expired and future ones included."""
        params = [("enterprise_customer_uuid", self._checked.uuid(customer_uuid, "customer_uuid"))]
        return all_rows(
            numbered_pages(self._ask("/api/v1/subscriptions/", need=need_operator), params, page_of(PlanRecord))
        )

    def assign_licenses(self, *, plan_uuid: UUID, user_emails: Sequence[str]) -> Assignments:
        """Give licenses of a plan to email addresses, without mails from license-manager. Safe to repeat.

        UpstreamRefused with status 400: the plan has fewer licenses left, or an address is malformed; nothing was
        assigned then. UpstreamUnavailable with Reason.LOCKED: another assignment on this plan is running.
        """
        emails = [self._checked.email(email) for email in user_emails]
        answer = self.transport.post(
            "/api/v1/subscriptions/{}/licenses/assign/",
            self._checked.uuid(plan_uuid, "plan_uuid"),
            json={"user_emails": emails, "notify_users": False},
        )
        return answer.read(reader(Assignments))

    def list_plan_licenses(
        self, *, plan_uuid: UUID, statuses: Sequence[str] = (), before_page: Callable[[], object] = bool
    ) -> Rows[PlanLicense]:
        """Return the licenses of one plan, of these statuses, or of all.

        The key of an unreadable one is its email address in lower case, empty for a license that no one has, and None
        for all of a page that license-manager fails on, unless that is the first page.
        `before_page` is called before each call; what it raises ends the reading.
        """
        if not _STATUSES.issuperset(statuses):
            raise self.transport.refusal("statuses has one that no license can have")
        params = [("page_size", "500")]
        if statuses:
            params.append(("status", ",".join(statuses)))
        path = "/api/v1/subscriptions/{}/licenses/"
        read = self._ask(path, self._checked.uuid(plan_uuid, "plan_uuid"), need=need_operator)

        def ask(params: Params) -> Answer:
            before_page()
            return read(params)

        rows = page_of(PlanLicense, key=key_of_license)
        return all_rows(numbered_pages_apart(ask, params, rows, call=f"GET {path}"))

    def get_agreement(self, *, customer_uuid: UUID) -> AgreementRecord | None:
        """Return the agreement of a customer; None when there is none."""
        params = [("enterprise_customer_uuid", self._checked.uuid(customer_uuid, "customer_uuid"))]
        ask = self._ask("/api/v1/customer-agreement/", need=need_operator)
        found = all_rows(numbered_pages(ask, params, whole_page_of(AgreementRecord)))
        return next((agreement for agreement in found if agreement.customer_uuid == customer_uuid), None)

    def staff_lookup(self, *, user_email: str) -> tuple[StaffLicense, ...]:
        """Return the licenses of an e-mail address at all customers, for a support agent."""
        answer = self.transport.read_by_post(
            "/api/v1/staff_lookup_licenses/", json={"user_email": self._checked.email(user_email)}, expect=(200, 404)
        )
        if answer.status == 404:
            if answer.body:
                raise answer.failure()
            return ()
        return answer.read(reader(tuple[StaffLicense, ...]))

    # --- as the learner -------------------------------------------------------------------------------------------

    def list_own_licenses(self, *, learner_token: str, customer_uuid: UUID) -> OwnLicensesRecord:
        """Return the licenses of the token's owner, in whatever state, of plans that are switched on.

        Reading has a side effect that we want: license-manager takes over the learner's present e-mail address.
        """
        params = [
            ("enterprise_customer_uuid", self._checked.uuid(customer_uuid, "customer_uuid")),
            ("include_revoked", "true"),
            ("current_plans_only", "false"),
            ("page_size", "100"),
        ]
        learner = self.transport.as_learner(learner_token)

        def ask(params: Params) -> Answer:
            return learner.get("/api/v1/learner-licenses/", params=params)

        pages: list[OwnLicensesPage] = list(numbered_pages(ask, params, _OWN_LICENSES))
        return OwnLicensesRecord(licenses=all_rows(pages), agreement=pages[-1].agreement)

    def activate(self, *, learner_token: str, activation_key: UUID) -> LicenseRecord:
        """Activate the learner's license, and return it: maybe another one than the key belonged to.

        UpstreamRefused: not the learner's, revoked (status 422), or of a plan that is not current.
        """
        answer = self.transport.as_learner(learner_token).post(
            "/api/v1/license-activation/",
            params=[("activation_key", self._checked.uuid(activation_key, "activation_key"))],
        )
        return answer.read(reader(LicenseRecord))

    def auto_apply(self, *, learner_token: str, agreement_uuid: UUID) -> LicenseRecord:
        """Take a license of the agreement's auto-apply plan for the learner. It may be `assigned`: then activate it.

        Two learners who ask at the same moment may be given the same one: read their own licenses before relying on it.
        UpstreamRefused with status 422: no such plan, none left, or the learner's license was revoked.
        """
        answer = self.transport.as_learner(learner_token).post(
            "/api/v1/customer-agreement/{}/auto-apply/", self._checked.uuid(agreement_uuid, "agreement_uuid")
        )
        return answer.read(reader(LicenseRecord))

"""What stands in the database when the rows of the table are called: everything that an address can name."""

from collections.abc import Mapping
from typing import Any

from enterprise_access.apps.content_assignments.services.people import see_learner
from enterprise_access.apps.content_assignments.tests.scene import allocated, make_assigned_budget
from enterprise_access.apps.course_types.services.assigning import assign_course_type, assign_run_type
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    RealizationAttempt,
    RealizationOverride,
)
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.services.realizing.override_use import pair_name
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DEMO,
    DEMO_RUN,
    HAL,
    LINUX,
    intend,
    realizations_of,
    visit,
)
from enterprise_access.apps.provisioning.services.kinds.provision_customer import PROVISION_CUSTOMER
from enterprise_access.apps.provisioning.services.workflows.starting import get_or_start
from enterprise_access.apps.provisioning.tests.bodies import asked_to_provision
from enterprise_access.apps.redemption.tests.ledgers import begin, make_policy
from enterprise_access.apps.subsidy_access_policies.tests.ledger import make_budget
from enterprise_access.apps.subsidy_requests.domain.states import SubsidyType
from enterprise_access.apps.subsidy_requests.tests import made
from enterprise_access.lib import clock
from simulator.seed import ACME, ACME_ANNUAL, ACME_CREDIT, ACME_OPEN


def make_scene() -> dict[str, object]:
    """Let Acme intend two courses, Ada be enrolled in both, and one of the two be taken back; return the names.

    Of one of the courses it is known what it is for.
    """
    kept, deleted = intend(DEMO, LINUX)
    assign_course_type(course_key=DEMO, course_type="verified-audit")
    assign_run_type(course_key=DEMO, run_key=DEMO_RUN, run_type="audit")
    visit(ADA)
    delete_intention(deleted)
    credit_policy = make_policy()
    asked_budget = made.make_asked_budget()
    assignment = allocated(make_assigned_budget())
    see_learner(ADA, "ada@example.com", clock.now())
    made.takes(SubsidyType.COUPON)
    asked, people = asked_to_provision("Psi")
    workflow = get_or_start(kind=PROVISION_CUSTOMER, asked=asked, subject="psi", people=people)
    return {
        "workflow": workflow.pk,
        "customer": ACME,
        "learner": ADA,
        "intention": kept.pk,
        "deleted_intention": deleted.pk,
        "realization": next(row.pk for row in realizations_of(ADA).values() if row.intention_id == kept.pk),
        "license_request": made.made(ADA).pk,
        "coupon_request": made.made(ADA, kind=SubsidyType.COUPON).pk,
        "credit_request": made.made(ADA, kind=SubsidyType.LEARNER_CREDIT, policy_uuid=asked_budget.pk).pk,
        "asked_budget": asked_budget.pk,
        "plan": ACME_ANNUAL,
        "policy": make_budget().pk,
        "subsidy": ACME_CREDIT,
        "catalog": ACME_OPEN,
        "course": DEMO,
        "run": DEMO_RUN,
        "course_type": "verified-audit",
        "credit_policy": credit_policy.pk,
        "redemption": begin(credit_policy, learner=ADA).pk,
        "budget": assignment.policy_uuid,
        "configuration": assignment.configuration_uuid,
        "assignment": assignment.pk,
        "override": _override(kept),
        "attempt": RealizationAttempt.objects.filter(lms_user_id=ADA).earliest("pk").pk,
    }


def _override(intention: DefaultEnterpriseEnrollmentIntention) -> int:
    """Let another learner of Acme be allowed one more enrollment."""
    return RealizationOverride.objects.create(
        intention=intention, lms_user_id=HAL, by="root", reason="Ticket 1", unused_for=pair_name(intention.pk, HAL)
    ).pk


def filled(template: Any, names: Mapping[str, object]) -> Any:
    """Return the template with every `{name}` in it replaced."""
    if isinstance(template, Mapping):
        return {key: filled(value, names) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, names) for value in template]
    return template.format(**names) if isinstance(template, str) else template

"""What stands in the database when the rows of the table are called: everything that an address can name."""

from collections.abc import Mapping
from typing import Any

from enterprise_access.apps.course_types.services.assigning import assign_course_type, assign_run_type
from enterprise_access.apps.default_enrollments.models import RealizationAttempt
from enterprise_access.apps.default_enrollments.services.intentions import delete_intention
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DEMO,
    DEMO_RUN,
    LINUX,
    intend,
    realizations_of,
    visit,
)
from simulator.seed import ACME


def make_scene() -> dict[str, object]:
    """Let Acme intend two courses, Ada be enrolled in both, and one of the two be taken back; return the names.

    Of one of the courses it is known what it is for.
    """
    kept, deleted = intend(DEMO, LINUX)
    assign_course_type(course_key=DEMO, course_type="verified-audit")
    assign_run_type(course_key=DEMO, run_key=DEMO_RUN, run_type="audit")
    visit(ADA)
    delete_intention(deleted)
    return {
        "customer": ACME,
        "learner": ADA,
        "intention": kept.pk,
        "deleted_intention": deleted.pk,
        "realization": next(row.pk for row in realizations_of(ADA).values() if row.intention_id == kept.pk),
        "course": DEMO,
        "run": DEMO_RUN,
        "course_type": "verified-audit",
        "attempt": RealizationAttempt.objects.filter(lms_user_id=ADA).earliest("pk").pk,
    }


def filled(template: Any, names: Mapping[str, object]) -> Any:
    """Return the template with every `{name}` in it replaced."""
    if isinstance(template, Mapping):
        return {key: filled(value, names) for key, value in template.items()}
    return template.format(**names) if isinstance(template, str) else template

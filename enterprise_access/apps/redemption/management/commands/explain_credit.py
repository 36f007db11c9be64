"""`manage.py explain_credit CUSTOMER LMS_USER_ID RUN`: which budget pays for a run, or why none does."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from enterprise_access.apps.content_metadata.domain import ContentType, content_type_of
from enterprise_access.apps.customers.services import get_customer_named
from enterprise_access.apps.redemption.services.explained import show_explanation, time_of
from enterprise_access.apps.redemption.services.explaining import explain_credit
from enterprise_access.lib import clock
from enterprise_access.lib.errors import ServiceError


class Command(BaseCommand):
    """Explain every budget of a customer for one learner and run."""

    help = (
        "Print which budget of a customer pays for a run for a learner, or why none does: the rule, the numbers that "
        "it compared and their age, and earlier attempts. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("customer", help="Slug or UUID.")
        parser.add_argument("lms_user_id", type=int, help="The learner.")
        parser.add_argument("run", help="The run key (course-v1:edX+DemoX+2026_T1).")
        parser.add_argument("--json", action="store_true", help="Print everything as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 < options["lms_user_id"] < 2**63:
            raise CommandError("The LMS user id is a positive whole number.")
        try:
            if content_type_of(options["run"]) is not ContentType.COURSE_RUN:
                raise CommandError("Name a run (course-v1:edX+DemoX+2026_T1), not a course.")
            customer = get_customer_named(slug_or_uuid=options["customer"])
            plain = explain_credit(
                customer_uuid=customer.pk,
                lms_user_id=options["lms_user_id"],
                run_key=options["run"],
                now=clock.now(),
            )
        except ServiceError as error:
            raise CommandError(error.detail) from error
        if options["json"]:
            self.stdout.write(json.dumps(plain, cls=DjangoJSONEncoder, indent=2))
            return
        for line in _lines(show_explanation(plain)):
            self.stdout.write(line)


def _lines(shown: dict[str, Any]) -> Iterator[str]:
    yield f"Learner {shown['lms_user_id']}, run {shown['content_key']}"
    yield f"  Enrollments read: {time_of(shown['enrollments_read_at'])}"
    if shown["redeemed_by"]:
        yield f"  Redeemed already: transaction {shown['redeemed_by']}."
    elif not shown["policies"]:
        yield "  The customer has no budget."
    for policy in shown["policies"]:
        name = policy["display_name"] or policy["uuid"]
        outcome = "pays" if shown["pays"] == policy["uuid"] else "could pay"
        yield f"  {name}: {outcome if policy['is_redeemable'] else policy['reason']} ({policy['rule']})"
        if policy["text"]:
            yield f"    The learner is told: {policy['text']}"
        yield from (f"    {label}: {value}" for label, value in policy["rows"])
        yield f"    Balance read: {time_of(policy['balance_read_at'])}"
        yield f"    Catalog read: {time_of(policy['catalog_read_at'])}"
    for line in shown["paid"]:
        yield f"  Transaction {line}"
    for attempt in shown["attempts"]:
        state = ", ".join(filter(None, [attempt["state"], attempt["reason"]]))
        yield f"  Attempt {attempt['uuid']}, {time_of(attempt['created'])}: {state}"

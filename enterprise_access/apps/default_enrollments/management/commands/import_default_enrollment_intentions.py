"""`manage.py import_default_enrollment_intentions`: taking over what an LMS has intended itself so far."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.customers.selectors import list_customers
from enterprise_access.apps.customers.services import get_customer_named
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.services.moving_in.from_lms import (
    Arrival,
    ArrivalFate,
    list_arrivals,
    move_in,
)
from enterprise_access.lib.errors import ServiceError

WORDS = {
    ArrivalFate.ADD: "will be added",
    ArrivalFate.EXISTS: "there already",
    ArrivalFate.DELETED_HERE: "deleted here by staff; it stays deleted",
    ArrivalFate.REFUSED: "cannot be added",
}


class Command(BaseCommand):
    """Read the LMS's own default enrollment intentions, and make ours of them."""

    help = (
        "Read the LMS's own default enrollment intentions, and add them to this service. Without --commit it only "
        "prints what it would do. Running it again changes nothing. See docs/how-to/switch-over.rst."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--customer",
            action="append",
            default=[],
            help="Slug or UUID; repeatable. Default: every customer that this service knows.",
        )
        parser.add_argument("--commit", action="store_true", help="Add the intentions. Without it, nothing is saved.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.totals = dict.fromkeys(ArrivalFate, 0)
        self.risks = failed = 0
        customers = options["customer"] or [str(customer.pk) for customer in list_customers()]
        if not customers:
            raise CommandError("No customer is known here. Name one with --customer.")
        for name in customers:
            try:
                self.take_over(name, commit=options["commit"])
            except ServiceError as error:
                failed += 1
                self.stderr.write(f"{name}: {error.detail}")
        self.sum_up(commit=options["commit"])
        if failed:
            raise CommandError(f"{failed} of {len(customers)} customers could not be read; nothing was added for them.")
        if self.totals[ArrivalFate.REFUSED]:
            raise CommandError(
                f"{self.totals[ArrivalFate.REFUSED]} intentions cannot be added; the lines above say why."
            )

    def take_over(self, name: str, *, commit: bool) -> None:
        customer = get_customer_named(slug_or_uuid=name)
        arrivals = list_arrivals(customer_uuid=customer.pk)
        if not arrivals:
            self.stdout.write(f"{customer.slug}: the LMS intends nothing.")
        for arrival in arrivals:
            self.say(customer.slug, arrival)
        failed = move_in(customer_uuid=customer.pk, arrivals=arrivals) if commit else []
        for arrival in failed:
            self.say(customer.slug, arrival)

    def say(self, slug: str, arrival: Arrival) -> None:
        self.totals[arrival.fate] += 1
        run = f" ({arrival.course_run_key})" if arrival.course_run_key else ""
        problem = f": {arrival.problem}" if arrival.problem else ""
        self.stdout.write(f"{slug}: {arrival.content_key}{run}: {WORDS[arrival.fate]}{problem}")
        for warning in arrival.warnings:
            self.stdout.write(f"    now: {explain(warning).text}")
        if arrival.risks_leavers and arrival.fate is not ArrivalFate.REFUSED:
            self.risks += 1
            self.stdout.write(
                "    careful: no paid mode is known; who left it in the LMS's time would be enrolled again."
            )

    def sum_up(self, *, commit: bool) -> None:
        added = "added" if commit else "to add"
        told = ", ".join(
            f"{what}: {self.totals[fate]}"
            for fate, what in (
                (ArrivalFate.ADD, added),
                (ArrivalFate.EXISTS, "there already"),
                (ArrivalFate.DELETED_HERE, "deleted here"),
                (ArrivalFate.REFUSED, "refused"),
            )
        )
        self.stdout.write(
            f"{'' if commit else 'Dry run, nothing was saved. '}{told}, without a paid mode: {self.risks}."
        )

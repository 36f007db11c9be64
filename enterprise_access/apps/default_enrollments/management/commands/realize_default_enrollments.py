"""`manage.py realize_default_enrollments`: the backfill."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.customers.services import get_customer_named
from enterprise_access.apps.default_enrollments.services.moving_in.backfill import (
    Scope,
    check_scope,
    foretell,
    in_words,
    request_all,
)
from enterprise_access.lib.errors import ServiceError


class Command(BaseCommand):
    """Ask for the default enrollments of a customer's learners, or say what that would do."""

    help = (
        "Queue a customer's learners for evaluation. Workers evaluate and enroll them. You may stop this command at "
        "any time, and continue with --after."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer", required=True, help="Slug or UUID.")
        parser.add_argument("--learner", type=int, action="append", default=[], help="An LMS user id; repeatable.")
        parser.add_argument(
            "--intention", type=UUID, action="append", default=[], help="UUID of an intention; repeatable."
        )
        parser.add_argument(
            "--include-inactive-links",
            action="store_true",
            help="Include learners who have selected another customer; enrolling selects this one for them.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Print what would happen for each learner, and why.")
        parser.add_argument("--rate", type=int, metavar="N", help="At most N learners per minute.")
        parser.add_argument("--after", type=int, default=0, metavar="ID", help="Continue after this LMS user id.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rate"] is not None and options["rate"] < 1:
            raise CommandError("--rate has to be at least 1 learner a minute.")
        try:
            scope = Scope(
                customer_uuid=get_customer_named(slug_or_uuid=options["customer"]).pk,
                lms_user_ids=frozenset(options["learner"]),
                intention_uuids=frozenset(options["intention"]),
                with_inactive_links=options["include_inactive_links"],
                after=options["after"],
            )
            check_scope(scope)
            if options["dry_run"]:
                self.foretell(scope)
            else:
                self.request(scope, options["rate"])
        except ServiceError as error:
            raise CommandError(error.detail) from error

    def foretell(self, scope: Scope) -> None:
        totals: dict[str, int] = {}
        for entry in foretell(scope):
            self.stdout.write(in_words(entry))
            totals[entry.what] = totals.get(entry.what, 0) + 1
        told = ", ".join(f"{what}: {count}" for what, count in sorted(totals.items()))
        self.stdout.write(f"Dry run, nothing was done. {told or 'No learner is in scope.'}")

    def request(self, scope: Scope, rate: int | None) -> None:
        done, last = 0, scope.after
        try:
            for done, last in request_all(scope, learners_per_minute=rate):
                self.stdout.write(f"{done} learners queued, up to LMS user id {last}")
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. To go on: --after {last}", returncode=130) from None
        except ServiceError as error:
            raise CommandError(f"{error.detail} {done} learners were queued. To continue: --after {last}") from error
        self.stdout.write(f"Done: {done} learners queued. Workers enroll them; see the requests in the admin.")

"""`manage.py validate_default_enrollment_intentions`: which intentions can be honoured, now and by hand."""

import json
from argparse import ArgumentTypeError
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.customers.services import get_customer_named
from enterprise_access.apps.default_enrollments.services.health.verdicts import list_customers_with_intentions
from enterprise_access.apps.default_enrollments.services.validating import (
    CheckedIntention,
    CheckedState,
    Validation,
    validate_intentions,
)
from enterprise_access.lib import clock
from enterprise_access.lib.errors import ServiceError

SOMETHING_IS_UNHEALTHY: Final = 1
COULD_NOT_ASK: Final = 2


class Command(BaseCommand):
    """Ask again what intentions stand for, and wake the learners who waited for what changed."""

    help = (
        "Resolve and check intentions, record changed verdicts, and queue the learners who waited for a change. Exits"
        " with 0 if every intention would enroll new learners, with 1 if some would not, and with 2 if an upstream "
        "service did not answer, so that some verdicts are unknown."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer", help="Slug or UUID. Default: every customer with intentions.")
        parser.add_argument(
            "--delay-minutes",
            type=_minutes,
            default=0,
            metavar="N",
            help="Check only intentions that were not checked within N minutes; print the last verdict of the others.",
        )
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        delay = timedelta(minutes=options["delay_minutes"])
        validations = [
            validate_intentions(customer_uuid=customer_uuid, delay=delay, now=clock.now())
            for customer_uuid in self.customers(options["customer"])
        ]
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(validation) for validation in validations], indent=2))
        else:
            self.tell(validations)
        if not all(validation.is_complete for validation in validations):
            raise SystemExit(COULD_NOT_ASK)
        if any(validation.has(CheckedState.UNHEALTHY) for validation in validations):
            raise SystemExit(SOMETHING_IS_UNHEALTHY)

    def customers(self, slug_or_uuid: str | None) -> list[UUID]:
        if slug_or_uuid is None:
            return list_customers_with_intentions()
        try:
            return [get_customer_named(slug_or_uuid=slug_or_uuid).pk]
        except ServiceError as error:
            raise CommandError(error.detail, returncode=COULD_NOT_ASK) from error

    def tell(self, validations: Sequence[Validation]) -> None:
        for validation in validations:
            for one in validation.standings:
                self.stdout.write(f"{validation.customer_uuid} {one.intention}: {_in_words(one)}")
            if validation.problem:
                self.stderr.write(f"{validation.customer_uuid}: could not be checked: {validation.problem}")
        states = [one.state for validation in validations for one in validation.standings]
        counts = ", ".join(f"{states.count(state)} {state.value}" for state in CheckedState)
        self.stdout.write(f"{counts}; {sum(validation.changed for validation in validations)} changed")


def _minutes(text: str) -> int:
    minutes = int(text)
    if minutes < 0:
        raise ArgumentTypeError("must not be negative")
    return minutes


def _in_words(one: CheckedIntention) -> str:
    if one.since is None:
        return f"{one.state.value} (never checked)"
    words = f"{one.state.value} ({one.reason}) since {one.since:%Y-%m-%d %H:%M} UTC"
    return words if one.state is CheckedState.HEALTHY else f"{words}. {one.text} {one.what_would_change_it}"


def _as_json(validation: Validation) -> dict[str, Any]:
    return {
        "enterprise_customer_uuid": str(validation.customer_uuid),
        "problem": validation.problem,
        "changed": validation.changed,
        "intentions": [
            {
                "uuid": str(one.intention.pk),
                "content_key": one.intention.content_key,
                "state": one.state.value,
                "reason": one.reason,
                "since": one.since.isoformat() if one.since else None,
                "checked_at": one.checked_at.isoformat() if one.checked_at else None,
                "text": one.text,
                "what_would_change_it": one.what_would_change_it,
            }
            for one in validation.standings
        ],
    }

"""`manage.py override_default_enrollment`: leave to enroll one learner once more."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.services.overrides import grant_override
from enterprise_access.lib import clock
from enterprise_access.lib.errors import ServiceError


class Command(BaseCommand):
    """Let one learner be enrolled once more for one intention, although the learner left or lost it."""

    help = (
        "Allow one more enrollment of a learner for an intention, although the learner left the course or a license "
        "was revoked. Refused unless that is what blocks the learner now. The next enrollment ends the override; "
        "otherwise it expires after OVERRIDE_VALID_DAYS."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--intention", type=UUID, required=True, help="UUID of the intention.")
        parser.add_argument("--learner", type=int, required=True, help="The LMS user id.")
        parser.add_argument(
            "--by", required=True, help="Your username; stored with the override as an unverified name."
        )
        parser.add_argument("--reason", required=True, help="Why; stored with the override.")

    def handle(self, *args: Any, **options: Any) -> None:
        intention = DefaultEnterpriseEnrollmentIntention.objects.living().filter(pk=options["intention"]).first()
        if intention is None:
            raise CommandError(f"There is no intention {options['intention']}, or it was deleted.")
        try:
            grant_override(
                intention=intention,
                lms_user_id=options["learner"],
                by=options["by"],
                is_actor_verified=False,
                reason=options["reason"],
                now=clock.now(),
            )
        except ServiceError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(
            f"Learner {options['learner']} may be enrolled once more for {intention}, and is evaluated now."
        )

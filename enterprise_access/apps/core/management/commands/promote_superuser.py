"""Make somebody who signs in through the LMS a superuser of the admin pages."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from enterprise_access.apps.core.domain import MAX_ID
from enterprise_access.apps.core.services.people import get_person


def _lms_user_id(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MAX_ID:
        raise argparse.ArgumentTypeError("An LMS user id is a positive whole number.")
    return int(text)


class Command(BaseCommand):
    """Find the account by LMS user id, make it where there is none, and let it do everything."""

    help = "Make a user who signs in through the LMS a superuser, before or after their first sign-in."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("lms_user_id", type=_lms_user_id, help="LMS user id of the user.")
        parser.add_argument("--username", required=True, help="Their username at the LMS, for display.")

    def handle(self, *_: Any, **options: Any) -> None:
        user = get_person(lms_user_id=options["lms_user_id"], username=options["username"])
        user.is_superuser = True
        user.save(update_fields=["is_superuser"])
        self.stdout.write(f"The LMS user {user.lms_user_id} is a superuser of the admin pages now.")

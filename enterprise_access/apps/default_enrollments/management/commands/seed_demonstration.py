"""`manage.py seed_demonstration`: what `make run` needs beyond an empty database."""

import os
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.customers.services import fetch_customer_by_slug
from enterprise_access.apps.default_enrollments.errors import IntentionDeleted, IntentionExists
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_saved
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import add_intention
from enterprise_access.lib.errors import ServiceError


class Command(BaseCommand):
    """Make the demonstration's login, customers and first intentions where they are missing. Safe to repeat."""

    help = "Create the demonstration's login (demo), customers and first intentions if they are missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "intentions",
            nargs="*",
            help="Customers, each with its content keys: slug=key,key (without keys: only the customer).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("DEMONSTRATION_PASSWORD")
        if not password:
            raise CommandError("DEMONSTRATION_PASSWORD is not set. `make run` sets it.")
        user, _ = get_user_model().objects.get_or_create(
            username="demo", defaults={"is_staff": True, "is_superuser": True}
        )
        if not user.check_password(password):  # another hash would sign everybody out
            user.set_password(password)
        user.save()
        try:
            for entry in options["intentions"]:
                self.seed(entry)
        except ServiceError as error:
            raise CommandError(error.detail) from error

    def seed(self, entry: str) -> None:
        slug, _, keys = entry.partition("=")
        customer = fetch_customer_by_slug(slug=slug)
        added = []
        for content_key in filter(None, keys.split(",")):
            try:
                intention, _ = add_intention(customer_uuid=customer.pk, content_key=content_key)
                self.stdout.write(f"{customer}: {content_key}")
                added.append(intention)
            except (IntentionExists, IntentionDeleted):
                continue
        check_saved(added)

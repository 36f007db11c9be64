"""`manage.py retry_workflow`: let a failed workflow go on from the step that failed."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from enterprise_access.apps.provisioning.services.explaining import explain
from enterprise_access.apps.provisioning.services.provisioning import retry
from enterprise_access.lib.errors import ServiceError


class Command(BaseCommand):
    """Retry a failed workflow from the step that failed, with corrected input if that step takes any."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workflow", type=UUID, help="The UUID of the workflow.")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="A corrected member of the failed step's input, as JSON or text; repeatable.",
        )
        parser.add_argument(
            "--seconds",
            type=float,
            default=60,
            help="How long the command works on it. After that, workers continue.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        correction = dict(_pair(text) for text in options["set"])
        try:
            progress = retry(workflow_uuid=options["workflow"], correction=correction, seconds=options["seconds"])
        except ServiceError as error:
            raise CommandError(error.detail) from None
        self.stdout.write(explain(progress))


def _pair(text: str) -> tuple[str, Any]:
    name, has_value, value = text.partition("=")
    if not has_value:
        raise CommandError(f"{text!r} has to be NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value

"""`manage.py explain_workflow`: say in words where a workflow stands, and why."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from enterprise_access.apps.provisioning.errors import WorkflowUnknown
from enterprise_access.apps.provisioning.services.explaining import explain
from enterprise_access.apps.provisioning.services.provisioning import get_progress


class Command(BaseCommand):
    """Explain the state of a workflow in plain words."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workflow", type=UUID, help="The UUID of the workflow.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            progress = get_progress(workflow_uuid=options["workflow"])
        except WorkflowUnknown as error:
            raise CommandError(error.detail) from None
        self.stdout.write(explain(progress))

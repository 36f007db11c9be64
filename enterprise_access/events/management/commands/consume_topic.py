"""Consume one topic of the event bus."""

import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

from enterprise_access.lib.monitoring import serve_metrics


class Command(BaseCommand):
    """Consume one topic until the process is told to stop. Run one process per topic, and restart it always."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("topic", help="Topic, without the prefix (EVENT_BUS_TOPIC_PREFIX).")
        parser.add_argument(
            "--name",
            default=socket.gethostname(),
            help=(
                "Name of this consumer in its group. A consumer that restarts under its name immediately continues "
                "with the messages it had read; those of others are taken over after EVENT_BUS_CLAIM_AFTER_SECONDS. "
                "Default: the host name."
            ),
        )
        parser.add_argument(
            "--try-set-aside-again",
            action="store_true",
            help="Handle the messages that were set aside again, and exit.",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        serve_metrics()
        # Not through openedx_events: it turns a consumer that cannot be built into one that does nothing.
        consumer = import_string(settings.EVENT_BUS_CONSUMER)(
            topic=options["topic"], group_id=settings.EVENT_BUS_GROUP, consumer_name=options["name"]
        )
        if options["try_set_aside_again"]:
            succeeded, failed = consumer.try_again()
            self.stdout.write(f"Handled {succeeded}; {failed} stay set aside.")
        else:
            consumer.consume_indefinitely()

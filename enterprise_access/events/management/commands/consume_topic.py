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
        parser.add_argument("topic", help="Without the prefix of the environment (EVENT_BUS_TOPIC_PREFIX).")
        parser.add_argument(
            "--name",
            default=socket.gethostname(),
            help="Of this consumer within its group. One that comes back under its name goes on at once with what it"
            " had in hand; that of others is taken over later (EVENT_BUS_CLAIM_AFTER_SECONDS). Default: the host's.",
        )
        parser.add_argument(
            "--try-set-aside-again", action="store_true", help="Handle the messages set aside once more, and end."
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

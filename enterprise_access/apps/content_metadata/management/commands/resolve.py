"""`manage.py resolve`: what support needs at three in the morning."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.timesince import timesince

from enterprise_access.apps.content_metadata.domain import CourseRun, Resolved, content_type_of
from enterprise_access.apps.content_metadata.selectors import (
    Content,
    KnownModes,
    fetch_content,
    list_modes,
    refresh_content,
    with_other_evidence,
)
from enterprise_access.apps.course_types.domain.modes import deadline, downgrade_target, is_expired, pick, want
from enterprise_access.apps.customers.services import get_customer_named
from enterprise_access.lib.errors import ServiceError
from enterprise_access.lib.keys import fold


class Command(BaseCommand):
    """Print what a key resolves to for a customer: from which source, how old, in which catalogs, which mode."""

    help = "Print what a content key resolves to for a customer, the age of the data, and the mode."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("content_key", help="edX+DemoX or course-v1:edX+DemoX+2026_T1")
        parser.add_argument("--customer", required=True, help="Slug or UUID.")
        parser.add_argument("--fresh", action="store_true", help="Ask the catalog service, even if the key is cached.")

    def handle(self, *args: Any, **options: Any) -> None:
        key = options["content_key"]
        try:
            content_type = content_type_of(key)
            customer = get_customer_named(slug_or_uuid=options["customer"])
            fetch = refresh_content if options["fresh"] else fetch_content
            content = fetch(customer_uuid=customer.pk, content_keys=[key])[fold(key)]
        except ServiceError as error:
            raise CommandError(error.detail) from error
        now = timezone.now()
        self.say("customer", f"{customer.name} ({customer.pk})")
        self.say("key", f"{key} ({content_type.value.replace('_', ' ')} key)")
        self.say_content(content, now)
        if isinstance(content.resolution, Resolved):
            run = content.resolution.run
            self.say_run(run, now)
            stored = list_modes(course_run_keys=[run.key], now=now)
            self.say_modes(with_other_evidence(stored, [content.resolution]).get(fold(run.key)), run, now)

    def say(self, name: str, value: object) -> None:
        self.stdout.write(f"{name + ':':<22}{value}")

    def say_content(self, content: Content, now: datetime) -> None:
        resolution = content.resolution
        if isinstance(resolution, Resolved):
            self.say("course", f"{resolution.course.key} “{resolution.course.title}”, {resolution.course.course_type}")
            self.say("run", resolution.run.key)
        else:
            self.say("not resolved", resolution.reason.value)
        self.say("source", _source(content, now))
        if content.catalogs is None:
            self.say("catalogs", "could not be asked")
        else:
            self.say("catalogs", ", ".join(map(str, content.catalogs)) or "none of this customer contains it")

    def say_run(self, run: CourseRun, now: datetime) -> None:
        self.say("status", run.status)
        self.say("enrollment", f"{_day(run.enrollment_starts_at, now)} to {_day(run.enrollment_ends_at, now)}")
        self.say("runs", f"{_day(run.starts_at, now)} to {_day(run.ends_at, now)}")

    def say_modes(self, known: KnownModes | None, run: CourseRun, now: datetime) -> None:
        if known is None:
            self.say("modes", "not known")
            return
        each = (f"{slug} (until {_day(until, now)})" if until else slug for slug, until in known.modes.items())
        self.say("modes", ", ".join(each) or "none: audit only")
        age = f", read {timesince(known.fetched_at, now)} ago" if known.fetched_at else ""
        self.say("modes known from", known.evidence.value + age)
        self.say("invitation only", "yes" if known.is_invitation_only else "no")
        picked = pick(known.modes)
        expired = is_expired(known.modes.get(picked), now=now)
        self.say("the LMS would pick", picked + (", which is EXPIRED" if expired else ""))
        self.say("we want", want(known.modes, now=now) or "nothing that is left")
        self.say("until", _day(deadline(picked, upgrade_deadlines=run.upgrade_deadlines), now))
        self.say("without a license", downgrade_target(known.modes).value)


def _source(content: Content, now: datetime) -> str:
    if content.fetched_at is None:
        return "none: the catalog service could not be asked, and nothing is cached"
    stale = ", STALE: the catalog service could not be asked" if content.is_stale else ""
    return f"enterprise-catalog, read {timesince(content.fetched_at, now)} ago{stale}"


def _day(instant: datetime | None, now: datetime) -> str:
    if instant is None:
        return "no limit"
    return f"{instant:%Y-%m-%d %H:%M} UTC ({'past' if instant < now else 'to come'})"

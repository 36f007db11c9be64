"""`manage.py explain_default_enrollments CUSTOMER LMS_USER_ID`: why a learner has or lacks what is intended."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from enterprise_access.apps.customers.services import get_customer_named
from enterprise_access.apps.default_enrollments.services.explaining import as_plain_data, explain_learner
from enterprise_access.lib.errors import ServiceError

Plain = dict[str, Any]


class Command(BaseCommand):
    """Explain every intention of a customer for one learner."""

    help = (
        "Say why a learner has, or does not have, what the customer intends: the rule, the reason, what would have to"
        " change, and the facts with their age. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("customer", help="Slug or uuid.")
        parser.add_argument("lms_user_id", type=int, help="The learner.")
        parser.add_argument("--json", action="store_true", help="Everything, for machines.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 < options["lms_user_id"] < 2**63:
            raise CommandError("The LMS user id is a positive whole number.")
        try:
            customer = get_customer_named(slug_or_uuid=options["customer"])
            explanation = explain_learner(customer_uuid=customer.pk, lms_user_id=options["lms_user_id"])
        except ServiceError as error:
            raise CommandError(error.detail) from error
        plain = as_plain_data(explanation)
        if options["json"]:
            self.stdout.write(json.dumps(plain, cls=DjangoJSONEncoder, indent=2))
            return
        self.stdout.write(f"Learner {explanation.lms_user_id} of {customer.name} ({customer.slug}), {customer.pk}")
        for line in _lines(plain):
            self.stdout.write(line)


def _lines(plain: Plain) -> Iterator[str]:
    customer, link = plain["customer"], plain["link"]
    yield f"  customer: {'active' if customer['is_active'] else 'switched off'}, as of {_utc(customer['fetched_at'])}"
    if customer["is_paused"]:
        yield "  Staff have stopped enrolling: nothing is sent before they go on."
    linked = "linked" if link["is_linked"] else "not linked"
    yield f"  link: {linked}, as of {_utc(link['fetched_at'])}" if link["fetched_at"] else f"  link: {linked}"
    if plain["stale"]:
        yield "  The LMS does not answer; this is as it was when it last did."
    yield from _request_lines(plain["request"])
    if not plain["intentions"]:
        yield "The customer intends nothing."
    for entry in plain["intentions"]:
        yield ""
        yield from _intention_lines(entry)
    yield ""
    yield plain["note"]


def _request_lines(request: Plain | None) -> Iterator[str]:
    if request is None:
        yield "  Nobody has asked for this learner yet: a login, a visit to the portal or a backfill does."
    elif request["dead_at"]:
        yield f"  Given up since {_utc(request['dead_at'])}: nothing happens before somebody of staff has looked."
    elif request["due_at"]:
        yield f"  next look: {_utc(request['due_at'])}"
    else:
        yield "  No look is planned; see below what brings one."
    if request and request["waiting_for"]:
        yield f"  because of {request['waiting_for']['code']}: {request['waiting_for']['text']}"


def _intention_lines(entry: Plain) -> Iterator[str]:
    if entry["is_deleted"]:
        yield f"{entry['content_key']}: the intention was deleted; what was realized stays."
    else:
        reason = entry["reason"]
        yield f"{entry['content_key']}: {entry['bucket']} ({reason['code']}, rule {entry['rule']})"
        yield f"  {reason['text']}"
        yield f"  What would change it: {reason['what_would_change_it']}"
    if entry["obstacle"]:
        yield f"  The last attempt came to nothing ({entry['obstacle']['code']}): {entry['obstacle']['text']}"
        yield f"  What would change it: {entry['obstacle']['what_would_change_it']}"
    if entry["has_override"]:
        yield "  Staff gave leave to enroll once more."
    yield from _fact_lines(entry)


def _fact_lines(entry: Plain) -> Iterator[str]:
    content, modes = entry["content"], entry["modes"]
    if content and content["fetched_at"]:
        stands_for = content["course_run_key"] or content["unresolved"]
        catalogs = "unknown" if content["catalogs"] is None else len(content["catalogs"])
        yield f"  content: {stands_for}, in catalogs: {catalogs}, as of {_utc(content['fetched_at'])}"
    if modes:
        slugs = ", ".join(mode["slug"] for mode in modes["modes"]) or "none"
        yield f"  modes: {slugs} (from {modes['evidence']})"
    for row in entry["enrollments"]:
        state = "active" if row["is_active"] else "inactive"
        yield f"  enrollment: {row['course_run_key']}, {row['mode']}, {state}, as of {_utc(row['fetched_at'])}"
    for row in entry["realizations"]:
        left = f", left {_utc(row['left_at'])} ({row['left_reason']})" if row["left_at"] else ""
        yield f"  realized: {row['course_run_key']}, {row['mode']}, {_utc(row['realized_at'])}{left}"
    for row in entry["attempts"]:
        yield f"  attempt: {_utc(row['last_at'])} {row['outcome']} {row['reason']} ({row['times']} times)"


def _utc(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

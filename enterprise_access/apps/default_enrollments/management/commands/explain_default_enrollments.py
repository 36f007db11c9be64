"""`manage.py explain_default_enrollments CUSTOMER LEARNER`: why a learner has or lacks what is intended."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from enterprise_access.apps.customers.services import find_learners, get_customer_named
from enterprise_access.apps.default_enrollments.services.learners.explaining import explain_learner
from enterprise_access.apps.default_enrollments.services.learners.explanation_data import as_plain_data
from enterprise_access.lib.errors import ServiceError

Plain = dict[str, Any]


class Command(BaseCommand):
    """Explain every intention of a customer for one learner."""

    help = (
        "Explain why a learner is or is not enrolled in the customer's default enrollments: the rule, the reason, "
        "what would change it, and the facts with their age. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("customer", help="Slug or UUID.")
        parser.add_argument("learner", help="LMS user id, username or email address (looked up in the LMS).")
        parser.add_argument("--json", action="store_true", help="Print everything as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            customer = get_customer_named(slug_or_uuid=options["customer"])
            lms_user_id = _learner(str(options["learner"]), customer.pk)
            explanation = explain_learner(customer_uuid=customer.pk, lms_user_id=lms_user_id)
        except ServiceError as error:
            raise CommandError(error.detail) from error
        plain = as_plain_data(explanation)
        if options["json"]:
            self.stdout.write(json.dumps(plain, cls=DjangoJSONEncoder, indent=2))
            return
        self.stdout.write(f"Learner {explanation.lms_user_id} of {customer.name} ({customer.slug}), {customer.pk}")
        for line in _lines(plain):
            self.stdout.write(line)


def _learner(text: str, customer_uuid: UUID) -> int:
    """Return the learner. An id is taken as it is, so that somebody who is not linked can be explained, too."""
    if text.isascii() and text.isdigit() and 0 < int(text) < 2**63:
        return int(text)
    answer = find_learners(text=text, customer_uuid=customer_uuid)
    found = answer.learners
    if answer.is_incomplete:
        raise CommandError("A part of the LMS's answer could not be read. Try again, or give the LMS user id.")
    if not found:
        raise CommandError(
            "The LMS knows no such learner of this customer. Check the spelling, or give the LMS user id."
        )
    if len(found) > 1:
        ids = ", ".join(str(row.lms_user_id) for row in found)
        raise CommandError(f"Several learners of this customer have it. Give the LMS user id: {ids}.")
    return found[0].lms_user_id


def _lines(plain: Plain) -> Iterator[str]:
    customer, link = plain["customer"], plain["link"]
    yield plain["sentence"]
    yield ""
    yield f"  customer: {'active' if customer['is_active'] else 'switched off'}, as of {_utc(customer['fetched_at'])}"
    if customer["is_paused"]:
        yield "  Enrollments are paused: nothing is sent until staff resume them."
    linked = "linked" if link["is_linked"] else "not linked"
    yield f"  link: {linked}, as of {_utc(link['fetched_at'])}" if link["fetched_at"] else f"  link: {linked}"
    if plain["stale"]:
        yield "  The LMS did not answer. These are older facts."
    yield from _request_lines(plain["request"])
    if not plain["intentions"]:
        yield "The customer has no default enrollments."
    for entry in plain["intentions"]:
        yield ""
        yield from _intention_lines(entry)
    if plain["enrollments_after_approvals"]:
        yield ""
        yield "Approved requests:"
    for one in plain["enrollments_after_approvals"]:
        reason = f" ({one['reason']})" if one["reason"] else ""
        yield f"  {_utc(one['at'])} {one['text']}{reason}"
    yield ""
    yield plain["note"]


def _request_lines(request: Plain | None) -> Iterator[str]:
    if request is None:
        yield "  Never queued for evaluation: a login, a visit to the portal or a backfill queues the learner."
    elif request["dead_at"]:
        yield f"  Failed since {_utc(request['dead_at'])}: nothing happens until staff retry the request."
    elif request["due_at"]:
        yield f"  next check: {_utc(request['due_at'])}"
    else:
        yield "  No check is scheduled."
    if request and request["waiting_for"]:
        yield f"  because of {request['waiting_for']['code']}: {request['waiting_for']['text']}"


def _intention_lines(entry: Plain) -> Iterator[str]:
    yield f"{entry['content_key']}: {'deleted' if entry['is_deleted'] else entry['state']}"
    yield f"  {entry['sentence']}"
    for reason in entry["blocking_reasons"]:
        yield f"  {reason['code']}: {reason['text']}"
        yield f"  What would change it: {reason['what_would_change_it']}"
    if not entry["is_deleted"]:
        yield f"  decision: {entry['bucket']} ({entry['reason']['code']}, rule {entry['rule']})"
    if entry["has_override"]:
        yield "  Staff allowed one re-enrollment."
    yield from _fact_lines(entry)


def _fact_lines(entry: Plain) -> Iterator[str]:
    content, modes = entry["content"], entry["modes"]
    if content and content["fetched_at"]:
        resolved = content["course_run_key"] or content["unresolved"]
        catalogs = "unknown" if content["catalogs"] is None else len(content["catalogs"])
        yield f"  content: {resolved}, in catalogs: {catalogs}, as of {_utc(content['fetched_at'])}"
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

"""An explanation as plain text, for a support ticket. Names the learner by LMS user id only."""

from collections.abc import Iterator
from datetime import UTC, datetime

from enterprise_access.apps.default_enrollments.services.learners.explanation import (
    ExplainedIntention,
    LearnerExplanation,
)


def as_ticket(explanation: LearnerExplanation) -> str:
    """Return the answer, the reason codes and the age of the facts, a line each."""
    return "\n".join(_lines(explanation))


def _lines(explanation: LearnerExplanation) -> Iterator[str]:
    current, request = explanation.current, explanation.request
    yield explanation.sentence
    yield ""
    yield f"Customer: {explanation.customer_name} ({explanation.customer_uuid})"
    yield f"Learner (LMS user id): {explanation.lms_user_id}"
    yield f"As of: {_utc(explanation.now)}"
    for entry in explanation.intentions:
        yield f"- {entry.intention.content_key}: {_codes(entry)}"
        if entry.attempts:
            last = entry.attempts[0]
            because = f" ({last.reason})" if last.reason else ""
            yield f"  Last attempt: {_utc(last.last_seen_at)}, {last.get_outcome_display()}{because}"
    if request is None:
        yield "Next check: none; the learner was never queued for evaluation"
    elif request.dead_at is not None:
        yield f"Next check: none; the request failed {_utc(request.dead_at)}"
    else:
        yield f"Next check: {_utc(request.due_at) if request.due_at else 'none scheduled'}"
    if explanation.is_paused:
        yield "Enrollments are paused."
    link, rows = current.learner.fetched_at if current.learner else None, current.enrollments_read_at
    yield f"Read from the LMS: customer {_utc(current.customer_read_at)}, link {_read(link)}, enrollments {_read(rows)}"


def _codes(entry: ExplainedIntention) -> str:
    if entry.verdict is None:
        return "deleted"
    codes = ", ".join(reason.code for reason in entry.blocking) or entry.verdict.reason
    return f"{entry.state}, {codes} (rule {entry.verdict.rule})"


def _read(read_at: datetime | None) -> str:
    return _utc(read_at) if read_at else "never"


def _utc(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

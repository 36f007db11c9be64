"""What the actions of several lists have in common: who may, what is said and what is written down."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model
from django.http import HttpRequest

from enterprise_access.apps.default_enrollments.services.operations.steering import RequeueResult, realize_all_now
from enterprise_access.lib import clock

# Whoever may change what is owed may ask for a look, and revive what was given up.
MAY_STEER = "default_enrollments.change_realizationrequest"
MAY_OVERRIDE = "default_enrollments.add_realizationoverride"


def note(request: HttpRequest, rows: Iterable[Model], message: str) -> None:
    """Write down, row by row, what somebody did."""
    chosen = list(rows)
    if chosen:
        LogEntry.objects.log_actions(
            user_id=request.user.pk or 0, queryset=chosen, action_flag=CHANGE, change_message=message
        )


def look_now(request: HttpRequest, rows: list[Any], learners: Iterable[tuple[Any, int]]) -> None:
    """Ask for a look at these learners, and say what came of it."""
    say(request, realize_all_now(learners=learners, now=clock.now()))
    note(request, rows, "Queued for evaluation.")


def say(request: HttpRequest, asked: RequeueResult) -> None:
    """Tell what came of asking."""
    if asked.now:
        messages.success(request, f"{plural(asked.now, 'learner')} will be evaluated in a moment.")
    if asked.dead:
        messages.warning(
            request,
            f"{plural(asked.dead, 'learner')} had failed, and will not be evaluated until the request is "
            "retried: see the requests.",
        )


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

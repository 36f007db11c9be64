"""Why has one learner got, or not got, what the customer intends? Tells what `explain_learner` says, and no more."""

from datetime import datetime
from functools import reduce
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from enterprise_access.apps.content_metadata.domain import Resolved
from enterprise_access.apps.default_enrollments.admin.acting import MAY_OVERRIDE, MAY_STEER, note, say
from enterprise_access.apps.default_enrollments.admin.choosing import LearnerForm
from enterprise_access.apps.default_enrollments.domain.answers import IntentionState
from enterprise_access.apps.default_enrollments.domain.looking_again import RecheckEvent, Schedule
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.domain.values import Rule, VerdictKind
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt, RealizationRequest
from enterprise_access.apps.default_enrollments.services.learners.explaining import explain_learner
from enterprise_access.apps.default_enrollments.services.learners.explanation import (
    ExplainedIntention,
    LearnerExplanation,
    ReasonInWords,
)
from enterprise_access.apps.default_enrollments.services.learners.refreshing import refresh_learner
from enterprise_access.apps.default_enrollments.services.learners.ticket import as_ticket
from enterprise_access.apps.default_enrollments.services.operations.steering import realize_now
from enterprise_access.lib import clock
from enterprise_access.lib.errors import ServiceError
from enterprise_access.lib.keys import fold
from enterprise_access.lib.timeline import get_timeline
from enterprise_access.lib.wording import in_words

MAY_SEE = "default_enrollments.view_realizationattempt"
# What an override lets pass.
OVERRIDABLE: Final = (Rule.D2, Rule.D5)

EVENTS: Final = {
    RecheckEvent.CONTENT_CHANGE: "the course, its runs, modes or catalogs change",
    RecheckEvent.LICENSE_CHANGE: "the learner's license changes",
    RecheckEvent.LOGIN: "the learner signs in",
    RecheckEvent.LINK: "the learner is linked",
    RecheckEvent.CUSTOMER_ACTIVE: "the customer becomes active",
    RecheckEvent.OVERRIDE: "staff give an override",
}

# How an intention stands, in a word or two, and how it looks.
STATES: Final = {
    IntentionState.ENROLLED: ("Enrolled", "good"),
    IntentionState.PENDING: ("Pending", "warn"),
    IntentionState.BLOCKED: ("Not enrolled", "bad"),
}
NOT_UPGRADED = ("Not upgraded", "bad")
DELETED = ("Intention deleted", "")


def why_view(request: HttpRequest) -> TemplateResponse | HttpResponseRedirect:
    """Ask for customer and learner, and explain; on POST, queue the learner or read the facts again."""
    if not request.user.has_perm(MAY_SEE):
        raise PermissionDenied
    form = LearnerForm(request.GET if request.GET else None)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Why?",
        "form": form,
        "may_steer": request.user.has_perm(MAY_STEER),
        "may_override": request.user.has_perm(MAY_OVERRIDE),
    }
    if "lms_user_id" not in request.GET:
        # Only a customer (or no one) was chosen so far, which is no mistake.
        context["form"] = LearnerForm(initial={"customer": request.GET.get("customer", "")})
    elif form.is_valid():
        customer, lms_user_id = form.cleaned_data["customer"], form.cleaned_data["lms_user_id"]
        if request.method == "POST":
            act = _refresh if "refresh" in request.POST else _look_now
            return act(request, customer.pk, lms_user_id)
        context |= {"customer": customer, "lms_user_id": lms_user_id, "title": f"Why? Learner {lms_user_id}"}
        context |= _explained(customer.pk, lms_user_id)
        context["links"] = _links(customer.pk, lms_user_id)
        context["timeline"] = get_timeline(customer_uuid=customer.pk, lms_user_id=lms_user_id)
    return TemplateResponse(request, "default_enrollments/why.html", context)


def why_url(customer_uuid: UUID, lms_user_id: int) -> str:
    """Return where one learner of one customer is explained."""
    return f"{reverse('why')}?{urlencode({'customer': customer_uuid, 'lms_user_id': lms_user_id})}"


def why_link(customer_uuid: UUID, lms_user_id: int) -> SafeString:
    """Return the link to there, for a column of a list."""
    return format_html(
        '<a href="{}" aria-label="Why? Learner {}">Why?</a>', why_url(customer_uuid, lms_user_id), lms_user_id
    )


def _look_now(request: HttpRequest, customer_uuid: UUID, lms_user_id: int) -> HttpResponseRedirect:
    if not request.user.has_perm(MAY_STEER):
        raise PermissionDenied
    say(request, realize_now(customer_uuid=customer_uuid, lms_user_ids=[lms_user_id], now=clock.now()))
    rows = RealizationRequest.objects.filter(customer_id=customer_uuid, lms_user_id=lms_user_id)
    note(request, rows, "Queued for evaluation.")
    return HttpResponseRedirect(why_url(customer_uuid, lms_user_id))


def _refresh(request: HttpRequest, customer_uuid: UUID, lms_user_id: int) -> HttpResponseRedirect:
    """Read everything again that the page shows of upstream services."""
    if not request.user.has_perm(MAY_STEER):
        raise PermissionDenied
    silent = refresh_learner(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    if silent:
        names = " and ".join(silent)
        messages.warning(request, f"Not everything was read again: {names} did not answer. Try again in a minute.")
    else:
        messages.success(request, "Everything was read again just now.")
    return HttpResponseRedirect(why_url(customer_uuid, lms_user_id))


def _links(customer_uuid: UUID, lms_user_id: int) -> list[tuple[str, str]]:
    """Return the learner's pages elsewhere, as far as the installation has named them."""
    pages = (
        ("Open in LMS", settings.SUPPORT_LMS_URL),
        ("Open in license-manager", settings.SUPPORT_LICENSE_MANAGER_URL),
    )
    filled = {"{lms_user_id}": str(lms_user_id), "{enterprise_customer_uuid}": str(customer_uuid)}
    return [(name, reduce(lambda url, item: url.replace(*item), filled.items(), url)) for name, url in pages if url]


def _explained(customer_uuid: UUID, lms_user_id: int) -> dict[str, Any]:
    """Return what the page says; when an upstream service is silent and there is no copy, what was recorded before."""
    try:
        explanation = explain_learner(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    except ServiceError as error:
        return {"problem": error.detail, "attempts": _attempts(customer_uuid, lms_user_id)}
    return {
        "explanation": explanation,
        "silent": _silent(explanation),
        "ticket": as_ticket(explanation),
        "oldest": _oldest(explanation),
        "entries": [_entry(entry) for entry in explanation.intentions],
    }


def _silent(explanation: LearnerExplanation) -> str:
    """Return the upstream services that did not answer, as far as what they said last had to do; empty: all did."""
    contents = [entry.content for entry in explanation.intentions if entry.content is not None]
    is_catalog_silent = any(content.is_stale or content.fetched_at is None for content in contents)
    silent = {"the LMS": explanation.current.is_stale, "the catalog service": is_catalog_silent}
    return " and ".join(name for name, is_silent in silent.items() if is_silent)


def _oldest(explanation: LearnerExplanation) -> datetime:
    """Return when the oldest fact was read that the answer is made from."""
    current = explanation.current
    contents = [entry.content.fetched_at for entry in explanation.intentions if entry.content is not None]
    link = current.learner.fetched_at if current.learner else None
    ages = [current.customer_read_at, link, current.enrollments_read_at, *contents]
    return min(age for age in ages if age is not None)


def _entry(entry: ExplainedIntention) -> dict[str, Any]:
    """Return one intention as the page shows it."""
    verdict, resolution = entry.verdict, entry.content.resolution if entry.content else None
    state, look = STATES[entry.state] if verdict else DELETED
    if verdict and verdict.kind is VerdictKind.UPGRADE and entry.state is IntentionState.BLOCKED:
        state, look = NOT_UPGRADED
    return {
        "it": entry,
        "state": state,
        "look": look,
        "course": resolution.course if resolution else None,
        "run": resolution.run if isinstance(resolution, Resolved) else None,
        "reason": _told(entry.reason),
        "blocking": [_told(reason) for reason in entry.blocking],
        "modes": sorted(entry.modes.modes.items()) if entry.modes else None,
        "enrollments": [(row, fold(row.course_run_key) in entry.revoked_runs) for row in entry.enrollments],
        "attempts": [_told_attempt(row) for row in entry.attempts],
        "can_be_overridden": verdict is not None and verdict.rule in OVERRIDABLE and not entry.has_override,
    }


def _told(reason: ReasonInWords | None) -> dict[str, Any] | None:
    """Return a reason with the sentence on its next look. Nothing is looked at again that needs nothing."""
    if reason is None:
        return None
    events = [EVENTS[RecheckEvent(name)] for name in reason.looked_at_again_upon]
    by_itself = "" if reason.looked_at_again == Schedule.NO_TIME.value else reason.looked_at_again
    return {"it": reason, "by_itself": by_itself, "when": " or ".join(events)}


def _attempts(customer_uuid: UUID, lms_user_id: int) -> list[dict[str, Any]]:
    rows = RealizationAttempt.objects.newest().latest_of([lms_user_id], customer_uuid).select_related("intention")
    return [_told_attempt(row) for row in rows]


def _told_attempt(row: RealizationAttempt) -> dict[str, Any]:
    words = in_words(row.reason)
    is_explained = row.outcome in (Outcome.BLOCKED, Outcome.IN_DOUBT)
    return {"it": row, "words": words, "sentence": explain(row.reason).text if is_explained else words}

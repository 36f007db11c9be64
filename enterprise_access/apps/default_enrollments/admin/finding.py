"""Finding a learner from any admin page: by LMS user id, username or email address."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse

from enterprise_access.apps.customers.services import FoundLearners, find_learners
from enterprise_access.apps.default_enrollments.admin.why import MAY_SEE, why_url
from enterprise_access.lib.errors import ServiceError


def find_learner_view(request: HttpRequest) -> TemplateResponse | HttpResponseRedirect:
    """Look a learner up, and go to the page that explains; where several are found, let one be chosen.

    The text is sent in the body of a POST, so that an email address stands in no address and in no log.
    """
    if not request.user.has_perm(MAY_SEE):
        raise PermissionDenied
    text = request.POST.get("learner", "").strip()
    context: dict[str, Any] = {**admin.site.each_context(request), "title": "Find a learner", "text": text}
    if text:
        try:
            found = find_learners(text=text)
        except ServiceError as error:
            context["problem"] = error.detail
        else:
            if len(found.learners) == 1 and not found.is_incomplete and found.learners[0].customer_name:
                only = found.learners[0]
                return HttpResponseRedirect(why_url(only.customer_uuid, only.lms_user_id))
            context |= _shown(found)
    return TemplateResponse(request, "default_enrollments/find_learner.html", context)


def _shown(found: FoundLearners) -> dict[str, Any]:
    return {
        "rows": [(row, why_url(row.customer_uuid, row.lms_user_id)) for row in found.learners],
        "is_from_copies": found.is_from_copies,
        "is_incomplete": found.is_incomplete,
        "is_searched": True,
    }

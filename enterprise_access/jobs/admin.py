"""Jobs in the admin: what was started by whom, how far it is, and the outcome of each row."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from enterprise_access.jobs.kinds import KINDS, FollowUp, Kind
from enterprise_access.jobs.models import Job, JobState
from enterprise_access.jobs.services import cancel_job, retry_job, start_job
from enterprise_access.lib.admin import BoundedPaginator, ReadOnlyAdmin
from enterprise_access.lib.csv_files import write_table

# How many results a page shows. The file has all of them.
MAX_SHOWN: Final = 500


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs of the kinds that the user may start."""

    change_form_template = "jobs/job.html"
    list_display = ["title", "state", "progress", "created_by", "created_at", "finished_at"]
    list_filter = ["state"]
    list_select_related = ["created_by"]
    search_fields = ["title"]
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator

    @admin.display(description="progress")
    def progress(self, job: Job) -> str:
        return str(job.done) if job.total is None else f"{job.done} of {job.total}"

    # --- who may ---------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(kind__in=_kinds_of(request)).defer("parameters", "cursor")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(_kinds_of(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        mine = _kinds_of(request)
        return bool(mine) if obj is None else obj.kind in mine

    # --- the page of a job -------------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        mine = [
            path("<uuid:job_uuid>/cancel/", view(self.cancel_view), name="cancel_job"),
            path("<uuid:job_uuid>/retry/", view(self.retry_view), name="retry_job"),
            path("<uuid:job_uuid>/apply/", view(self.apply_view), name="apply_job"),
            path("<uuid:job_uuid>/results/", view(self.results_view), name="job_results"),
        ]
        return [*mine, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        job = self.get_object(request, object_id)
        context = {**_context_of(job), **(extra_context or {})} if isinstance(job, Job) else extra_context
        return super().change_view(request, object_id, form_url, context)

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, job_uuid: UUID) -> HttpResponse:
        """End a job before its next step."""
        job = self._job(request, job_uuid)
        if cancel_job(job_uuid=job.pk):
            messages.success(request, "The job is canceled. What it has done stays done.")
        else:
            messages.info(request, "The job had ended already. Nothing was changed.")
        return HttpResponseRedirect(url_of(job))

    @method_decorator(require_POST)
    def retry_view(self, request: HttpRequest, job_uuid: UUID) -> HttpResponse:
        """Let a job that stopped continue."""
        job = self._job(request, job_uuid)
        if retry_job(job_uuid=job.pk):
            messages.success(request, "The job continues where it stopped.")
        else:
            messages.info(request, "The job had not stopped. Nothing was changed.")
        return HttpResponseRedirect(url_of(job))

    @method_decorator(require_POST)
    def apply_view(self, request: HttpRequest, job_uuid: UUID) -> HttpResponse:
        """Start the job that applies the results of this one; the second time, show it."""
        job = self._job(request, job_uuid)
        offer = _offer_of(job, _count_outcomes(job))
        if offer is None:
            messages.info(request, "There is nothing to apply.")
            return HttpResponseRedirect(url_of(job))
        chosen = {offer.choice[0]: True} if offer.choice and offer.choice[0] in request.POST else {}
        following = start_job(
            kind=job.kind,
            title=f"{offer.button}: {job.title}",
            parameters={**offer.parameters, **chosen},
            by=request.user,
            total=job.total,
            continues=job,
        )
        return HttpResponseRedirect(url_of(following))

    def results_view(self, request: HttpRequest, job_uuid: UUID) -> HttpResponse:
        """Hand out all results as a CSV file."""
        job = self._job(request, job_uuid)
        kind = KINDS[job.kind]
        table = write_table([*kind.columns, "outcome", "text"], _cells_of(job, kind))
        answer = HttpResponse(table, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="results-{job.pk}.csv"'
        return answer

    def _job(self, request: HttpRequest, job_uuid: UUID) -> Job:
        job = get_object_or_404(Job, pk=job_uuid)
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        return job


def url_of(job: Job) -> str:
    """Return the address of a job's page."""
    return reverse("admin:jobs_job_change", args=[job.pk])


def _kinds_of(request: HttpRequest) -> list[str]:
    return [kind.name for kind in KINDS.values() if request.user.has_perm(kind.permission)]


def _count_outcomes(job: Job) -> dict[str, int]:
    return dict(job.results.order_by().values_list("outcome").annotate(Count("pk")))


def _offer_of(job: Job, counts: dict[str, int]) -> FollowUp | None:
    return KINDS[job.kind].apply(job.parameters, counts) if job.state == JobState.FINISHED else None


def _context_of(job: Job) -> dict[str, Any]:
    kind, counts = KINDS[job.kind], _count_outcomes(job)
    return {
        "title": job.title,
        "job": job,
        "columns": kind.columns,
        "counts": [(label, counts.get(outcome, 0)) for outcome, label in kind.outcomes.items()],
        "results": [(row, kind.outcomes.get(row.outcome, row.outcome)) for row in job.results.all()[:MAX_SHOWN]],
        "max_shown": MAX_SHOWN,
        "has_more": sum(counts.values()) > MAX_SHOWN,
        "offer": _offer_of(job, counts),
        "following": Job.objects.filter(continues=job).first(),
    }


def _cells_of(job: Job, kind: Kind) -> Iterator[list[str]]:
    for row in job.results.iterator(chunk_size=1000):
        yield [*map(str, row.cells), kind.outcomes.get(row.outcome, row.outcome), row.text]

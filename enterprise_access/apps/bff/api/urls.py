"""Mounted under the API's version by the project's urls."""

from django.urls import path

from enterprise_access.apps.bff.api.views import AcademyView, DashboardView, SearchView, SkillsQuizView

PREFIX = "bffs/learner"

urlpatterns = [
    path(f"{PREFIX}/dashboard/", DashboardView.as_view(), name="portal-dashboard"),
    path(f"{PREFIX}/search/", SearchView.as_view(), name="portal-search"),
    path(f"{PREFIX}/academy/", AcademyView.as_view(), name="portal-academy"),
    path(f"{PREFIX}/skills-quiz/", SkillsQuizView.as_view(), name="portal-skills-quiz"),
]

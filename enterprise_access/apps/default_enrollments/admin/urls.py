"""The admin pages of this app that belong to no table. Mounted before those of the tables."""

from django.contrib import admin
from django.urls import path

from enterprise_access.apps.default_enrollments.admin.activity import activity_view
from enterprise_access.apps.default_enrollments.admin.finding import find_learner_view
from enterprise_access.apps.default_enrollments.admin.overview import overview_view
from enterprise_access.apps.default_enrollments.admin.why import why_view

urlpatterns = [
    path("overview/", admin.site.admin_view(overview_view), name="overview"),
    path("overview/<uuid:customer_uuid>/", admin.site.admin_view(overview_view), name="customer_overview"),
    path("activity/<uuid:customer_uuid>/", admin.site.admin_view(activity_view), name="activity"),
    path("find-learner/", admin.site.admin_view(find_learner_view), name="find_learner"),
    path("why/", admin.site.admin_view(why_view), name="why"),
]

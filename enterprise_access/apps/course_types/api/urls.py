"""Mounted under the API's version by the project's urls."""

from django.urls import path

from enterprise_access.apps.course_types.api.views import (
    CheckTransitionView,
    CourseTypesView,
    CourseTypeView,
    FlatView,
    ProductsView,
    TypedCourseView,
    TypedRunView,
)

TYPES = "course-types"
COURSES = "typed-courses/<str:course_key>"

urlpatterns = [
    path(f"{TYPES}/", CourseTypesView.as_view(), name="course-types"),
    path(f"{TYPES}/flat/", FlatView.as_view(), name="course-types-flat"),
    path(f"{TYPES}/check-transition/", CheckTransitionView.as_view(), name="course-types-check-transition"),
    path(f"{TYPES}/<slug:slug>/", CourseTypeView.as_view(), name="course-type"),
    path(f"{COURSES}/", TypedCourseView.as_view(), name="typed-course"),
    path(f"{COURSES}/products/", ProductsView.as_view(), name="typed-course-products"),
    path(f"{COURSES}/runs/<str:run_key>/", TypedRunView.as_view(), name="typed-course-run"),
]

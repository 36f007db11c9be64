"""Types of courses, and what courses are for, over REST: parse, authorize, one call, render."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.course_types.api.access import reader_of, writer_of
from enterprise_access.apps.course_types.api.renderers import CsvRenderer
from enterprise_access.apps.course_types.api.serializers.changes import (
    AssignCourseTypeSerializer,
    AssignRunTypeSerializer,
    CheckTransitionSerializer,
    TransitionSerializer,
    render_transition,
)
from enterprise_access.apps.course_types.api.serializers.products import ProductsSerializer, render_products
from enterprise_access.apps.course_types.api.serializers.types import (
    CourseTypeSerializer,
    FlatRowSerializer,
    TypedCourseSerializer,
    TypedRunSerializer,
    render_course_type,
    render_typed_course,
    render_typed_run,
)
from enterprise_access.apps.course_types.domain.asking import Level, Question
from enterprise_access.apps.course_types.selectors import get_graph, get_typed_course
from enterprise_access.apps.course_types.services.assigning import assign_course_type, assign_run_type
from enterprise_access.apps.course_types.services.exporting import flat_rows
from enterprise_access.apps.course_types.services.products import get_products
from enterprise_access.lib.api import failures, parse_body

TAGS: Final = ["course-types"]
TYPED: Final = ["typed-courses"]


class CourseTypesView(APIView):
    """What courses may be for."""

    @extend_schema(operation_id="course_types_list", tags=TAGS, responses=CourseTypeSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return all course types, in the order in which matching tries them."""
        reader_of(request)
        graph = get_graph()
        return Response([render_course_type(graph, course_type) for course_type in graph.matching_order])


class CourseTypeView(APIView):
    """One thing that courses may be for."""

    @extend_schema(
        operation_id="course_types_retrieve", tags=TAGS, responses={200: CourseTypeSerializer, **failures(404)}
    )
    def get(self, request: Request, slug: str) -> Response:
        """Return one course type with its run types and their tracks."""
        reader_of(request)
        graph = get_graph()
        return Response(render_course_type(graph, graph.course_type(slug)))


class FlatView(APIView):
    """All types in one table."""

    renderer_classes = [JSONRenderer, CsvRenderer]

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Write errors as JSON, whatever was requested: a table has no place for them."""
        found = super().finalize_response(request, response, *args, **kwargs)
        renderer: BaseRenderer | None = getattr(found, "accepted_renderer", None)
        if found.status_code >= 400 and isinstance(renderer, CsvRenderer):
            found.accepted_renderer = JSONRenderer()
            found.accepted_media_type = JSONRenderer.media_type
        return found

    @extend_schema(
        operation_id="course_types_flat",
        tags=TAGS,
        responses={
            (200, "application/json"): FlatRowSerializer(many=True),
            (200, "text/csv"): {"type": "string"},
        },
    )
    def get(self, request: Request) -> Response:
        """Return one row for each course type, run type and track: as JSON, or as CSV with `Accept: text/csv`."""
        reader_of(request)
        return Response(list(flat_rows(get_graph())))


class CheckTransitionView(APIView):
    """Asking before changing."""

    # A question that is too long for an address; nothing is written.
    throttle_scope = "read"

    @extend_schema(
        operation_id="course_types_check_transition",
        tags=TAGS,
        request=CheckTransitionSerializer,
        responses={200: TransitionSerializer, **failures(404)},
        examples=[
            OpenApiExample(
                "Masters becomes masters, verified and audit",
                value={
                    "level": "run",
                    "old": "masters",
                    "new": "masters-verified-audit",
                    "is_published": True,
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Check whether a change of type is allowed, why not, and its effects. Nothing is saved."""
        reader_of(request)
        body = parse_body(CheckTransitionSerializer, request)
        question = Question(**{**body, "level": Level(body["level"])})
        return Response(render_transition(question.answer(get_graph())))


class TypedCourseView(APIView):
    """A course type."""

    @extend_schema(
        operation_id="typed_courses_retrieve", tags=TYPED, responses={200: TypedCourseSerializer, **failures(400, 404)}
    )
    def get(self, request: Request, course_key: str) -> Response:
        """Return the types of a course and its runs."""
        reader_of(request)
        return Response(render_typed_course(get_typed_course(course_key=course_key)))

    @extend_schema(
        operation_id="typed_courses_assign",
        tags=TYPED,
        request=AssignCourseTypeSerializer,
        responses={200: TypedCourseSerializer, **failures(400, 404, 409)},
    )
    def put(self, request: Request, course_key: str) -> Response:
        """Set the type of a course. Operators of every customer only.

        409 if the rules refuse it, with every reason and what would be added and removed.
        """
        writer_of(request)
        body = parse_body(AssignCourseTypeSerializer, request)
        assign_course_type(course_key=course_key, course_type=body["course_type"], publish=body["is_published"])
        return Response(render_typed_course(get_typed_course(course_key=course_key)))


class TypedRunView(APIView):
    """The type of a run."""

    @extend_schema(
        operation_id="typed_courses_assign_run",
        tags=TYPED,
        request=AssignRunTypeSerializer,
        responses={200: TypedRunSerializer, **failures(400, 404, 409)},
    )
    def put(self, request: Request, course_key: str, run_key: str) -> Response:
        """Set the type of a run of a course. Operators of every customer only.

        409 if the rules refuse it, with every reason and what would be added and removed.
        """
        writer_of(request)
        body = parse_body(AssignRunTypeSerializer, request)
        run = assign_run_type(
            course_key=course_key, run_key=run_key, run_type=body["course_run_type"], publish=body["is_published"]
        )
        return Response(render_typed_run(run))


class ProductsView(APIView):
    """What a course should have."""

    # It may ask course-discovery.
    throttle_scope = "explain"

    @extend_schema(
        operation_id="typed_courses_products", tags=TYPED, responses={200: ProductsSerializer, **failures(400, 404)}
    )
    def get(self, request: Request, course_key: str) -> Response:
        """Return the products that a course should have in ecommerce and the LMS, and how its own differ."""
        reader_of(request)
        return Response(render_products(get_products(course_key=course_key)))

"""The admin pages of types, and of what courses and runs are for."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from enterprise_access.apps.course_types.models import (
    CourseRunType,
    CourseType,
    Mode,
    Source,
    Track,
    TypedCourse,
    TypedCourseRun,
)
from enterprise_access.apps.course_types.services.assigning import assign_course_type, assign_run_type

pytestmark = pytest.mark.django_db

DEMO, RUN = "edX+DemoX", "course-v1:edX+DemoX+2026_T1"
MODELS = ["mode", "seattype", "track", "courseruntype", "coursetype", "typedcourse", "typedcourserun"]


@pytest.fixture
def staff(django_user_model) -> Client:
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("root"))
    return client


@pytest.fixture
def onlooker(django_user_model) -> Client:
    user = django_user_model.objects.create_user("onlooker", is_staff=True)
    codenames = [f"view_{model}" for model in MODELS]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def page(model, what, *arguments):
    return reverse(f"admin:course_types_{model}_{what}", args=arguments)


def text_of(answer):
    return " ".join(answer.content.decode().split())


def slug_id(model, slug):
    return model.objects.get(slug=slug).pk


@pytest.mark.parametrize("model", MODELS)
def test_every_list_and_form_opens(staff, onlooker, model):
    assign_course_type(course_key=DEMO, course_type="verified-audit")
    assign_run_type(course_key=DEMO, run_key=RUN, run_type="audit")
    row = {"typedcourse": TypedCourse, "typedcourserun": TypedCourseRun}.get(model)
    pk = row.objects.get().pk if row else 1
    for client in (staff, onlooker):
        assert client.get(page(model, "changelist")).status_code == 200
        assert client.get(page(model, "change", pk)).status_code == 200
        assert client.get(page(model, "history", pk)).status_code == 200
    assert staff.get(page(model, "add")).status_code == 200
    assert onlooker.get(page(model, "add")).status_code == 403


class TestWhatACourseIsFor:
    """Two steps: what comes of it is shown, and then saved."""

    def send(self, client, course_type, *, path=None, **more):
        data = {"course_key": DEMO, "course_type": slug_id(CourseType, course_type), **more}
        return client.post(path or page("typedcourse", "add"), data)

    def both_steps(self, client, course_type, **about):
        first = self.send(client, course_type, **about)
        return self.send(client, course_type, **{**about, "shown": first.context["form"].address})

    def test_the_first_time_it_is_shown_and_nothing_is_saved(self, staff):
        answer = self.send(staff, "verified-audit")
        assert "This type is allowed" in text_of(answer)
        assert "No type yet; it would be verified-audit." in text_of(answer)
        assert "Products that would be added</th><td>verified" in text_of(answer)
        assert not TypedCourse.objects.exists()

    def test_what_was_shown_is_saved(self, staff):
        assert self.both_steps(staff, "verified-audit").status_code == 302
        course = TypedCourse.objects.get()
        assert (course.course_type.slug, course.source, course.published_at) == (
            "verified-audit",
            Source.ASSIGNED,
            None,
        )
        assert course.history.get().history_user.username == "root"

    def test_what_was_changed_since_is_shown_first(self, staff):
        shown = self.send(staff, "verified-audit").context["form"].address
        assert self.send(staff, "audit", shown=shown).status_code == 200
        assert not TypedCourse.objects.exists()

    def test_what_the_rules_refuse_cannot_be_saved_and_says_why(self, staff):
        course = assign_course_type(course_key=DEMO, course_type="verified-audit", publish=True)
        path = page("typedcourse", "change", course.pk)
        first = self.send(staff, "professional", path=path)
        told = text_of(first)
        assert "This type is not allowed" in told
        assert "A published course keeps its entitlement" in told
        assert "Products that would be removed</th><td>verified" in told
        again = self.send(staff, "professional", path=path, shown=first.context["form"].address)
        assert again.status_code == 200
        assert TypedCourse.objects.get().course_type.slug == "verified-audit"

    def test_another_key_in_the_form_does_not_make_it_another_course(self, staff):
        course = assign_course_type(course_key=DEMO, course_type="audit")
        path = page("typedcourse", "change", course.pk)
        self.both_steps(staff, "verified-audit", path=path, course_key="edX+Other")
        assert [(row.course_key, row.course_type.slug) for row in TypedCourse.objects.all()] == [
            (DEMO, "verified-audit")
        ]

    def test_a_key_that_is_none_is_an_error(self, staff):
        assert "is not the key of a course" in text_of(self.send(staff, "audit", course_key="nonsense"))

    def test_who_may_only_look_cannot_save(self, onlooker):
        course = assign_course_type(course_key=DEMO, course_type="audit")
        assert self.send(onlooker, "verified-audit", path=page("typedcourse", "change", course.pk)).status_code == 403
        assert "submit-row" not in text_of(onlooker.get(page("typedcourse", "change", course.pk)))

    def test_what_was_published_cannot_be_deleted_to_be_free_again(self, staff):
        course = assign_course_type(course_key=DEMO, course_type="audit", publish=True)
        assert staff.post(page("typedcourse", "delete", course.pk), {"post": "yes"}).status_code == 403
        other = assign_course_type(course_key="edX+Other", course_type="audit")
        assert staff.post(page("typedcourse", "delete", other.pk), {"post": "yes"}).status_code == 302

    def test_a_course_that_is_not_there_leads_back_to_the_list(self, staff):
        assert staff.get(page("typedcourse", "change", "nothing")).status_code == 302


class TestWhatARunIsFor:
    """The same of runs."""

    def send(self, client, run_type, *, path=None, **more):
        data = {"course_key": DEMO, "run_key": RUN, "run_type": slug_id(CourseRunType, run_type), **more}
        return client.post(path or page("typedcourserun", "add"), data)

    def test_the_modes_that_would_vanish_are_named(self, staff):
        assign_course_type(course_key=DEMO, course_type="masters-verified-audit")
        run = assign_run_type(course_key=DEMO, run_key=RUN, run_type="masters-verified-audit", publish=True)
        told = text_of(self.send(staff, "masters", path=page("typedcourserun", "change", run.pk)))
        assert "Learners may be enrolled in modes that would vanish: audit, verified." in told
        assert "Modes that would be removed</th><td>audit, verified" in told

    def test_it_is_saved_after_it_was_shown(self, staff):
        assign_course_type(course_key=DEMO, course_type="verified-audit")
        shown = self.send(staff, "audit", is_published="on").context["form"].address
        assert self.send(staff, "audit", is_published="on", shown=shown).status_code == 302
        run = TypedCourseRun.objects.get()
        assert run.run_type.slug == "audit"
        assert run.published_at is not None

    def test_of_what_course_has_to_be_said_first(self, staff):
        assert "The course edX+DemoX has no type yet. Set it first." in text_of(self.send(staff, "audit"))


class TestTypes:
    """The types themselves."""

    def links(self, **forms):
        return {"links-TOTAL_FORMS": "2", "links-INITIAL_FORMS": "0", **forms}

    def test_a_run_type_is_added_with_its_tracks(self, staff):
        tracks = {mode: Track.objects.get(mode__slug=mode).pk for mode in ("verified", "masters")}
        answer = staff.post(
            page("courseruntype", "add"),
            {
                "slug": "masters-verified",
                "name": "Masters and Verified",
                "is_marketable": "on",
                **self.links(
                    **{
                        "links-0-track": tracks["masters"],
                        "links-0-place": "0",
                        "links-1-track": tracks["verified"],
                        "links-1-place": "1",
                    }
                ),
            },
        )
        assert answer.status_code == 302, answer.context["errors"]
        row = CourseRunType.objects.get(slug="masters-verified")
        assert [str(link.track) for link in row.links.all()] == ["masters = no product", "verified = verified"]

    def test_tracks_that_cannot_be_together_are_an_error_at_the_form(self, staff):
        free = Track.objects.create(mode=Mode.objects.get(slug="verified"))
        sold = Track.objects.get(mode__slug="verified", seat_type__slug="verified")
        answer = staff.post(
            page("courseruntype", "add"),
            {
                "slug": "twice",
                "name": "Twice",
                **self.links(
                    **{
                        "links-0-track": free.pk,
                        "links-0-place": "0",
                        "links-1-track": sold.pk,
                        "links-1-place": "1",
                    }
                ),
            },
        )
        assert "has the mode &#x27;verified&#x27; more than once" in text_of(answer)
        assert not CourseRunType.objects.filter(slug="twice").exists()

    def test_a_mode_of_published_runs_cannot_be_taken_out_of_their_type(self, staff):
        assign_course_type(course_key=DEMO, course_type="verified-audit")
        assign_run_type(course_key=DEMO, run_key=RUN, run_type="verified-audit", publish=True)
        row = CourseRunType.objects.get(slug="verified-audit")
        data = {"name": row.name, "is_marketable": "on", "links-TOTAL_FORMS": "2", "links-INITIAL_FORMS": "2"}
        for number, link in enumerate(row.links.all()):
            data |= {
                f"links-{number}-id": link.pk,
                f"links-{number}-run_type": row.pk,
                f"links-{number}-track": link.track_id,
                f"links-{number}-place": link.place,
            }
        answer = staff.post(page("courseruntype", "change", row.pk), {**data, "links-0-DELETE": "on"})
        assert "1 published runs have this type, and would lose: audit." in text_of(answer)
        assert row.links.count() == 2

    def test_a_mode_that_is_sold_needs_its_certificate_type(self, staff):
        mode = Mode.objects.get(slug="verified")
        answer = staff.post(page("mode", "change", mode.pk), {"name": "Verified", "enroll_rank": "10"})
        assert "ecommerce would sell it as audit" in text_of(answer)

    def test_a_slug_in_use_is_shown_and_not_changed(self, staff):
        mode = Mode.objects.get(slug="verified")
        data = {
            "slug": "other",
            "name": "Anew",
            "certificate_type": "verified",
            "payee": "platform",
            "enroll_rank": "10",
            "is_id_verified": "on",
        }
        assert staff.post(page("mode", "change", mode.pk), data).status_code == 302
        mode.refresh_from_db()
        assert (mode.slug, mode.name) == ("verified", "Anew")

    @pytest.mark.parametrize(("name", "model"), [("courseruntype", CourseRunType), ("coursetype", CourseType)])
    def test_not_known_yet_can_only_be_looked_at(self, staff, name, model):
        pk = slug_id(model, "empty")
        assert staff.get(page(name, "change", pk)).status_code == 200
        assert staff.post(page(name, "change", pk), {"name": "Else"}).status_code == 403
        assert staff.post(page(name, "delete", pk), {"post": "yes"}).status_code == 403

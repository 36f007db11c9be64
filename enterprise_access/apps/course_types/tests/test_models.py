"""What the tables refuse: by the database, whoever writes, and by the models, with a sentence."""

from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from enterprise_access.apps.course_types.errors import BrokenTypes, ImmutableType, MalformedKey, SlugInUse
from enterprise_access.apps.course_types.models import (
    CourseRunType,
    CourseRunTypeTrack,
    CourseType,
    CourseTypeRunType,
    Mode,
    SeatType,
    Source,
    Track,
    TypedCourse,
    TypedCourseRun,
)

pytestmark = pytest.mark.django_db


def refused_by_the_database(write):
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


def named(model, slug):
    return model.objects.get(slug=slug)


def a_course(**about):
    return TypedCourse.objects.create(
        **{
            "course_key": "edX+DemoX",
            "course_type": named(CourseType, "audit"),
            "source": Source.ASSIGNED,
            **about,
        }
    )


class TestTheDatabase:
    """Constraints: whoever writes, by whatever way."""

    @pytest.mark.parametrize("model", [Mode, SeatType, CourseRunType, CourseType])
    def test_slugs_are_unique(self, model):
        refused_by_the_database(lambda: model.objects.bulk_create([model(slug="audit", name="Again")]))

    @pytest.mark.parametrize("model", [CourseRunType, CourseType])
    def test_uuids_of_course_discovery_are_unique_and_may_be_missing(self, model):
        uuid = uuid4()
        model.objects.filter(slug="audit").update(discovery_uuid=uuid)
        refused_by_the_database(lambda: model.objects.filter(slug="professional").update(discovery_uuid=uuid))
        assert model.objects.filter(discovery_uuid=None).count() > 1

    def test_two_modes_have_not_the_same_rank_and_many_may_have_none(self):
        refused_by_the_database(lambda: Mode.objects.filter(slug="honor").update(enroll_rank=10))
        assert Mode.objects.filter(enroll_rank=None).count() > 1

    @pytest.mark.parametrize("column", [{"payee": "somebody"}, {"certificate_type": "diploma"}])
    def test_a_mode_pays_and_certifies_something_known(self, column):
        refused_by_the_database(lambda: Mode.objects.filter(slug="audit").update(**column))

    def test_a_track_is_there_once_with_and_without_a_product(self):
        masters, verified = named(Mode, "masters"), named(Mode, "verified")
        seat = named(SeatType, "verified")
        refused_by_the_database(lambda: Track.objects.bulk_create([Track(mode=masters)]))
        refused_by_the_database(
            lambda: Track.objects.bulk_create([Track(mode=verified, seat_type=seat, seat_key=seat.pk)])
        )

    def test_the_key_of_a_seat_type_is_that_of_the_seat_type(self):
        track = Track.objects.get(mode__slug="masters")
        refused_by_the_database(lambda: Track.objects.filter(pk=track.pk).update(seat_key=1))
        sold = Track.objects.get(mode__slug="verified")
        refused_by_the_database(lambda: Track.objects.filter(pk=sold.pk).update(seat_key=0))

    def test_not_known_yet_sells_nothing_and_is_not_marketable(self):
        refused_by_the_database(lambda: CourseRunType.objects.filter(slug="empty").update(is_marketable=True))
        verified = named(SeatType, "verified")
        refused_by_the_database(lambda: CourseType.objects.filter(slug="empty").update(entitlement_type=verified))

    def test_a_track_is_in_a_run_type_once_and_a_run_type_in_a_course_type(self):
        link = CourseRunTypeTrack.objects.first()
        refused_by_the_database(
            lambda: CourseRunTypeTrack.objects.bulk_create(
                [CourseRunTypeTrack(run_type=link.run_type, track=link.track)]
            )
        )
        other = CourseTypeRunType.objects.first()
        refused_by_the_database(
            lambda: CourseTypeRunType.objects.bulk_create(
                [CourseTypeRunType(course_type=other.course_type, run_type=other.run_type)]
            )
        )

    def test_a_course_is_for_one_thing_and_a_run_too_in_whatever_spelling(self):
        course = a_course()
        refused_by_the_database(lambda: a_course(course_key="EDX+demox"))
        run = {"course": course, "run_type": named(CourseRunType, "audit"), "source": Source.MATCHED}
        TypedCourseRun.objects.create(run_key="course-v1:edX+DemoX+1", **run)
        refused_by_the_database(lambda: TypedCourseRun.objects.create(run_key="course-v1:EDX+DemoX+1", **run))

    def test_somebody_has_said_what_it_is_for(self):
        refused_by_the_database(lambda: a_course(source="guessed"))

    def test_what_is_used_is_not_deleted(self):
        a_course()
        with pytest.raises(ProtectedError):
            named(CourseType, "audit").delete()
        with pytest.raises(ProtectedError):
            named(Mode, "audit").delete()


class TestSaving:
    """What is refused with a sentence."""

    def test_a_seat_needs_a_certificate_type_unless_it_is_audit(self):
        masters, seat = named(Mode, "masters"), SeatType.objects.create(slug="masters", name="Masters")
        with pytest.raises(BrokenTypes, match="ecommerce would sell it as audit"):
            Track.objects.create(mode=masters, seat_type=seat)
        with pytest.raises(ValidationError, match="ecommerce would sell it as audit"):
            Track(mode=masters, seat_type=seat).full_clean()

    def test_a_mode_that_is_sold_keeps_a_certificate_type(self):
        verified = named(Mode, "verified")
        verified.certificate_type = ""
        with pytest.raises(BrokenTypes, match="ecommerce would sell it as audit"):
            verified.save()

    def test_a_run_type_has_a_mode_once(self):
        sold_otherwise = Track.objects.create(mode=named(Mode, "verified"))
        with pytest.raises(BrokenTypes, match="'verified' more than once"):
            CourseRunTypeTrack.objects.create(run_type=named(CourseRunType, "verified"), track=sold_otherwise)

    @pytest.mark.parametrize("model", [CourseRunType, CourseType])
    @pytest.mark.parametrize("change", [{"name": "Something"}, {"slug": "something"}, {"is_retired": True}])
    def test_not_known_yet_stays_as_it_is(self, model, change):
        empty = named(model, "empty")
        for name, value in change.items():
            setattr(empty, name, value)
        with pytest.raises(ImmutableType):
            empty.save()
        with pytest.raises(ImmutableType):
            named(model, "empty").delete()

    def test_not_known_yet_gets_neither_tracks_nor_run_types(self):
        with pytest.raises(ImmutableType):
            CourseRunTypeTrack.objects.create(run_type=named(CourseRunType, "empty"), track=Track.objects.first())
        with pytest.raises(ImmutableType):
            CourseTypeRunType.objects.create(
                course_type=named(CourseType, "empty"), run_type=named(CourseRunType, "audit")
            )

    def test_a_slug_stays_as_soon_as_something_has_the_type(self):
        course_type = named(CourseType, "honor")
        course_type.slug = "honour"
        course_type.save()
        a_course(course_type=course_type)
        course_type.slug = "honor"
        with pytest.raises(SlugInUse):
            course_type.save()
        mode = named(Mode, "verified")
        mode.slug = "certified"
        with pytest.raises(SlugInUse):
            mode.save()

    @pytest.mark.parametrize("orgs", ["edX", [1], [""], {"edX": True}])
    def test_the_organizations_are_a_list_of_names(self, orgs):
        with pytest.raises(BrokenTypes, match="a list of their short names"):
            CourseType.objects.create(slug="new", name="New", org_allow_list=orgs)

    @pytest.mark.parametrize("key", ["edX", "edX+DemoX+1+2", "course-v1:edX+DemoX+1", "edX+" + "x" * 300])
    def test_what_is_no_key_of_a_course_is_refused(self, key):
        with pytest.raises(MalformedKey):
            a_course(course_key=key)


def test_a_change_is_kept_in_the_history():
    mode = named(Mode, "verified")
    mode.name = "Certified"
    mode.save()
    assert [change.name for change in mode.history.all()] == ["Certified"]


def test_who_is_paid_for_a_track_follows_from_its_mode():
    partner, platform = Track.objects.get(mode__slug="masters"), Track.objects.get(mode__slug="verified")
    assert (partner.paid_to_platform, partner.paid_to_partner) == (False, True)
    assert (platform.paid_to_platform, platform.paid_to_partner) == (True, False)

"""Every page of the admin asks for a permission, read from the admin's own addresses: being staff is none."""

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from enterprise_access.apps.core.models import User
from enterprise_access.lib.admin import BoundedActionsAdmin
from tests.access.scene import make_scene
from tests.fuzz.pages import PREFIX, address, routes

pytestmark = pytest.mark.django_db

# What is there for whoever is staff: the way in and out, one's own password, words for scripts, and a start page that
# lists what one may see. What has no page is a 404 for everybody.
FOR_ALL_STAFF = {
    f"{PREFIX}{page}"
    for page in ("", "login/", "logout/", "password_change/", "password_change/done/", "jsi18n/", "(?P<url>.*)$")
}
REFUSED = 403
NOT_THERE = 404


@pytest.fixture
def names(simulator):
    return make_scene()


@pytest.fixture
def without_permission():
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_user("somebody", is_staff=True))
    return client


def test_there_are_pages(names):
    assert len(routes()) > 60


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_without_a_permission_are_refused_by_every_page(names, without_permission, method, is_there):
    got = {}
    for route in sorted(set(routes()) - FOR_ALL_STAFF):
        page = address(route, names)
        if not is_there and "object_id" not in page.places:
            continue
        nowhere = {} if is_there else {"object_id": "999999"}
        answer = getattr(without_permission, method)(page.made(**nowhere), follow=True)
        # Django's own answers: an app of which one may see nothing is not there, and some pages are only read.
        allowed = {NOT_THERE} if "app_label" in route else {REFUSED, *({405} if method == "post" else ())}
        if answer.status_code not in allowed:
            got[route] = answer.status_code
    assert got == {}


def test_the_start_page_lists_nothing_for_them(names, without_permission):
    answer = without_permission.get("/admin/")
    assert answer.context["app_list"] == []
    assert b"/admin/neighbours/" not in answer.content


def test_who_is_no_staff_is_sent_to_the_login_by_every_page(names, client):
    for route in sorted(set(routes()) - FOR_ALL_STAFF):
        answer = client.get(address(route, names).made())
        assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/admin/login/"), route


def test_every_action_on_many_rows_is_bounded(rf, django_user_model):
    """ "Select all" may stand for more rows than the page has counted: `BoundedActionsAdmin` refuses that unloaded."""
    request = rf.get("/")
    request.user = django_user_model.objects.create_superuser("root")
    unbounded = {
        str(model._meta)
        for model, of_model in admin.site._registry.items()
        if of_model.get_actions(request) and not isinstance(of_model, BoundedActionsAdmin)
    }
    # Of these there are a few, on one page.
    assert unbounded == {"auth.group", "waffle.switch", "course_types.track"}


def test_the_way_to_a_row_is_for_whoever_may_see_rows_of_its_kind(names, staff, without_permission):
    for model in admin.site._registry:
        kind = ContentType.objects.get_for_model(model)
        assert without_permission.get(f"/admin/r/{kind.pk}/1/").status_code == REFUSED
        assert staff.get(f"/admin/r/{kind.pk}/1/").status_code == NOT_THERE
    assert staff.get("/admin/r/999999/1/").status_code == REFUSED


def test_what_staff_need_every_day_comes_first(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("root"))
    labels = [app["app_label"] for app in client.get("/admin/").context["app_list"]]
    assert labels[:3] == ["customers", "default_enrollments", "subsidy_access_policies"]
    assert labels.index("course_types") > labels.index("notifications")

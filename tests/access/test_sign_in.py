"""Staff sign in to the admin pages through the LMS, and nothing of them is kept but what is needed.

The settings that this needs are those of production, so a process of its own is asked; the LMS is played by a function.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from enterprise_access.apps.core.models import User
from enterprise_access.apps.core.services import keep_person
from tests.setting_up import copy_database

ROOT = Path(__file__).resolve().parent.parent.parent

STORY = """
import json, os, sys
from urllib.parse import parse_qs, urlsplit
import django, jwt, requests
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
from django.apps import apps
from django.contrib.auth import get_user_model
from social_django.models import UserSocialAuth

claims = json.loads(sys.argv[1])

def answer_of_the_lms(_, request, **__):
    response = requests.Response()
    response.status_code, response.request, response.url = 200, request, request.url
    token = jwt.encode(claims, "x" * 32, algorithm="HS256")
    answer = {"access_token": token, "refresh_token": "keep-me-not", "token_type": "JWT"}
    response._content = json.dumps(answer).encode()
    return response

requests.adapters.HTTPAdapter.send = answer_of_the_lms
browser = Client(headers={"host": "access.example.com"})
door = browser.get("/admin/", secure=True, follow=False)
at_login = browser.get(door["Location"], secure=True)
at_lms = browser.get("/login/?next=/admin/core/user/", secure=True)
asked = urlsplit(at_lms["Location"])
query = {name: values[0] for name, values in parse_qs(asked.query).items()}
back = browser.get("/complete/edx-oauth2/", {"state": query["state"], "code": "c"}, secure=True)
user = get_user_model().objects.get()
inside = browser.get("/admin/jsi18n/", secure=True)
out = browser.get("/logout/", secure=True)
print(json.dumps({
    "door": door["Location"], "admin_login": browser.get("/admin/login/?next=/admin/", secure=True)["Location"],
    "asked": asked.netloc + asked.path, "scope": query["scope"], "back": back["Location"],
    "user": [user.username, user.lms_user_id, user.is_staff, user.is_superuser, user.has_usable_password()],
    "kept": [[row.provider, row.uid, row.extra_data] for row in UserSocialAuth.objects.all()],
    "inside": inside.status_code, "out": out["Location"],
    "after": browser.get("/admin/jsi18n/", secure=True).status_code,
}))
"""


def story(claims, tmp_path, script=STORY):
    environment = {
        "ALLOWED_HOSTS": "access.example.com",
        "CACHE_URL": "locmemcache://",
        "CATALOG_BASE_URL": "https://catalog.example.com",
        "CELERY_BROKER_URL": "memory://",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.production",
        "JWT_AUDIENCE": "openedx",
        "JWT_ISSUER": "https://lms.example.com/oauth2",
        "JWT_PUBLIC_SIGNING_JWK_SET": '{"keys": []}',
        "LICENSE_MANAGER_BASE_URL": "https://licenses.example.com",
        "LMS_BASE_URL": "https://lms.example.com",
        "OAUTH2_CLIENT_ID": "worker",
        "OAUTH2_CLIENT_SECRET": "worker-secret",
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "k" * 60,
        "SOCIAL_AUTH_EDX_OAUTH2_KEY": "sign-in",
        "SOCIAL_AUTH_EDX_OAUTH2_SECRET": "sign-in-secret",
        "CHECK_NEIGHBOURS_AT_START": "false",
    }
    copy_database(tmp_path / "db.sqlite3")
    command = [sys.executable, "-c", script, json.dumps(claims)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.django_db
def test_staff_come_in_and_leave_as_little_as_possible(tmp_path):
    claims = {
        "preferred_username": "amy_admin",
        "user_id": 5,
        "administrator": True,
        "superuser": True,
        "email": "amy_admin@example.com",
        "name": "Amy Admin",
    }
    told = story(claims, tmp_path)
    assert told["door"] == "/admin/login/?next=/admin/"
    assert told["admin_login"] == "/login/?next=/admin/"
    assert told["asked"] == "lms.example.com/oauth2/authorize"
    assert told["scope"] == "user_id profile"
    assert told["back"] == "/admin/core/user/"
    assert told["user"] == ["amy_admin", 5, True, False, False]
    assert told["kept"] == [["edx-oauth2", "5", {}]]
    assert told["inside"] == 200
    assert told["out"] == "https://lms.example.com/logout"
    assert told["after"] == 302


@pytest.mark.django_db
def test_who_is_no_longer_staff_at_the_lms_is_not_here_either():
    user = User.objects.create_user("amy_admin", is_staff=True, is_superuser=True, lms_user_id=5)
    keep_person(user=user, response={"preferred_username": "amy_admin", "administrator": False})
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser, user.lms_user_id) == (False, True, 5)


def test_without_the_lms_the_password_form_is_the_door(client, db):
    answer = client.get("/admin/")
    assert answer.headers["Location"] == "/admin/login/?next=/admin/"


@pytest.mark.django_db
def test_a_new_bearer_of_a_username_does_not_sign_in_as_the_old_one(tmp_path):
    before = """
from enterprise_access.apps.core.models import User
User.objects.create_user("amy_admin", lms_user_id=4, is_staff=True, is_superuser=True)
"""
    script = STORY.replace("from social_django.models", before + "from social_django.models").replace(
        "user = get_user_model().objects.get()", "user = get_user_model().objects.get(lms_user_id=5)"
    )
    claims = {"preferred_username": "amy_admin", "user_id": 5, "administrator": True}
    told = story(claims, tmp_path, script)
    assert told["user"] == ["amy_admin", 5, True, False, False]
    assert told["kept"] == [["edx-oauth2", "5", {}]]


def test_a_refused_next_leads_to_the_admin_pages(tmp_path, client, db):
    script = STORY.replace("/login/?next=/admin/core/user/", "/login/?next=https://elsewhere.example.com/")
    claims = {"preferred_username": "amy_admin", "user_id": 5, "administrator": True}
    assert story(claims, tmp_path, script)["back"] == "/admin/"
    User.objects.create_user("root", password="a long password", is_staff=True)
    form = {"username": "root", "password": "a long password", "next": "https://elsewhere.example.com/"}
    assert client.post("/admin/login/", form).headers["Location"] == "/admin/"


@pytest.mark.django_db
def test_a_superuser_is_made_by_lms_user_id():
    call_command("promote_superuser", "5", "--username", "amy_admin")
    user = User.objects.get()
    assert (user.lms_user_id, user.is_superuser, user.is_staff, user.has_usable_password()) == (5, True, False, False)
    with pytest.raises(CommandError):
        call_command("promote_superuser", "amy_admin", "--username", "amy_admin")

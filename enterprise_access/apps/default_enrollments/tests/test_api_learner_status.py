"""GET learner-status: who may ask, what is answered in the recorded shape, and what becomes of silent neighbours."""

import base64
import hashlib
import hmac
import json
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from jwt.algorithms import RSAAlgorithm
from requests.adapters import HTTPAdapter
from rest_framework import serializers
from rest_framework.test import APIClient

from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner, LearnerEnrollment
from enterprise_access.apps.customers.services import refresh_learners
from enterprise_access.apps.customers.services.enrollments import refresh_enrollments
from enterprise_access.apps.default_enrollments.api.serializers.learners import LearnerStatusSerializer
from enterprise_access.apps.default_enrollments.models import RealizationAttempt, RealizationRequest
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    API,
    AUDIT_ONLY,
    AUDIT_ONLY_RUN,
    BULK,
    DAY,
    DEMO,
    DEMO_RUN,
    ERIN,
    GRACE,
    HAL,
    HOUR,
    LINUX,
    LINUX_RUN,
    MINUTE,
    PROJECT,
    STATS,
    asked,
    intend,
    realizations_of,
    visit,
)
from enterprise_access.lib.api import BAD_UUID, MISSING
from enterprise_access.lib.one_at_a_time import one_at_a_time
from simulator.seed import ACME, ACME_ANNUAL, GLOBEX
from simulator.tokens import Tokens

RECORDINGS = Path(__file__).resolve().parents[4] / "tests" / "recordings" / "lms"
DENIED = "MISSING: enterprise.can_view_default_enterprise_enrollment_intentions"
SHAPE = {"code", "detail", "extra", "request_id"}
HEIDI = 2001

pytestmark = pytest.mark.django_db


def ask(client: APIClient, customer: object = ACME, **params: Any) -> Any:
    return client.get(f"{API}/learner-status/", {"enterprise_customer_uuid": str(customer), **params})


def ask_well(client: APIClient, customer: object = ACME, **params: object) -> dict[str, Any]:
    answer = ask(client, customer, **params)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def with_token(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    return client


def items_of(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every item by content key, with the list it is in as `bucket`."""
    statuses = body["enrollment_statuses"]
    buckets = {**statuses["needs_enrollment"], "already_enrolled": statuses["already_enrolled"]}
    return {item["content_key"]: {**item, "bucket": name} for name, items in buckets.items() for item in items}


def error_of(answer: Any) -> dict[str, Any]:
    """Return the error without what is another one in every answer."""
    return {name: value for name, value in answer.json().items() if name != "request_id"}


def recorded(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text())["response"]


# --- Who may ask ---------------------------------------------------------------------------------------------------


def test_an_anonymous_caller_is_401_in_the_recorded_words(world):
    answer = ask(APIClient())
    assert answer.status_code == recorded("learner-status-401")["status"]
    assert answer.json()["detail"] == recorded("learner-status-401")["body"]["detail"]
    assert answer.json()["code"] == "not_authenticated"
    assert answer.headers["WWW-Authenticate"] == recorded("learner-status-401")["headers"]["WWW-Authenticate"]


@pytest.mark.parametrize("token", ["garbage", "a.b.c", "", "é", "."])
def test_garbage_for_a_token_is_401(world, token):
    assert ask(with_token(token)).status_code == 401


def test_an_expired_token_is_401(simulator):
    token = simulator.tokens.token_for("ada", expires_in=timedelta(seconds=-5))
    answer = ask(with_token(token))
    assert answer.status_code == 401
    assert set(answer.json()) == SHAPE


def test_a_token_signed_with_another_key_is_401(simulator, world):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ours = simulator.tokens
    jwk = RSAAlgorithm.to_jwk(key, as_dict=True) | {"kid": ours.signing_jwk["kid"]}
    foreign = Tokens(world=world, signing_jwk=jwk, issuer=ours.issuer, audience=ours.audience)
    assert ask(with_token(foreign.token_for("ada"))).status_code == 401


@pytest.mark.parametrize("secret", ["", "public key as PEM", "public key as JWK", "SECRET_KEY"])
@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_a_token_signed_with_something_that_is_no_private_key_is_401(simulator, settings, secret, algorithm):
    keys = {
        "": b"",
        "public key as PEM": public_pem(simulator.tokens),
        "public key as JWK": settings.JWT_AUTH["JWT_PUBLIC_SIGNING_JWK_SET"].encode(),
        "SECRET_KEY": settings.SECRET_KEY.encode(),
    }
    token = simulator.tokens.token_for("ada")
    assert ask(with_token(resigned(token, keys[secret], algorithm))).status_code == 401


def test_an_unsigned_token_is_401(simulator):
    claims = jwt.decode(simulator.tokens.token_for("ada"), options={"verify_signature": False})
    assert ask(with_token(jwt.encode(claims, None, algorithm="none"))).status_code == 401


@pytest.mark.parametrize("claims", [{"aud": "somebody-else"}, {"iss": "https://evil.test"}, {"exp": None}])
def test_a_token_for_or_from_somebody_else_is_401(simulator, claims):
    assert ask(with_token(simulator.tokens.token_for("ada", **claims))).status_code == 401


def test_nothing_is_asked_of_anybody_for_a_caller_who_may_not_ask(world, api_as):
    ask(APIClient())
    ask(api_as("outsider"), lms_user_id=ADA)
    assert world.journal.calls() == []


@pytest.mark.parametrize("caller", ["outsider", "staff_without_role", "hal", "heidi", "grace"])
def test_somebody_elses_status_is_403_in_the_recorded_words(world, api_as, caller):
    answer = ask(api_as(caller), lms_user_id=ADA)
    assert answer.status_code == recorded("learner-status-403")["status"]
    error = error_of(answer)
    assert (error["code"], error["detail"]) == ("may_not_read", DENIED)
    assert error["extra"]["explanation"].startswith("You have no role for this customer")
    assert recorded("learner-status-403")["body"]["detail"] == DENIED


def test_staff_without_a_role_are_403_about_themselves_too(world, api_as):
    assert ask(api_as("staff_without_role")).json()["detail"] == DENIED


def test_a_learner_of_another_customer_is_403(world, api_as):
    assert ask(api_as("ada"), GLOBEX).status_code == 403


def test_an_admin_of_another_customer_is_403(world, api_as):
    assert ask(api_as("amy_admin"), GLOBEX, lms_user_id=HEIDI).status_code == 403


def test_an_admin_role_for_every_customer_grants_nothing(simulator):
    token = simulator.tokens.token_for("outsider", roles=["enterprise_admin:*", "enterprise_learner:*"])
    assert ask(with_token(token), lms_user_id=ADA).status_code == 403


def test_a_role_without_a_context_grants_nothing(simulator):
    roles = ["enterprise_admin", "enterprise_admin:", "enterprise_openedx_operator", "enterprise_openedx_operator:"]
    assert ask(with_token(simulator.tokens.token_for("outsider", roles=roles)), lms_user_id=ADA).status_code == 403


@pytest.mark.parametrize("caller", ["amy_admin", "enterprise_access_worker", "worker_without_staff"])
def test_an_admin_of_the_customer_and_an_operator_may_read_a_learner(world, api_as, caller):
    intend(DEMO)
    body = ask_well(api_as(caller), lms_user_id=ADA)
    assert body["lms_user_id"] == ADA
    assert items_of(body)[DEMO]["bucket"] == "enrollable"


def test_a_role_in_upper_case_hex_is_the_same_role(simulator):
    intend(DEMO)
    token = simulator.tokens.token_for("ada", roles=[f"enterprise_learner:{str(ACME).upper()}"])
    ask_well(with_token(token))


def test_a_session_of_the_admin_pages_is_no_role(world, django_user_model):
    client = APIClient()
    client.force_login(django_user_model.objects.create_user("sam", is_staff=True))
    assert ask(client, lms_user_id=ADA).status_code == 403


# --- What makes no sense -------------------------------------------------------------------------------------------


def test_a_missing_customer_is_400_in_the_recorded_words(world, api_as):
    answer = api_as("ada").get(f"{API}/learner-status/")
    assert answer.status_code == 400
    extra = {"fields": {"enterprise_customer_uuid": [MISSING]}}
    assert error_of(answer) == {"code": "invalid", **recorded("learner-status-400-no-customer")["body"], "extra": extra}


@pytest.mark.parametrize("text", ["abc", "42", str(ACME)[:-1], f"{ACME}0", "\x00", "é", "' or 1=1 --"])
def test_a_malformed_customer_is_400_in_the_recorded_words(world, api_as, text):
    answer = ask(api_as("ada"), text)
    assert answer.status_code == 400
    extra = {"fields": {"enterprise_customer_uuid": [BAD_UUID]}}
    assert error_of(answer) == {"code": "invalid", **recorded("learner-status-400-bad-uuid")["body"], "extra": extra}


@pytest.mark.parametrize(
    "text",
    ["abc", "-1", "0", "1.5", "1e3", "٣", "²", "1 001", "\x00", str(2**63), "9" * 5000, "0" * 19 + "1" + "9" * 30],
)
def test_a_malformed_learner_is_400(world, api_as, text):
    answer = ask(api_as("enterprise_access_worker"), lms_user_id=text)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert "lms_user_id" in answer.json()["detail"]


def test_the_largest_possible_learner_is_nobody(world, api_as):
    assert ask(api_as("enterprise_access_worker"), lms_user_id=2**63 - 1).json()["code"] == "learner_not_linked"


def test_a_token_that_names_nobody_has_to_say_which_learner_is_meant(simulator):
    token = simulator.tokens.token_for("enterprise_access_worker", user_id=None)
    assert ask(with_token(token)).json()["code"] == "invalid"


def test_post_is_405_in_our_shape(world, api_as):
    answer = api_as("ada").post(f"{API}/learner-status/")
    assert answer.status_code == 405
    assert set(answer.json()) == SHAPE


# --- Who is not associated -----------------------------------------------------------------------------------------


def not_associated(lms_user_id: int, customer: UUID) -> str:
    sentence = str(recorded("learner-status-400-not-linked")["body"]["detail"])
    return sentence.replace("2001", str(lms_user_id)).replace("7ae10000-0000-4000-8000-000000000001", str(customer))


@pytest.mark.parametrize("lms_user_id", [HEIDI, GRACE, 999_999, 2])
def test_a_learner_who_is_not_linked_now_or_nobody_is_400_in_the_recorded_words(world, api_as, lms_user_id):
    answer = ask(api_as("enterprise_access_worker"), lms_user_id=lms_user_id)
    assert answer.status_code == 400
    assert error_of(answer) == {
        "code": "learner_not_linked",
        "detail": not_associated(lms_user_id, ACME),
        "extra": {},
    }


def test_a_learner_who_was_unlinked_is_400_as_soon_as_the_copy_is_too_old(world, api_as, clock):
    intend(DEMO)
    ask_well(api_as("ada"))
    ada = api_as("ada")
    world.unlink(username="ada", customer="acme")
    clock.shift(6 * MINUTE)
    assert ask(ada).json()["detail"] == not_associated(ADA, ACME)


def test_a_customer_that_nobody_knows_is_404(world, api_as):
    answer = ask(api_as("enterprise_access_worker"), uuid4(), lms_user_id=ADA)
    assert answer.status_code == 404
    assert answer.json()["code"] == "customer_unknown"
    assert not EnterpriseCustomer.objects.exists()


# --- What is answered ----------------------------------------------------------------------------------------------


def everything(world: Any) -> dict[str, Any]:
    """Let the customer intend something for every list and every null, and return the learner's status."""
    world.enroll(username="ada", run_key=LINUX_RUN, mode="verified")
    world.enroll(username="ada", run_key=AUDIT_ONLY_RUN, mode="audit")
    world.enroll(username="ada", run_key="course-v1:KIx+STATS1+2026_T1", mode="audit")
    unresolved = ["MITx+6.00.1x", "NewX+FRESH1", "edX+NORUNS"]
    not_open = ["BerkeleyX+CS188.1x", "DelftX+WATER1", "GetSmarter+AIB", "EdinburghX+SUST1", "OxfordX+GHOST1"]
    intend(DEMO, DEMO_RUN, LINUX, STATS, AUDIT_ONLY, PROJECT, *unresolved, *not_open)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    return world


def all_recorded() -> list[dict[str, Any]]:
    return [recorded(path.stem)["body"] for path in RECORDINGS.glob("learner-status-200-*.json")]


def types_of(things: list[dict[str, Any]]) -> dict[str, set[type]]:
    found: dict[str, set[type]] = {}
    for thing in things:
        for name, value in thing.items():
            found.setdefault(name, set()).add(type(value))
    return found


def test_every_recorded_key_is_there_with_the_recorded_types(world, api_as, clock):
    everything(world)
    clock.shift(2 * MINUTE)
    body = ask_well(api_as("ada"))
    for part in (lambda it: [it], lambda it: [it["enrollment_statuses"]], lambda it: [it["metadata"]]):
        check_types(part(body), [thing for each in all_recorded() for thing in part(each)])
    check_types(
        [body["enrollment_statuses"]["needs_enrollment"]],
        [each["enrollment_statuses"]["needs_enrollment"] for each in all_recorded()],
    )
    check_types(
        [body["metadata"]["total_needs_enrollment"]],
        [each["metadata"]["total_needs_enrollment"] for each in all_recorded()],
    )


def test_every_recorded_key_of_an_item_is_there_with_the_recorded_types(world, api_as, clock):
    everything(world)
    # Not evaluated yet, so the learner is still to be enrolled.
    intend("EPFLx+Scala")
    clock.shift(2 * MINUTE)
    items = list(items_of(ask_well(api_as("ada"))).values())
    theirs = [item for each in all_recorded() for item in items_of(each).values()]
    assert {item["bucket"] for item in items} == {"enrollable", "not_enrollable", "already_enrolled"}
    check_types(items, theirs)
    ours = types_of(items)
    for name in ("course_run_key", "is_existing_enrollment_active", "is_existing_enrollment_audit"):
        assert type(None) in ours[name], f"the story has no null for {name}"


def test_the_normalized_metadata_has_the_recorded_keys_or_none(world, api_as, clock):
    everything(world)
    clock.shift(2 * MINUTE)
    items = items_of(ask_well(api_as("ada"))).values()
    theirs = [item["course_run_normalized_metadata"] for each in all_recorded() for item in items_of(each).values()]
    names = types_of(theirs).keys()
    for item in items:
        metadata = item["course_run_normalized_metadata"]
        assert set(metadata) == (names if item["course_run_key"] else set())
        assert isinstance(metadata.get("content_price", 0.0), float)


def check_types(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    """Every recorded key is in every one of ours, and has no type that was never recorded."""
    for name, types in types_of(theirs).items():
        assert all(name in thing for thing in ours), f"{name} is missing"
        assert types_of(ours)[name] <= types, f"{name}: {types_of(ours)[name]}, recorded {types}"


def test_what_we_add_is_there_for_every_item(world, api_as, clock):
    everything(world)
    clock.shift(2 * MINUTE)
    body = ask_well(api_as("ada"))
    additions = {"reason", "rule", "realization", "deadline", "downgrade_target", "last_attempt"}
    assert all(additions <= item.keys() for item in items_of(body).values())
    assert (body["stale"], type(body["facts_fetched_at"])) == (False, str)


def test_the_api_document_names_exactly_what_is_answered(world, api_as, clock):
    everything(world)
    clock.shift(2 * MINUTE)
    check_document(LearnerStatusSerializer(), ask_well(api_as("ada")))


def check_document(serializer: serializers.Serializer, answer: dict[str, Any]) -> None:
    """Compare the names of a serializer with those of an answer, all the way down."""
    required = {name for name, field in serializer.fields.items() if field.required}
    assert required <= set(answer) <= set(serializer.fields)
    for name, field in serializer.fields.items():
        inner = getattr(field, "child", field)
        if isinstance(inner, serializers.Serializer) and answer.get(name) is not None:
            for thing in answer[name] if isinstance(answer[name], list) else [answer[name]]:
                check_document(inner, thing)
        elif name in answer:
            assert answer[name] is not None or field.allow_null


def test_every_intention_is_in_the_list_and_has_the_reason_that_it_should(world, api_as, clock):
    everything(world)
    clock.shift(2 * MINUTE)
    body = ask_well(api_as("ada"))
    found = {key: (item["bucket"], item["rule"], item["reason"]) for key, item in items_of(body).items()}
    assert found == {
        DEMO: ("not_enrollable", "D2", found[DEMO][2]),
        DEMO_RUN: ("not_enrollable", "D2", found[DEMO_RUN][2]),
        LINUX: ("already_enrolled", "D1", "enrolled"),
        STATS: ("already_enrolled", "D1", "enrolled"),
        AUDIT_ONLY: ("already_enrolled", "D9", "enrolled_in_audit_only_run"),
        PROJECT: ("already_enrolled", "D1", "enrolled"),
        "MITx+6.00.1x": ("not_enrollable", "D8", "no_advertised_run"),
        "edX+NORUNS": ("not_enrollable", "D8", "no_advertised_run"),
        "NewX+FRESH1": ("not_enrollable", "D8", "content_not_ready"),
        "BerkeleyX+CS188.1x": ("not_enrollable", "D12", "enrollment_closed"),
        "DelftX+WATER1": ("not_enrollable", "D12", "enrollment_not_open"),
        "GetSmarter+AIB": ("not_enrollable", "D11", "needs_learner_input"),
        "EdinburghX+SUST1": ("not_enrollable", "D10", "not_in_customer_catalogs"),
        "OxfordX+GHOST1": found["OxfordX+GHOST1"],
    }
    totals = body["metadata"]
    assert totals["total_default_enterprise_enrollment_intentions"] == len(found)
    buckets = [bucket for bucket, _, _ in found.values()]
    assert totals["total_already_enrolled"] == buckets.count("already_enrolled")
    assert totals["total_needs_enrollment"] == {
        "enrollable": buckets.count("enrollable"),
        "not_enrollable": buckets.count("not_enrollable"),
    }


def test_a_learner_without_a_license_stays_enrollable_and_the_attempt_says_why_not(world, api_as):
    intend(DEMO)
    visit(HAL)
    item = items_of(ask_well(api_as("hal")))[DEMO]
    assert (item["bucket"], item["reason"]) == ("enrollable", "needs_enrollment")
    assert (item["last_attempt"]["outcome"], item["last_attempt"]["reason"]) == ("blocked", "no_license")


def test_a_realization_is_shown_with_what_became_of_it(world, api_as, clock):
    intend(DEMO)
    visit(ADA)
    clock.shift(2 * MINUTE)
    realization = items_of(ask_well(api_as("ada")))[DEMO]["realization"]
    assert realization["course_run_key"] == DEMO_RUN
    assert realization["mode"] == "verified"
    assert (realization["left_at"], realization["downgraded_at"]) == (None, None)


def test_the_existing_enrollment_describes_the_resolved_run_and_no_other(world, api_as):
    intend("EPFLx+Scala")
    item = items_of(ask_well(api_as("carol")))["EPFLx+Scala"]
    assert item["course_run_key"] == "course-v1:EPFLx+Scala+2026_B"
    assert (item["has_existing_enrollment"], item["is_existing_enrollment_active"]) == (False, None)
    assert (item["bucket"], item["reason"]) == ("already_enrolled", "enrolled")


def test_an_existing_audit_enrollment_is_described(world, api_as):
    intend(STATS)
    item = items_of(ask_well(api_as("erin")))[STATS]
    described = [item[f"{name}"] for name in ("has_existing_enrollment", "is_existing_enrollment_audit")]
    assert described == [True, True]
    assert (item["bucket"], item["rule"], item["reason"]) == ("enrollable", "D16", "needs_upgrade")


def test_a_deleted_intention_is_not_shown(world, api_as):
    first, _ = intend(DEMO, LINUX)
    delete_intention(first)
    assert set(items_of(ask_well(api_as("ada")))) == {LINUX}


def test_without_intentions_the_lists_are_empty(world, api_as):
    body = ask_well(api_as("ada"))
    assert items_of(body) == {}
    assert body["metadata"] == recorded("learner-status-200-no-intentions")["body"]["metadata"]


def test_the_address_is_the_one_of_the_callers_own_token(simulator, world):
    token = simulator.tokens.token_for("ada", email="ada.new@example.com")
    assert ask_well(with_token(token))["user_email"] == "ada.new@example.com"


@pytest.mark.parametrize("caller", ["amy_admin", "enterprise_access_worker"])
def test_no_address_of_another_learner_is_shown(world, api_as, caller):
    intend(DEMO)
    visit(ADA)
    answer = ask(api_as(caller), lms_user_id=ADA)
    assert answer.json()["user_email"] in (None, "ada@example.com")
    assert world.user(caller).email not in answer.content.decode()


def test_no_address_is_kept_anywhere(world, api_as, django_user_model):
    intend(DEMO)
    visit(ADA)
    ask_well(api_as("ada"))
    rows = [*EnterpriseLearner.objects.values(), *django_user_model.objects.values()]
    assert rows
    assert not [row for row in rows if "ada@example.com" in str(row)]


# --- How old the facts are, and silent neighbours ------------------------------------------------------------------


def test_a_second_look_within_a_minute_asks_nobody(world, api_as, clock):
    intend(DEMO)
    ask_well(api_as("ada"))
    world.journal.forget()
    clock.shift(timedelta(seconds=59))
    ask_well(api_as("ada"))
    assert world.journal.calls() == []


def test_enrollments_are_asked_for_again_after_a_minute_with_the_link_that_tells_the_username(world, api_as, clock):
    intend(DEMO)
    ask_well(api_as("ada"))
    world.journal.forget()
    clock.shift(timedelta(seconds=61))
    ask_well(api_as("ada"))
    assert (asked(world, "platform.enrollments"), asked(world, "lms.learners")) == (1, 1)
    clock.shift(5 * MINUTE)
    ask_well(api_as("ada"))
    assert (asked(world, "platform.enrollments"), asked(world, "lms.learners")) == (2, 2)


def test_modes_are_never_asked_for_inside_a_request(world, api_as, clock):
    intend(DEMO)
    world.journal.forget()
    clock.shift(2 * DAY)
    item = items_of(ask_well(api_as("ada")))[DEMO]
    assert asked(world, "platform.course") == 0
    assert item["best_mode_for_course_run"] == "verified"


def test_a_look_enrolls_nobody_and_owes_nothing(world, api_as):
    intend(DEMO)
    ask_well(api_as("ada"))
    assert asked(world, BULK) == 0
    assert not RealizationRequest.objects.exists()
    assert not RealizationAttempt.objects.exists()


def test_a_silent_lms_is_503_when_nothing_is_known(simulator, world, api_as):
    intend(DEMO)
    simulator.faults.add("hang", "lms.*", times=None)
    simulator.faults.add("hang", "platform.*", times=None)
    answer = ask(api_as("ada"))
    assert answer.status_code == 503
    body = answer.json()
    assert (body["code"], set(body)) == ("upstream_unavailable", SHAPE)
    assert body["extra"] == {"service": "lms", "reason": "timeout"}
    # The request's id is left out: three letters of a name are also hexadecimal digits.
    del body["request_id"]
    assert "ada" not in str(body)


def test_after_a_503_nothing_is_half_done(simulator, world, api_as):
    intend(DEMO)
    simulator.faults.add("status", "platform.enrollments", times=None, status=500)
    assert ask(api_as("ada")).status_code == 503
    assert not LearnerEnrollment.objects.exists()
    assert EnterpriseLearner.objects.get().enrollments_fetched_at is None
    simulator.faults.clear()
    assert items_of(ask_well(api_as("ada")))[DEMO]["bucket"] == "enrollable"


def test_a_silent_lms_is_503_for_a_customer_that_we_never_met(simulator, world, api_as):
    simulator.faults.add("status", "lms.customer", times=None, status=500)
    assert ask(api_as("ada")).json()["code"] == "upstream_unavailable"
    assert not EnterpriseCustomer.objects.exists()


def test_the_pause_that_the_lms_asks_for_is_passed_on(simulator, world, api_as):
    intend(DEMO)
    simulator.faults.add("throttled", "lms.learners", times=None, seconds=30)
    answer = ask(api_as("ada"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")


def test_a_silent_lms_is_bridged_with_copies_that_are_marked_as_stale(simulator, world, api_as, clock):
    intend(DEMO)
    ask_well(api_as("ada"))
    read_at = timezone.now()
    clock.shift(10 * MINUTE)
    simulator.faults.add("hang", "lms.*", times=None)
    simulator.faults.add("hang", "platform.*", times=None)
    body = ask_well(api_as("ada"))
    assert body["stale"] is True
    assert datetime.fromisoformat(body["facts_fetched_at"]) == read_at
    assert items_of(body)[DEMO]["bucket"] == "enrollable"


def test_while_everybody_is_known_to_be_away_a_stale_answer_costs_no_more_than_a_warm_one(
    simulator, world, api_as, clock, django_assert_max_num_queries
):
    intend(DEMO)
    client = api_as("ada")
    ask_well(client)
    clock.shift(10 * MINUTE + 2 * HOUR)
    client = api_as("ada")  # with a young token
    simulator.faults.add("drop", "*", times=None)
    for _ in range(5):
        ask_well(client)
    world.journal.forget()
    with django_assert_max_num_queries(STATEMENTS):
        body = ask_well(client)
    assert (body["stale"], world.journal.calls()) == (True, [])
    assert items_of(body)[DEMO]["course_run_key"] == DEMO_RUN
    # As soon as somebody may be there again, they are asked.
    simulator.faults.clear()
    clock.shift(timedelta(seconds=16))
    assert ask_well(client)["stale"] is False


def test_copies_older_than_a_day_are_not_shown(simulator, world, api_as, clock):
    intend(DEMO)
    ask_well(api_as("ada"))
    clock.shift(DAY + MINUTE)
    simulator.faults.add("hang", "lms.learners", times=None)
    simulator.faults.add("hang", "platform.*", times=None)
    assert ask(api_as("ada")).status_code == 503


def test_an_answer_in_an_unknown_shape_is_not_taken_for_not_linked(simulator, world, api_as):
    intend(DEMO)
    simulator.faults.add("missing_keys", "lms.learners", times=None, keys=["results"])
    answer = ask(api_as("ada"))
    assert (answer.status_code, answer.json()["code"]) == (503, "upstream_changed")
    simulator.faults.clear()
    ask_well(api_as("ada"))


@pytest.mark.parametrize("endpoint", ["catalog.*", "catalog.catalogs", "catalog.catalog_content"])
def test_a_silent_catalog_is_200_and_catalog_unavailable_when_nothing_is_known(simulator, world, api_as, endpoint):
    intend(DEMO)
    cache.clear()
    simulator.faults.add("status", endpoint, times=None, status=500)
    item = items_of(ask_well(api_as("ada")))[DEMO]
    assert (item["bucket"], item["rule"], item["reason"]) == ("not_enrollable", "D8", "catalog_unavailable")
    assert item["course_run_key"] is None
    assert (item["applicable_enterprise_catalog_uuids"], item["course_run_normalized_metadata"]) == ([], {})
    simulator.faults.clear()
    assert items_of(ask_well(api_as("ada")))[DEMO]["reason"] == "needs_enrollment"


def test_a_silent_catalog_is_bridged_with_content_that_is_marked_as_stale(simulator, world, api_as, clock):
    intend(DEMO)
    read_at = timezone.now()
    clock.shift(20 * HOUR)
    simulator.faults.add("status", "catalog.*", times=None, status=500)
    body = ask_well(api_as("ada"))
    assert items_of(body)[DEMO]["course_run_key"] == DEMO_RUN
    assert body["stale"] is True
    assert datetime.fromisoformat(body["facts_fetched_at"]) == read_at


def test_content_older_than_a_day_is_not_shown(simulator, world, api_as, clock):
    intend(DEMO)
    clock.shift(DAY + MINUTE)
    simulator.faults.add("status", "catalog.*", times=None, status=500)
    assert items_of(ask_well(api_as("ada")))[DEMO]["reason"] == "catalog_unavailable"


def test_a_customer_that_the_lms_switched_off_gets_nothing_and_the_reason_says_so(world, api_as, clock):
    intend(DEMO)
    ask_well(api_as("ada"))
    ada = api_as("ada")
    world.change_customer(customer="acme", is_active=False)
    clock.shift(6 * MINUTE)
    item = items_of(ask_well(ada))[DEMO]
    assert (item["bucket"], item["rule"], item["reason"]) == ("not_enrollable", "D0", "customer_inactive")


def test_who_left_is_noticed_by_a_look_too(world, api_as, clock):
    intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    clock.shift(2 * MINUTE)
    item = items_of(ask_well(api_as("ada")))[DEMO]
    assert (item["bucket"], item["rule"]) == ("not_enrollable", "D2")
    assert realizations_of(ADA)[DEMO_RUN].left_at == timezone.now()


def test_customer_and_link_are_asked_for_at_the_same_time(simulator, world, api_as, clock, monkeypatch):
    intend(DEMO)
    client = api_as("ada")
    ask_well(client)
    clock.shift(timedelta(minutes=6))
    world.journal.forget()
    is_link_asked_for, passing_on = threading.Event(), HTTPAdapter.send

    def send(adapter, request, *args, **kwargs):
        """Let the customer be answered once the link is asked for."""
        if "/enterprise-learner/" in request.url:
            is_link_asked_for.set()
        if "/enterprise-customer/" in request.url:
            assert is_link_asked_for.wait(10)
        return passing_on(adapter, request, *args, **kwargs)

    monkeypatch.setattr(HTTPAdapter, "send", send)
    assert ask_well(client)["stale"] is False
    assert {"lms.customer", "lms.learners"} <= {call.endpoint for call in world.journal.calls()}


def test_the_number_of_statements_does_not_grow_with_the_intentions(world, api_as, clock, django_assert_num_queries):
    client = api_as("erin")  # who is in an audit track
    intend(DEMO)
    ask_well(client)
    with django_assert_num_queries(STATEMENTS + 1):
        ask_well(client)
    courses = [f"ManyX+C{number}" for number in range(19)]
    for key in courses:
        world.add_open_course(key=key)
    catalog = world.tables.catalogs.where(customer=ACME)[0]
    world.change_catalog(catalog_uuid=catalog.uuid, course_keys=(*catalog.course_keys, *courses))
    intend(*courses)
    visit(ERIN)
    clock.shift(timedelta(seconds=61))
    ask_well(client)
    with django_assert_num_queries(STATEMENTS + 1):
        body = ask_well(client)
    assert len(items_of(body)) == 20


# The caller; customer and learner; platform enrollments; intentions with overrides; realizations with last looks; modes
# (a process need not read them again for a moment, CONTENT_TRUSTED_SECONDS). One more where an enrollment has ended or
# is in the audit track: edx-enterprise's rows. PostgreSQL answers the second to the fifth in one round trip.
STATEMENTS = 3 if connection.vendor == "postgresql" else 6


def public_pem(tokens: Tokens) -> bytes:
    key: Any = RSAAlgorithm.from_jwk(json.dumps({name: tokens.signing_jwk[name] for name in ("kty", "n", "e")}))
    pem: bytes = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem


def resigned(token: str, secret: bytes, algorithm: str) -> str:
    """Return the same claims, signed as if `secret` were shared with the service. (PyJWT itself refuses to do it.)"""
    header = json.dumps({"alg": algorithm, "typ": "JWT", "kid": "simulator"}).encode()
    signed = f"{base64.urlsafe_b64encode(header).decode().rstrip('=')}.{token.split('.')[1]}"
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[algorithm]
    signature = hmac.new(secret, signed.encode(), digest).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_the_plan_of_the_learner_is_not_part_of_the_answer(world, api_as):
    intend(DEMO)
    visit(ADA)
    assert str(ACME_ANNUAL) not in json.dumps(ask_well(api_as("ada")))


# --- Several askers, and little time -------------------------------------------------------------------------------


def test_a_first_look_takes_few_calls(world, api_as):
    intend(DEMO, LINUX)
    world.journal.forget()
    cache.clear()
    EnterpriseCustomer.objects.update(fetched_at=timezone.now() - DAY)
    ask_well(api_as("ada"))
    catalogs = len(world.tables.catalogs.where(customer=ACME))
    assert len(world.journal.calls()) <= 5 + catalogs


def test_an_address_that_a_call_has_just_brought_is_shown_to_an_admin_for_ten_minutes(world, api_as, clock):
    intend(DEMO)
    body = ask_well(api_as("amy_admin"), lms_user_id=ADA)
    assert body["user_email"] == "ada@example.com"
    assert EnterpriseLearner.objects.get(lms_user_id=ADA)
    clock.shift(timedelta(minutes=4))
    assert ask_well(api_as("amy_admin"), lms_user_id=ADA)["user_email"] == "ada@example.com"


def test_an_address_is_forgotten_after_ten_minutes(world, api_as, clock, settings):
    settings.LINKS_FRESH_SECONDS = settings.ENROLLMENTS_FRESH_SECONDS = 3600
    intend(DEMO)
    ask_well(api_as("amy_admin"), lms_user_id=ADA)
    clock.shift(timedelta(seconds=601))
    assert ask_well(api_as("amy_admin"), lms_user_id=ADA)["user_email"] is None


def test_no_address_is_logged(world, api_as, caplog):
    intend(DEMO)
    ask_well(api_as("amy_admin"), lms_user_id=ADA)
    ask_well(api_as("ada"))
    assert "@" not in caplog.text


def test_after_an_enrollment_of_ours_a_silent_lms_is_bridged_with_what_was_known_before(simulator, world, api_as):
    intend(DEMO)
    visit(ADA)
    simulator.faults.add("hang", "lms.*", times=None)
    simulator.faults.add("hang", "platform.*", times=None)
    body = ask_well(api_as("ada"))
    assert body["stale"] is True
    assert items_of(body)[DEMO]["realization"]["course_run_key"] == DEMO_RUN


@pytest.mark.parametrize("endpoint", ["lms.customer", "lms.learners", "platform.enrollments"])
def test_a_neighbour_that_hangs_is_waited_for_no_longer_than_the_budget(
    simulator, world, api_as, monkeypatch, settings, endpoint
):
    settings.REQUEST_BUDGET_SECONDS = 3
    waits = noted_waits(monkeypatch)
    simulator.faults.add("hang", endpoint, times=None)
    assert ask(api_as("ada")).status_code == 503
    assert waits
    assert max(waits) <= 3


def test_who_has_a_stale_answer_waits_for_less(simulator, world, api_as, monkeypatch, clock, settings):
    settings.STALE_BUDGET_SECONDS = 1
    intend(DEMO)
    ask_well(api_as("ada"))
    clock.shift(10 * MINUTE)
    ada = api_as("ada")
    waits = noted_waits(monkeypatch)
    simulator.faults.add("hang", "lms.*", times=None)
    simulator.faults.add("hang", "platform.*", times=None)
    assert ask_well(ada)["stale"] is True
    assert max(waits) <= 1


def noted_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note how long each call is willing to wait for an answer, in seconds."""
    waits: list[float] = []
    send = requests.adapters.HTTPAdapter.send

    def noting(self: Any, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        if "access_token" not in str(request.url):  # its wait is cut short below the session; see lib/http/deadline.py
            waits.append(max(kwargs["timeout"]))
        return send(self, request, *args, **kwargs)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", noting)
    return waits


def test_who_comes_while_another_asks_waits_and_asks_nobody(world, api_as, meanwhile, monkeypatch):
    intend(DEMO)
    pauses: list[float] = []
    answers: list[Any] = []
    ada = api_as("ada")

    def the_first_is_done(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            # What the one who is waited for does in another process.
            learners = refresh_learners(customer_uuid=ACME, lms_user_ids=[ADA]).values()
            refresh_enrollments(learners=learners, names_since=min(row.fetched_at for row in learners))
            cache.clear()

    monkeypatch.setattr(time, "sleep", the_first_is_done)
    with one_at_a_time(ends_at=time.monotonic() + 3, reading=str(ACME), lms_user_id=ADA):
        answers.append(ask_well(ada))
    assert len(pauses) == 3
    assert (asked(world, "lms.learners"), asked(world, "platform.enrollments")) == (1, 1)
    assert items_of(answers[0])[DEMO]["bucket"] == "enrollable"

"""Twenty page loads at once for a learner who is new: one license is taken, and each intention is one enrollment.

Every load is a process of its own with a cache of its own, so that nothing but the database keeps them apart; a worker
works beside them. Needs a database that processes can share (`make test-concurrency`).
"""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
)
from simulator.seed import ACME, HOOLI
from simulator.tokens import AUDIENCE, ISSUER
from tests.concurrency.test_one_learner import count, enroll_items, neighbours, run_program
from tests.tally import Tally

__all__ = ["neighbours"]

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

LOADS = 20
KEYS = ("edX+DemoX", "LinuxFoundationX+LFS101x")
RUNS = sorted(f"course-v1:{key}+2026_T1" for key in KEYS)

# One process gets ready and splits: into the page loads, which start in the same moment, and one worker.
PAGES = """
import json, os, sys, time, django
django.setup()
from uuid import UUID
from django.utils import timezone
from rest_framework.test import APIClient
from enterprise_access.apps.default_enrollments.services.realizing.engine import realize_due
folder, token, slug, customer, loads = sys.argv[1:]
reading, writing = os.pipe()
children = []
for number in range(int(loads)):
    child = os.fork()
    if child:
        children.append(child)
        continue
    os.close(writing)
    os.read(reading, 1)  # until the parent closes its end
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    page = ("dashboard", "search")[number % 2]
    answer = client.post(f"/api/v1/bffs/learner/{page}/", {"enterprise_customer_slug": slug}, format="json")
    with open(f"{folder}/{number}-{page}.json", "w") as file:
        json.dump([answer.status_code, answer.json()], file)
    os._exit(0)
worker = os.fork()
if not worker:
    os.close(writing)
    os.read(reading, 1)
    while not os.path.exists(f"{folder}/done"):
        realize_due(customer_uuid=UUID(customer), limit=10, now=timezone.now())
        time.sleep(0.1)
    os._exit(0)
os.close(writing)
failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
open(f"{folder}/done", "w").close()
failed += os.waitpid(worker, 0)[1] != 0
sys.exit(failed)
"""


def load_at_once(neighbours: str, folder: Path, *, username: str, slug: str, customer: UUID) -> list[dict[str, Any]]:
    """Load dashboard and search of a learner many times at once; return the bodies."""
    token = requests.post(f"{neighbours}/control/token", json={"username": username}, timeout=10).json()["token"]
    settings = {
        "JWT_PUBLIC_SIGNING_JWK_SET": requests.get(f"{neighbours}/lms/oauth2/jwks", timeout=10).text,
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        # Twenty processes share a machine that answers one page in a tenth of a second.
        "PORTAL_BUDGET_SECONDS": "40",
        "REQUEST_BUDGET_SECONDS": "20",
        "REALIZE_WAITERS": "16",
    }
    run_program(neighbours, PAGES, str(folder), token, slug, str(customer), str(LOADS), **settings)
    answers = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    assert [status for status, _ in answers] == [200] * LOADS
    return [body for _, body in answers]


def times_called(neighbours: str, endpoint: str) -> int:
    log = requests.get(f"{neighbours}/control/log", timeout=10).json()
    return [call["endpoint"] for call in log["calls"]].count(endpoint)


def what_counts(body: dict[str, Any]) -> Any:
    """Return what a body says of the learner's licenses and default enrollments, without times of reading."""
    subscriptions = body["enterprise_customer_user_subsidies"]["subscriptions"]
    statuses = body["default_enterprise_enrollment_intentions"]["enrollment_statuses"]
    return (
        [(row["uuid"], row["status"]) for row in subscriptions["subscription_licenses"]],
        sorted(map(tuple, map(dict.items, body["default_enterprise_enrollment_realizations"]))),
        sorted(row["content_key"] for row in statuses["already_enrolled"]),
        body["errors"],
    )


@pytest.mark.parametrize(
    ("username", "slug", "customer", "endpoint"),
    [
        ("nina", "hooli", HOOLI, "license_manager.auto_apply"),
        ("ben", "acme", ACME, "license_manager.license_activation"),
    ],
)
def test_twenty_page_loads_take_one_license_and_enroll_once(
    neighbours: str, tmp_path: Path, username: str, slug: str, customer: UUID, endpoint: str, tally: Tally
) -> None:
    row = EnterpriseCustomer.objects.create(uuid=customer, slug=slug, name=slug, fetched_at="2026-01-01T00:00:00Z")
    for key in KEYS:
        DefaultEnterpriseEnrollmentIntention.objects.create(customer=row, content_key=key)

    bodies = load_at_once(neighbours, tmp_path, username=username, slug=slug, customer=customer)

    licenses, runs = times_called(neighbours, endpoint), [it["course_run_key"] for it in enroll_items(neighbours)]
    count(tally, expected=1, made=licenses, **{f"races_of_{LOADS}_pages_of_a_new_learner": 1})
    count(tally, expected=len(RUNS), made=len(runs))
    assert licenses == 1
    assert sorted(runs) == RUNS
    assert DefaultEnterpriseEnrollmentRealization.objects.count() == len(KEYS)
    first = what_counts(bodies[0])
    assert first[2] == sorted(KEYS)
    assert [what_counts(body) for body in bodies] == [first] * LOADS

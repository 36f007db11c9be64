"""The addresses of assignments, and how tests call them."""

from .scene import DEMO_RUN

# What the portal sends: dollars times a hundred, in floating point.
BODY = {"learner_emails": ["ada@example.com"], "content_key": DEMO_RUN, "content_price_cents": 14900.000000000002}
CONFIGURATIONS = "/api/v1/assignment-configurations/"


def allocate_url(policy):
    return f"/api/v1/policy-allocation/{policy.pk}/allocate/"


def admin_url(policy, action=""):
    return f"/api/v1/assignment-configurations/{policy.assignment_configuration}/admin/assignments/{action}"


def own_url(policy, action="assignments/"):
    return f"/api/v1/assignment-configurations/{policy.assignment_configuration}/{action}"


def post(client, url, body=None):
    return client.post(url, body, format="json") if body is not None else client.post(url)

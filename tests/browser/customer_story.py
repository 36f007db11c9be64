"""What the story of a new customer needs besides its people: the operator's calls, and what happens at the LMS."""

from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from attrs import define, field

SLUG, NAME = "aurora", "Aurora Robotics"
# Of the simulated world: the account of this service, which may provision.
OPERATOR = "enterprise_access_worker"
ENGINEERS = "Engineers"
TIMEOUT = 40


@define(kw_only=True)
class Customer:
    """A customer that is provisioned, and its people at the LMS."""

    system: Any
    uuid: str = ""
    catalog_uuid: str = ""
    plan_uuid: str = ""
    group_uuid: str = ""
    lms_user_ids: dict[str, int] = field(factory=dict)

    def provision(self) -> None:
        """Create the customer, its catalog and its plans by the one call that operators make."""
        now = datetime.now(UTC)
        token = self.tell("token", username=OPERATOR)["token"]
        answer = requests.post(
            f"{self.system.web}/api/v1/provisioning",
            headers={"Authorization": f"JWT {token}"},
            timeout=TIMEOUT,
            json={
                "enterprise_customer": {"name": NAME, "slug": SLUG, "country": "US"},
                "pending_admins": [{"user_email": "nora@aurora.example.com"}],
                "trial_subscription_plan": {
                    "title": "Aurora annual plan",
                    "salesforce_opportunity_line_item": "00k000000000001AAA",
                    "start_date": (now - timedelta(days=1)).isoformat(),
                    "expiration_date": (now + timedelta(days=365)).isoformat(),
                    "product_id": 4,
                    "desired_num_licenses": 5,
                },
                "first_paid_subscription_plan": {
                    "title": "Aurora next plan",
                    "salesforce_opportunity_line_item": None,
                    "product_id": 3,
                },
            },
        )
        assert answer.status_code == 201, answer.text
        made = answer.json()
        self.uuid = made["enterprise_customer"]["uuid"]
        self.catalog_uuid = made["enterprise_catalog"]["uuid"]
        self.plan_uuid = made["trial_subscription_plan"]["uuid"]

    def add_learner(self, username: str, last_name: str) -> None:
        """Let somebody register at the LMS as a learner of the customer."""
        about = {"first_name": username.title(), "last_name": last_name, "email": f"{username}@aurora.example.com"}
        row = self.tell("world/add_learner", username=username, customer=SLUG, **about)
        self.lms_user_ids[username] = row["id"]

    def add_admin(self, username: str, last_name: str) -> None:
        """Let an administrator register."""
        about = {"first_name": username.title(), "last_name": last_name, "email": f"{username}@aurora.example.com"}
        self.tell("world/add_user", username=username, extra_roles=[f"enterprise_admin:{self.uuid}"], **about)
        self.tell("world/link", username=username, customer=SLUG)

    def add_license(self, username: str) -> None:
        self.tell("world/add_license", plan_uuid=self.plan_uuid, username=username)

    def add_group(self, *usernames: str) -> None:
        self.group_uuid = self.tell("world/add_group", customer=SLUG, name=ENGINEERS)["uuid"]
        for username in usernames:
            self.tell("world/set_member", group_uuid=self.group_uuid, username=username)

    def tell(self, path: str, **body: Any) -> Any:
        """Change something in the simulated world."""
        answer = requests.post(f"{self.system.simulator}/control/{path}", json=body, timeout=TIMEOUT)
        assert answer.ok, answer.text
        return answer.json()

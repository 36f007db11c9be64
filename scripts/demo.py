"""Tell the main story against a freshly started system, step by step. Exits with 1 when any step differs.

Everything is real: the processes of `make run` in a folder of their own, the admin's own forms, the broker, the worker,
and HTTP between all of them. It stops what it started, also after a failure.
"""

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests
from embedded_system import Differs, System, wait_for

LEARNER, CUSTOMER, CUSTOMER_NAME = "heidi", "globex", "Globex Corporation"
COURSE, RUN = "edX+DemoX", "course-v1:edX+DemoX+2026_T1"
API = "/api/v1/default-enterprise-enrollment-intentions"
SETTLED_WITHIN_SECONDS = 30
TIMEOUT = 10


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="enterprise-access-demo-") as home:
        # Copies count as fresh for a moment only, so that the story need not wait for a minute.
        system = System(Path(home), ENROLLMENTS_FRESH_SECONDS="2")
        try:
            print("Starting a fresh system (web, worker, beat, simulated upstream services) ...", flush=True)
            system.start()
            tell(Story(system))
        except (Differs, requests.RequestException) as error:
            print(f"  DIFFERS: {error}\n\n--- what the system said ---\n{system.log()}", flush=True)
            return 1
        finally:
            system.stop()
    print("\nThe story went as it should.", flush=True)
    return 0


class Story:
    """The people of the story, and what they do."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.staff = requests.Session()
        self.token = ""
        self.customer: dict[str, Any] = {}

    # --- staff ---------------------------------------------------------------------------------------------------

    def log_in_as_staff(self) -> None:
        page = self.submit("/admin/login/", username="demo", password=self.system.password, next="/admin/")
        expect("Log out" in page, "the admin lets the demonstration login in")

    def add_intention(self) -> None:
        path = "/admin/default_enrollments/defaultenterpriseenrollmentintention/add/"
        entered = {"customer": CUSTOMER_NAME, "content_key": COURSE}
        page = self.submit(path, **entered)
        expect(RUN in page, f"the admin says, before it is saved, that it resolves to {RUN}")
        shown = re.search(r'name="shown" value="([^"]+)"', page)
        page = self.submit(path, **entered, shown=shown[1] if shown else "")
        expect(f"the learners of {CUSTOMER_NAME} start with {COURSE}" in page, "the admin says that it is saved")

    def look_at_realizations(self) -> str:
        path = "/admin/default_enrollments/defaultenterpriseenrollmentrealization/"
        return self.staff.get(self.system.web + path, timeout=TIMEOUT).text

    def submit(self, path: str, **fields: str) -> str:
        address = self.system.web + path
        self.staff.get(address, timeout=TIMEOUT).raise_for_status()
        fields["csrfmiddlewaretoken"] = self.staff.cookies["csrftoken"]
        answer = self.staff.post(address, data=fields, headers={"Referer": address}, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.text

    # --- the learner ---------------------------------------------------------------------------------------------

    def sign_in(self) -> None:
        """Do what the portal does: get the learner's token from the LMS, and make one call to the service."""
        signed_in = self.neighbour("POST", "/portal/sign-in", json={"username": LEARNER, "customer": CUSTOMER})
        self.token, self.customer = signed_in["token"], signed_in["customer"]
        self.call("POST", f"{API}/realize/", json={"enterprise_customer_uuid": self.customer["uuid"]})

    def leave(self) -> None:
        self.neighbour("POST", "/portal/leave", json={"username": LEARNER, "course_run_key": RUN})

    def course(self) -> dict[str, Any] | None:
        courses = self.neighbour("GET", "/portal/courses", params={"username": LEARNER})
        return next((course for course in courses if course["course_run_key"] == RUN), None)

    def status(self) -> tuple[str, dict[str, Any]]:
        """Return in which list of learner-status the course is, and its entry."""
        params = {"enterprise_customer_uuid": self.customer["uuid"]}
        statuses = self.call("GET", f"{API}/learner-status/", params=params)["enrollment_statuses"]
        lists = {
            "enrollable": statuses["needs_enrollment"]["enrollable"],
            "not_enrollable": statuses["needs_enrollment"]["not_enrollable"],
            "already_enrolled": statuses["already_enrolled"],
        }
        found = [(name, item) for name, items in lists.items() for item in items if item["content_key"] == COURSE]
        require(len(found) == 1, "learner-status tells of the course once")
        return found[0]

    # --- the wires -----------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"JWT {self.token}"}
        answer = requests.request(method, self.system.web + path, headers=headers, timeout=TIMEOUT, **options)
        require(answer.ok, f"{method} {path} succeeds (it answered {answer.status_code}: {answer.text[:300]})")
        return answer.json()

    def neighbour(self, method: str, path: str, **options: Any) -> Any:
        answer = requests.request(method, self.system.simulator + path, timeout=TIMEOUT, **options)
        require(answer.ok, f"{method} {path} of the simulator succeeds (it answered {answer.status_code})")
        return answer.json()

    def enroll_calls(self) -> int:
        """Return how often the LMS was asked to enroll the learner in the run."""
        calls = self.neighbour("GET", "/control/log")["calls"]
        return sum(call["path"].endswith("/enroll_learners_in_courses/") and RUN in str(call["body"]) for call in calls)

    def wait_until_looked_at(self) -> None:
        """Wait until the worker has settled what was requested: nothing is due any more for this learner."""
        path = "/admin/default_enrollments/realizationrequest/?due_at__isnull=0"
        address = self.system.web + path

        def is_settled() -> bool:
            return "0 realization requests" in self.staff.get(address, timeout=TIMEOUT).text.lower()

        wait_for(is_settled, "the worker to look", SETTLED_WITHIN_SECONDS, self.system.check_runs)


def tell(story: Story) -> None:
    step("Staff log in to the admin pages")
    story.log_in_as_staff()

    step(f"Staff add an intention: every learner of {CUSTOMER_NAME} starts with {COURSE}")
    story.add_intention()

    step(f"A learner ({LEARNER}) has nothing yet, and signs in")
    expect(story.course() is None, "the learner has no enrollment in the course")
    story.sign_in()
    wait_for(lambda: story.course() is not None, "the enrollment", SETTLED_WITHIN_SECONDS, story.system.check_runs)
    course = story.course() or {}
    expect((course["mode"], course["is_active"]) == ("verified", True), "the learner is enrolled, in the verified mode")
    story.wait_until_looked_at()
    expect(RUN in story.look_at_realizations(), "the admin shows the realization")
    where, item = story.status()
    expect(where == "already_enrolled", f"learner-status says already_enrolled (it says {where}: {item['reason']})")

    step("The learner signs in again: nothing happens")
    story.sign_in()
    story.wait_until_looked_at()
    expect(story.enroll_calls() == 1, "the LMS was asked once to enroll the learner, and not again")

    step("The learner leaves the course, and signs in again: nothing happens, and the reason says why")
    story.leave()
    story.sign_in()
    story.wait_until_looked_at()
    expect(story.enroll_calls() == 1, "the LMS was not asked to enroll the learner again")
    expect((story.course() or {}).get("is_active") is False, "the learner stays out of the course")
    wait_for(
        lambda: story.status()[0] == "not_enrollable", "the leaving", SETTLED_WITHIN_SECONDS, story.system.check_runs
    )
    where, item = story.status()
    expect(where == "not_enrollable", f"learner-status says not_enrollable (it says {where})")
    expect(item["rule"] == "D2", f"by the rule about learners who left, D2 (it says {item['rule']})")
    expect(item["reason"] == "learner_unenrolled", f"because learner_unenrolled (it says {item['reason']})")


def step(sentence: str) -> None:
    print(f"\n* {sentence}", flush=True)


def require(is_so: bool, sentence: str) -> None:
    if not is_so:
        raise Differs(f"not so: {sentence}")


def expect(is_so: bool, sentence: str) -> None:
    require(is_so, sentence)
    print(f"  - {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

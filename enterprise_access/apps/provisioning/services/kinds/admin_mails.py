"""The step that tells people that they are admins of a new customer. Their addresses are the workflow's `people`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.notifications.services.signals import notification_settled
from enterprise_access.apps.provisioning.models import Workflow
from enterprise_access.apps.provisioning.services.workflows.recording import ADMIN_ADDED, forget_people_without_mails
from enterprise_access.apps.provisioning.services.workflows.steps import RunningStep, Step
from enterprise_access.lib import clock

SAMPLE: Final = {"customer_name": "Alpha", "admin_portal_url": "https://admin.example.com/alpha"}


@frozen(kw_only=True)
class AdminMailsInput:
    """Whom to tell: places in the workflow's `people`."""

    customer_uuid: UUID
    places: tuple[int, ...]


@frozen(kw_only=True)
class AdminMailsOutput:
    """How many mails were requested. A worker sends them; how each ended is told by its notification."""

    mails: int


class AdminMailsStep(Step[AdminMailsInput, AdminMailsOutput]):
    """Ask for the mails. Asking again changes nothing, and so there is nothing to find."""

    name = "notification"
    title = "Mails to new admins"
    input_class = AdminMailsInput
    output_class = AdminMailsOutput

    def create(self, given: AdminMailsInput, running: RunningStep) -> AdminMailsOutput:
        now = clock.now()
        notifications.ask_all(
            [
                notifications.WantedMail(
                    kind=ADMIN_ADDED,
                    subject=running.workflow_uuid,
                    occurrence=str(place),
                    customer_uuid=given.customer_uuid,
                    lms_user_id=None,
                    due_at=now,
                )
                for place in given.places
            ]
        )
        return AdminMailsOutput(mails=len(given.places))


def connect() -> None:
    """Register the kind of mail, and hear when one has ended."""
    notifications.register(
        notifications.MailKind(name=ADMIN_ADDED, title=_("An admin was added"), read=read_letters, sample=SAMPLE)
    )
    notification_settled.connect(_forget_people, dispatch_uid="provisioning.forget_people")


def read_letters(facts: Sequence[notifications.Fact]) -> Mapping[notifications.Fact, notifications.Letter]:
    """Return the mails of those whose address is still there."""
    rows = Workflow.objects.in_bulk({fact.subject for fact in facts})
    found = {}
    for fact in facts:
        row = rows.get(fact.subject)
        email = _address(row, int(fact.occurrence))
        if row is not None and email:
            found[fact] = notifications.Letter(email=email, context=_context(row))
    return found


def _address(row: Workflow | None, place: int) -> str:
    people = [] if row is None else row.people
    return people[place] if place < len(people) else ""


def _context(row: Workflow) -> dict[str, Any]:
    # The name that was asked for is the customer's: another one would have been refused.
    customer = row.input["customer"]
    portal = settings.ADMIN_PORTAL_URL.rstrip("/")
    return {
        "customer_name": customer["name"],
        "admin_portal_url": f"{portal}/{customer['slug']}" if portal else "",
    }


def _forget_people(*, notification: Any, **_about: object) -> None:
    if notification.kind == ADMIN_ADDED:
        forget_people_without_mails([notification.subject])

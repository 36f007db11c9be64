"""The step that makes people admins of a customer: those with an account at once, the others when they register."""

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.provisioning.errors import StepRefused
from enterprise_access.apps.provisioning.services.workflows.steps import RunningStep, Step
from enterprise_access.upstream.lms import creating


@frozen(kw_only=True)
class AdminsInput:
    """How many admins there are to be. Their addresses are in the workflow's `people`, in the same order."""

    customer_uuid: UUID
    admins: int


@frozen(kw_only=True)
class AdminsOutput:
    """Of each address, in order: whether this workflow made it an admin."""

    created: tuple[bool, ...]


class AdminsStep(Step[AdminsInput, AdminsOutput]):
    """Find who is an admin, or waits to be one; make admins of the others."""

    name = "customer_admins"
    title = "Admins of the customer"
    input_class = AdminsInput
    output_class = AdminsOutput
    correctable: ClassVar[frozenset[str]] = frozenset()

    def find(self, given: AdminsInput, running: RunningStep) -> AdminsOutput | None:
        people = _people(given, running)
        exists = self._existing(given, people)
        for place, email in enumerate(people):
            if exists[email]:
                running.has_found(str(place))
        if not all(exists.values()):
            running.memory["exists"] = exists
            return None
        return AdminsOutput(created=tuple(running.was_written(str(place)) for place in range(len(people))))

    def create(self, given: AdminsInput, running: RunningStep) -> AdminsOutput:
        exists: Mapping[str, bool] = running.memory["exists"]
        created = [
            running.was_written(str(place)) if exists[email] else _make(given.customer_uuid, email, place, running)
            for place, email in enumerate(_people(given, running))
        ]
        return AdminsOutput(created=tuple(created))

    def has_created(self, output: AdminsOutput, running: RunningStep) -> bool:
        return any(output.created)

    def _existing(self, given: AdminsInput, people: tuple[str, ...]) -> dict[str, bool]:
        lms = creating.from_settings()
        admins = lms.list_admin_addresses(customer_uuid=given.customer_uuid) if people else frozenset()
        return {
            email: email.casefold() in admins or lms.is_pending_admin(customer_uuid=given.customer_uuid, email=email)
            for email in people
        }


def _make(customer_uuid: UUID, email: str, place: int, running: RunningStep) -> bool:
    """Make one admin; say whether that changed anything."""
    lms = creating.from_settings()
    running.about_to_write(str(place))
    was_made = lms.make_admin(customer_uuid=customer_uuid, email=email)
    if was_made is None:
        lms.add_pending_admin(customer_uuid=customer_uuid, email=email)
    return was_made is not False


def _people(given: AdminsInput, running: RunningStep) -> tuple[str, ...]:
    people = running.so_far.people
    if len(people) != given.admins or not all(people):
        raise StepRefused(
            "The email addresses of the admins have been deleted from this workflow. Send the request again.",
            reason="addresses_deleted",
        )
    return people

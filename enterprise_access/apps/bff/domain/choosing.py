"""Which of a learner's customers a page shows."""

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from attrs import frozen


class ACustomer(Protocol):
    """As much of a customer as it takes to choose one."""

    @property
    def uuid(self) -> UUID: ...

    @property
    def slug(self) -> str: ...


C = TypeVar("C", bound=ACustomer)


@frozen(kw_only=True)
class WantedCustomer:
    """The customer that a request names: by uuid or by slug, and by its uuid where it names both."""

    uuid: UUID | None = None
    slug: str | None = None

    def is_met_by(self, customer: ACustomer) -> bool:
        """Say whether this is the customer that is wanted."""
        if self.uuid is not None:
            return customer.uuid == self.uuid
        return self.slug is not None and customer.slug.lower() == self.slug.lower()


@frozen(kw_only=True)
class CustomerChoice(Generic[C]):
    """The customer that is shown, and how it came to be. None: there is none.

    `is_linked`: the learner belongs to the customer that is shown. `staff` is the customer when it is shown to somebody
    only because of a role. `should_switch`: the learner asked for a customer of theirs that is not the active one.
    """

    shown: C | None
    active: C | None
    staff: C | None = None
    is_linked: bool
    should_switch: bool = False


def choose(
    *, wanted: WantedCustomer, linked: Sequence[C], off: Sequence[C] = (), active: C | None, staff: C | None
) -> CustomerChoice[C]:
    """Choose what to show: the wanted customer if linked, else the one that staff may look at, else the active one.

    `off` are linked customers that do not use the portal: the active one's page is shown in the place of theirs. A slug
    that is nobody's shows nothing: a page of another customer would be a surprise there.
    """
    own = next((customer for customer in linked if wanted.is_met_by(customer)), None)
    if own is not None:
        should_switch = active is None or active.uuid != own.uuid
        return CustomerChoice(shown=own, active=active, is_linked=True, should_switch=should_switch)
    if staff is not None:
        return CustomerChoice(shown=staff, active=active, staff=staff, is_linked=False)
    if wanted.uuid is None and not any(wanted.is_met_by(customer) for customer in off):
        return CustomerChoice(shown=None, active=active, is_linked=False)
    return CustomerChoice(shown=active, active=active, is_linked=active is not None)


def is_search_disabled(*, has_identity_provider: bool, is_search_enabled: bool) -> bool:
    """Say whether learners find courses in their customer's own system, and not in the portal."""
    return has_identity_provider and not is_search_enabled


def shows_integration_warning(*, is_search_disabled: bool, has_active_integrations: bool) -> bool:
    """Say whether learners who search here have to be told that their customer has a system of its own."""
    return has_active_integrations and not is_search_disabled

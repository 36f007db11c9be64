"""What a part of a page is. A part is one family of data: licenses, enrollments, learner credit."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from enterprise_access.apps.bff.services.load import PageLoad, PageTarget

# The members of `Page` that the parts have loaded so far.
Found = Mapping[str, Any]
Parts = Mapping[type["PagePart"], "PagePart"]


class PagePart:
    """One family of data on a page. An object belongs to one page and one customer; making it starts its calls.

    The hooks are called in the main thread, in the order in which they stand here.
    """

    def __init__(self, load: PageLoad, customer_uuid: UUID) -> None:
        self.load = load
        self.customer_uuid = customer_uuid
        self.start()

    def start(self) -> None:
        """Start the calls that depend on no other part, with `self.load.start`. The customer may be a wrong guess."""

    def meanwhile(self) -> None:
        """Do something useful while the LMS is asked for the learner's customers."""

    def prepare(self, shown: PageTarget, parts: Parts) -> None:
        """Look at what the calls of other parts have brought so far. It has to end at the share FACTS."""

    @property
    def waits_for_others(self) -> bool:
        """Whether the other parts have to be finished first."""
        return False

    def finish(self, shown: PageTarget, found: Found) -> dict[str, Any]:
        """Return members of `Page`. What fails is loaded through `self.load.part`, so that the page goes on."""
        raise NotImplementedError

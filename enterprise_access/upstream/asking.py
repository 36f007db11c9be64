"""What the clients of all upstream services have in common."""

from collections.abc import Callable
from copy import copy
from typing import Self

from enterprise_access.lib.http import Answer, Params, Transport
from enterprise_access.upstream.identifiers import Identifiers


class ServiceClient:
    """Asks one service. What is sent is checked first."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._checked = Identifiers(transport.refusal)

    def within(self, *, total_seconds: float) -> Self:
        """Return the same client with a smaller budget for each of its reads."""
        smaller = copy(self)
        smaller.transport = self.transport.within(total_seconds=total_seconds)
        return smaller

    def _ask(self, path: str, *ids: str, need: Callable[[Transport], None] | None = None) -> Callable[[Params], Answer]:
        """Return a function that asks for a page.

        `need`: checks our rights, where the service leaves out, without a word, what a caller may not see.
        """

        def ask(params: Params) -> Answer:
            answer = self.transport.get(path, *ids, params=params)
            if need is not None:
                need(self.transport)
            return answer

        return ask

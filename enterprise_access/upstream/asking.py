"""What the clients of all upstream services have in common."""

from collections.abc import Callable

from enterprise_access.lib.http import Answer, Params, Transport
from enterprise_access.upstream.identifiers import Identifiers


class ServiceClient:
    """Asks one service. What is sent is checked first."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._checked = Identifiers(transport.refusal)

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

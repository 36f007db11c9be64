"""Who may call: the columns of the table."""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

from rest_framework.test import APIClient

from enterprise_access.apps.core.models import User
from simulator.app import Simulator
from simulator.seed import ACME, GLOBEX

OPERATOR = "enterprise_openedx_operator:*"


class Who(StrEnum):
    """Somebody who calls about the customer Acme, and there about the learner Ada."""

    ANONYMOUS = "anonymous"
    LEARNER = "the learner"
    OTHER_LEARNER = "another learner of the customer"
    FOREIGN_LEARNER = "a learner of another customer"
    ADMIN = "an admin of the customer"
    FOREIGN_ADMIN = "an admin of another customer"
    OPERATOR = "an operator"
    NOBODY = "somebody without a role"
    EXPIRED = "an operator whose token has expired"
    FORGED = "an operator whose token somebody else has signed"
    RESTRICTED = "an application with scopes, and the roles of an operator"
    STAFF_SESSION = "staff in the admin pages, without a role"


def client_of(who: Who, simulator: Simulator) -> APIClient:
    """Return a client that calls as `who`."""
    client = APIClient(raise_request_exception=False)
    if who is Who.STAFF_SESSION:
        client.force_login(User.objects.create_user("somebody_of_staff", is_staff=True))
    elif who is not Who.ANONYMOUS:
        client.credentials(HTTP_AUTHORIZATION=f"JWT {_TOKENS[who](simulator)}")
    return client


def _forged(simulator: Simulator) -> str:
    """Return an operator's token with another one's signature: well formed, and signed, and not for this."""
    head, claims, _ = simulator.tokens.token_for("enterprise_access_worker").split(".")
    return f"{head}.{claims}.{simulator.tokens.token_for('outsider').rsplit('.', 1)[1]}"


_TOKENS: dict[Who, Callable[[Simulator], str]] = {
    Who.LEARNER: lambda simulator: simulator.tokens.token_for("ada"),
    Who.OTHER_LEARNER: lambda simulator: simulator.tokens.token_for("ben"),
    Who.FOREIGN_LEARNER: lambda simulator: simulator.tokens.token_for("heidi"),
    Who.ADMIN: lambda simulator: simulator.tokens.token_for("outsider", roles=[f"enterprise_admin:{ACME}"]),
    Who.FOREIGN_ADMIN: lambda simulator: simulator.tokens.token_for("outsider", roles=[f"enterprise_admin:{GLOBEX}"]),
    Who.OPERATOR: lambda simulator: simulator.tokens.token_for("enterprise_access_worker"),
    Who.NOBODY: lambda simulator: simulator.tokens.token_for("outsider"),
    Who.EXPIRED: lambda simulator: simulator.tokens.token_for(
        "enterprise_access_worker", expires_in=-timedelta(minutes=1)
    ),
    Who.FORGED: _forged,
    Who.RESTRICTED: lambda simulator: simulator.tokens.token_for("enterprise_access_worker", is_restricted=True),
}

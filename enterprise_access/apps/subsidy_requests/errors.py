"""What subsidy requests refuse."""

from collections.abc import Iterable
from uuid import UUID

from enterprise_access.lib.errors import Forbidden, Invalid, NotFound, Refused


class MayNotUse(Forbidden):
    """The caller's roles do not suffice."""

    code = "may_not_use_requests"


class ConfigurationUnknown(NotFound):
    """The customer has no configuration of requests, or it is none of the caller's."""

    code = "configuration_unknown"


class ConfigurationInvalid(Invalid):
    """This combination of settings is not possible."""

    code = "configuration_invalid"


class RequestUnknown(NotFound):
    """There is no such request, or it is none of the caller's."""

    code = "request_unknown"


class PlanUnknown(NotFound):
    """The customer has no such subscription plan."""

    code = "plan_unknown"


class RequestNotAllowed(Refused):
    """The learner cannot ask for this. `code` says why."""

    code = "request_not_allowed"

    def __init__(self, detail: str, *, code: str) -> None:
        super().__init__(detail)
        self.code = code  # type: ignore[misc] # (one class for the reasons of one refusal)


class RequestStateRefused(Refused):
    """Requests are in a state in which this cannot be done. Nothing was changed."""

    code = "request_state"

    def __init__(self, detail: str, *, refused: Iterable[tuple[UUID, str]]) -> None:
        rows = [{"uuid": str(uuid), "state": state} for uuid, state in refused]
        super().__init__(detail, extra={"requests": rows})


class NotEnoughLicenses(Refused):
    """The plan has fewer licenses left than requests are approved, or cannot be used now."""

    code = "not_enough_licenses"


class NoPlanChosen(Refused):
    """It was not said which plan or coupon pays for these requests."""

    code = "no_plan_chosen"


class NothingRequested(NotFound):
    """There is no request that could be approved."""

    code = "no_requests_match"


class CreditRefused(Refused):
    """Learner credit does not pay for these requests. Nothing was changed. `reason`: a stable code."""

    code = "credit_refused"

    def __init__(self, detail: str, *, reason: str, request_uuids: Iterable[UUID] = ()) -> None:
        super().__init__(detail, extra={"reason": reason, "requests": sorted(map(str, request_uuids))})
        self.reason = reason

"""Signing in to the admin pages through the LMS: two steps of the libraries' pipeline (settings/sign_in.py)."""

from typing import Any

from social_core.exceptions import AuthPolicyError

from enterprise_access.apps.core.domain import read_identity
from enterprise_access.apps.core.errors import ClaimMalformed
from enterprise_access.apps.core.models import User
from enterprise_access.apps.core.services.people import get_person
from enterprise_access.lib.transactions import retry_deadlocks


def find_person(backend: Any, uid: str, response: dict[str, Any], id_key: str = "", **_: Any) -> dict[str, Any]:
    """Find who signs in to the admin pages through the LMS, by LMS user id: a step of the libraries' pipeline.

    (Their own steps take whoever has the username now for whoever had it before.) Raises AuthPolicyError.
    """
    try:
        identity = read_identity(response)
    except ClaimMalformed:
        raise AuthPolicyError(backend, code="authentication_disallowed", stage="pipeline") from None
    if identity.lms_user_id is None:
        raise AuthPolicyError(backend, code="authentication_disallowed", stage="pipeline")
    user = get_person(lms_user_id=identity.lms_user_id, username=identity.username)
    social = backend.strategy.storage.user.get_social_auth(backend.name, uid, id_key=id_key)
    if social is not None and social.user_id != user.pk:
        raise AuthPolicyError(backend, code="authentication_disallowed", stage="pipeline")
    return {"user": user, "social": social, "is_new": False, "new_association": social is None}


def keep_person(user: User | None = None, response: object = None, **_: Any) -> None:
    """Write down whether who has signed in is staff: the last step of the libraries' pipeline.

    Whether somebody is staff is the LMS's to say, each time. Who may do what there, and who may do everything, is said
    here. Nothing else of what the LMS tells is kept.
    """
    if user is None or not isinstance(response, dict):
        return
    _write_is_staff(user, is_staff=response.get("administrator") is True)


@retry_deadlocks
def _write_is_staff(user: User, *, is_staff: bool) -> None:
    user.is_staff = is_staff
    user.save(update_fields=["is_staff"])

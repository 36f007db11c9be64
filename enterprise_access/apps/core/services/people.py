"""The users' table: one row for each person, found by the LMS user id and never by the name.

The LMS lets people change their username, and gives a username that is free to somebody else. So a name that comes
with an id renames that id's row. A row with another id that still has the name is out of date, and loses the name.
"""

from typing import Final

from django.db import IntegrityError

from enterprise_access.apps.core.models import User
from enterprise_access.lib.transactions import retry_deadlocks

# Chosen so that the LMS's default rules for usernames, which know no plus sign, never give it to anybody.
_FORMER: Final = "former+{key}"
_MAX_LENGTH: Final = 150


def get_person(*, lms_user_id: int | None, username: str) -> User:
    """Return the row of a person whom the LMS calls `username`, after making or renaming it where needed.

    Without an id (a token of an application without the scope `user_id`) the row is found by name, and nothing is
    changed. A caller must not give that row any role.
    """
    try:
        return _get_person(lms_user_id, username)
    except IntegrityError:
        # Another process made the same row in the meantime.
        return _get_person(lms_user_id, username)


def _get_person(lms_user_id: int | None, username: str) -> User:
    if lms_user_id is None:
        return User.objects.filter(username=username).first() or _make(username)
    row = _row_of(lms_user_id, username)
    return row if row is not None and row.username == username else _make_or_rename(lms_user_id, username)


@retry_deadlocks
def _make(username: str) -> User:
    return User.objects.create_user(username)


def _row_of(lms_user_id: int, username: str) -> User | None:
    """Return the person's row. Renames used to make a second one: one that was switched off counts first, and then
    the one with the present name."""
    rows = list(User.objects.filter(lms_user_id=lms_user_id).order_by("pk"))
    return min(rows, key=lambda row: (row.is_active, row.username != username, row.pk), default=None)


@retry_deadlocks
def _make_or_rename(lms_user_id: int, username: str) -> User:
    row = _row_of(lms_user_id, username)
    holder = User.objects.select_for_update().filter(username=username).first()
    if holder is not None and holder.lms_user_id is None and row is None and not _is_local_account(holder):
        # An empty row that a token without an id has left.
        holder.lms_user_id = lms_user_id
        holder.save(update_fields=["lms_user_id"])
        return holder
    name = username if holder is None or _give_up_name(holder, lms_user_id) else _stand_in(username, lms_user_id)
    if row is None:
        return User.objects.create_user(name, lms_user_id=lms_user_id)
    if row.username != name:
        row.username = name
        row.save(update_fields=["username"])
    return row


def _is_local_account(user: User) -> bool:
    """Say whether the account was made here, for the admin pages; its name was never the LMS's to give."""
    can_sign_in = bool(user.password) and user.has_usable_password()
    return user.lms_user_id is None and (can_sign_in or user.is_staff or user.is_superuser)


def _give_up_name(holder: User, lms_user_id: int) -> bool:
    """Take the name from the row that has it; return False if it keeps the name."""
    if holder.lms_user_id == lms_user_id or _is_local_account(holder):
        return False
    holder.username = _FORMER.format(key=holder.lms_user_id or f"row+{holder.pk}")
    holder.save(update_fields=["username"])
    return True


def _stand_in(username: str, lms_user_id: int) -> str:
    suffix = f"+{lms_user_id}"
    return username[: _MAX_LENGTH - len(suffix)] + suffix

"""The LMS: groups of a customer, and their members. The shapes are those of a stand-in (see the recordings)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, request

from ..answers import Abort, answer, authenticate, detail, instant, page_of, the_world, uuid_or
from ..tables import fold
from ..values import Group, GroupMember
from ..world import World
from .views import API, lms

REMOVED = "removed"
SORTS: dict[str, Callable[[GroupMember], Any]] = {
    "member_details": lambda row: fold(row.email),
    "status": lambda row: row.status,
    "recent_action": lambda row: row.changed_at,
}
NO_GROUP = "No EnterpriseGroup matches the given query."


@lms.get(f"{API}/enterprise-group/<group_uuid>/")
def group(group_uuid: str) -> Response:
    """One group, and whose it is."""
    found = _readable_group(the_world(), group_uuid)
    if isinstance(found, Response):
        return found
    return answer({"uuid": str(found.uuid), "name": found.name, "enterprise_customer": str(found.customer_uuid)})


def _readable_group(world: World, group_uuid: str) -> Group | Response:
    caller = authenticate()
    found = world.tables.groups.get(uuid_or(group_uuid, lambda: detail("Not found.", 404)))
    if found is None:
        raise Abort(detail(NO_GROUP, 404))
    if not caller.is_operator and not caller.has_role("enterprise_admin", found.customer_uuid):
        return detail("Missing: enterprise.can_access_admin_dashboard", 403)
    return found


@lms.get(f"{API}/enterprise-group/<group_uuid>/learners/")
def group_members(group_uuid: str) -> Response:
    """The members of a group: invited ones too, removed ones if asked for."""
    world = the_world()
    group = _readable_group(world, group_uuid)
    if isinstance(group, Response):
        return group
    rows = world.tables.group_members.where(group=group.uuid)
    if request.args.get("show_removed", "").lower() != "true":
        rows = [row for row in rows if row.status != REMOVED]
    if learners := {fold(email) for email in request.args.getlist("learners")}:
        rows = [row for row in rows if fold(row.email) in learners]
    if text := fold(request.args.get("user_query", "")):
        rows = [row for row in rows if text in fold(row.email)]
    if sort_by := request.args.get("sort_by"):
        is_down = request.args.get("is_reversed", "").lower() == "true"
        rows = sorted(rows, key=SORTS.get(sort_by, SORTS["member_details"]), reverse=is_down)
    page = page_of(rows, size=10, largest=500)
    return answer(page.envelope(_record(world, group, row) for row in page.rows))


def _record(world: World, group: Group, row: GroupMember) -> dict[str, Any]:
    user = world.tables.users.first(id=row.user_id) if row.user_id is not None else None
    link = world.tables.links.get((group.customer_uuid, row.user_id)) if row.user_id is not None else None
    return {
        "enterprise_customer_user_id": link.id if link else None,
        "lms_user_id": row.user_id,
        "pending_enterprise_customer_user_id": None if user else 1,
        "enterprise_group_membership_uuid": str(row.uuid),
        "member_details": {
            "user_email": user.email if user else row.email,
            "user_name": f"{user.first_name} {user.last_name}" if user else "",
        },
        "recent_action": f"{row.status.title()}: {row.changed_at:%B %-d, %Y}",
        "status": row.status,
        "activated_at": instant(row.changed_at) if row.status == "accepted" else None,
        "enrollments": 0,
        "group_name": group.name,
        "group_uuid": str(group.uuid),
    }

"""Groups and members as the LMS is asked for them, and every way in which it fails to tell."""

from uuid import UUID

import pytest
import requests

from enterprise_access.lib.errors import UpstreamChanged, UpstreamReason, UpstreamRefused, UpstreamUnavailable
from enterprise_access.upstream.lms.groups import EnterpriseGroup, GroupMember, LmsGroups, MembersQuery
from enterprise_access.upstream.tests.neighbours import Neighbour, answer

GROUP, ACME = UUID("6000000000004000800000000000000a"), UUID("7ae10000-0000-4000-8000-000000000001")
PATH = f"/enterprise/api/v1/enterprise-group/{GROUP}/"
CALLS = {
    "get_group": lambda groups: groups.get_group(group_uuid=GROUP),
    "list_members": lambda groups: groups.list_members(group_uuid=GROUP),
    "get_page": lambda groups: groups.get_page(group_uuid=GROUP, query=MembersQuery(), page=1),
    "iterate": lambda groups: list(groups.iterate(group_uuid=GROUP, query=MembersQuery())),
}


def ask(neighbour):
    return neighbour.client(LmsGroups)


def test_a_group_is_read_with_its_customer():
    neighbour = Neighbour(answer({"uuid": str(GROUP), "enterprise_customer": str(ACME), "name": "North"}))
    assert ask(neighbour).get_group(group_uuid=GROUP) == EnterpriseGroup(uuid=GROUP, customer_uuid=ACME)
    assert neighbour.asked == [(PATH, [])]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("reply", "kind", "reason"),
    [
        (requests.ReadTimeout(), UpstreamUnavailable, UpstreamReason.TIMEOUT),
        (requests.ConnectionError(), UpstreamUnavailable, UpstreamReason.CONNECTION),
        (answer("oops", status=500), UpstreamUnavailable, UpstreamReason.SERVER_ERROR),
        (answer({}, status=429), UpstreamUnavailable, UpstreamReason.THROTTLED),
        (answer({}, status=403), UpstreamRefused, UpstreamReason.FORBIDDEN),
        (answer({}, status=404), UpstreamRefused, UpstreamReason.NOT_FOUND),
        (answer("<html>"), UpstreamChanged, UpstreamReason.UNKNOWN_SHAPE),
        (answer({"uuid": None, "results": 7}), UpstreamChanged, UpstreamReason.UNKNOWN_SHAPE),
    ],
)
def test_what_is_no_answer_is_never_an_empty_one(call, reply, kind, reason):
    with pytest.raises(kind) as caught:
        call(ask(Neighbour(reply)))
    assert caught.value.reason is reason


def test_a_member_that_cannot_be_read_is_told_beside_the_others():
    good = {"lms_user_id": 7, "status": "accepted", "member_details": {"user_email": "g@example.org"}}
    neighbour = Neighbour(answer({"results": [good, {"lms_user_id": 8}], "next": None}))
    found = ask(neighbour).list_members(group_uuid=GROUP)
    assert found == (GroupMember(lms_user_id=7, status="accepted", email="g@example.org"),)
    assert [one.key for one in found.unreadable] == [frozenset({8})]


@pytest.mark.parametrize(
    "call",
    [
        lambda groups: groups.get_group(group_uuid="x"),
        lambda groups: groups.list_members(group_uuid="../x"),
        lambda groups: groups.list_members(group_uuid=GROUP, emails=["a,b"]),
        lambda groups: groups.get_page(group_uuid=GROUP, query=MembersQuery(), page=0),
    ],
)
def test_what_is_malformed_is_not_sent(call):
    neighbour = Neighbour()
    with pytest.raises(UpstreamRefused) as caught:
        call(ask(neighbour))
    assert (caught.value.reason, neighbour.sent) == (UpstreamReason.REFUSED_LOCALLY, [])

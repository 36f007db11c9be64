import pytest

from enterprise_access.lib.errors import UpstreamChanged, UpstreamError, UpstreamReason, UpstreamRefused
from enterprise_access.lib.http import Answer
from enterprise_access.upstream.absence import is_absence

JSON = {"Content-Type": "application/json"}


def answered(status, body, headers=JSON):
    return Answer(service="lms", call="GET /x/", status=status, headers=headers, body=body)


def test_another_status_is_no_absence():
    assert not is_absence(answered(200, b"{}"), status=404)


def test_the_neighbours_own_sentence_is_an_absence():
    assert is_absence(answered(404, b'{"detail": "No EnterpriseCustomer matches the given query."}'), status=404)


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (answered(404, b"<h1>Not Found</h1>", {"Content-Type": "text/html"}), UpstreamChanged, UpstreamReason.NOT_JSON),
        (answered(404, b'{"message": "no Route matched"}'), UpstreamRefused, UpstreamReason.NOT_FOUND),
        (answered(404, b'{"detail": null}'), UpstreamRefused, UpstreamReason.NOT_FOUND),
        (answered(404, b'"Not found"'), UpstreamRefused, UpstreamReason.NOT_FOUND),
        (answered(404, b"{"), UpstreamRefused, UpstreamReason.NOT_FOUND),
        (answered(404, b"", {}), UpstreamRefused, UpstreamReason.NOT_FOUND),
    ],
)
def test_a_404_of_somebody_else_is_a_failure(answer, kind, reason):
    with pytest.raises(UpstreamError) as caught:
        is_absence(answer, status=404)
    assert (type(caught.value), caught.value.reason) == (kind, reason)


def test_a_400_for_another_reason_is_a_failure():
    with pytest.raises(UpstreamRefused):
        is_absence(answered(400, b'{"message": "bad"}'), status=400, key="message", starts_with="No course found")

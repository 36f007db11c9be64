from urllib.parse import urlencode

import pytest
import requests

from enterprise_access.lib.errors import UpstreamChanged, UpstreamReason, UpstreamRefused, UpstreamUnavailable
from enterprise_access.lib.structure import integer
from enterprise_access.upstream.paging import all_rows, cursor_pages, in_pieces, numbered_pages, page_of
from enterprise_access.upstream.tests.neighbours import Neighbour, answer


def page(*rows, next_link=None):
    return answer({"results": rows, "next": next_link})


def numbered(neighbour, params=(("page_size", "2"),)):
    transport = neighbour.client(lambda transport: transport)
    return all_rows(numbered_pages(lambda asked: transport.get("/x/", params=asked), params, page_of(integer)))


def cursored(neighbour):
    transport = neighbour.client(lambda transport: transport)
    return all_rows(cursor_pages(lambda asked: transport.get("/x/", params=asked), [("q", "a")], page_of(integer)))


def test_pages_are_counted_and_the_neighbours_links_are_not_followed():
    neighbour = Neighbour(page(1, 2, next_link="https://elsewhere.test/y/?page=7"), page(3))
    assert numbered(neighbour) == (1, 2, 3)
    assert neighbour.asked == [("/x/", [("page_size", "2")]), ("/x/", [("page_size", "2"), ("page", "2")])]
    assert {request.url.split("/x/")[0] for request in neighbour.sent} == {"https://neighbour.test"}


def test_an_empty_list_is_one_page():
    neighbour = Neighbour(page())
    assert numbered(neighbour) == ()
    assert len(neighbour.sent) == 1


def test_a_list_that_became_shorter_meanwhile_is_to_be_read_again_later():
    neighbour = Neighbour(page(1, next_link="more"), answer({"detail": "Invalid page."}, status=404))
    with pytest.raises(UpstreamUnavailable) as caught:
        numbered(neighbour)
    assert caught.value.reason is UpstreamReason.NOT_FOUND


def test_a_first_page_that_is_not_found_is_a_refusal():
    with pytest.raises(UpstreamRefused):
        numbered(Neighbour(answer({"detail": "Invalid page."}, status=404)))


@pytest.mark.parametrize("failure", [answer({}, status=500), answer([]), requests.ReadTimeout()])
def test_half_a_list_is_no_list(failure):
    with pytest.raises((UpstreamUnavailable, UpstreamChanged)):
        numbered(Neighbour(page(1, next_link="more"), failure))


@pytest.mark.parametrize("pages", [numbered, cursored])
@pytest.mark.parametrize(
    "rows_of_page",
    [
        pytest.param(lambda number: [1, 2], id="the same rows again and again"),
        pytest.param(lambda number: [1, 2] if number == 0 else [], id="pages without rows"),
    ],
)
def test_a_list_without_an_end_is_given_up(pages, rows_of_page):
    endless = (page(*rows_of_page(n), next_link=f"https://x.test/?cursor={n}") for n in range(100))
    neighbour = Neighbour(*endless)
    with pytest.raises(UpstreamChanged) as caught:
        pages(neighbour)
    assert caught.value.reason is UpstreamReason.UNKNOWN_SHAPE
    assert len(neighbour.sent) <= 6


def test_a_list_with_more_rows_than_it_says_to_have_is_given_up():
    neighbour = Neighbour(*(answer({"results": [n], "next": "more", "count": 3}) for n in range(1000)))
    with pytest.raises(UpstreamChanged):
        numbered(neighbour)
    assert len(neighbour.sent) < 200


def test_a_list_has_no_end_but_its_own():
    pages = 2_500
    neighbour = Neighbour(
        *(answer({"results": [n], "next": "more" if n + 1 < pages else None, "count": pages}) for n in range(pages))
    )
    assert len(numbered(neighbour)) == pages


def test_of_the_link_to_the_next_page_only_the_cursor_is_used():
    link = "https://elsewhere.test/y?cursor=cD0yMDI2%2B1&q=b"
    neighbour = Neighbour(page(1, next_link=link), page(2))
    assert cursored(neighbour) == (1, 2)
    assert neighbour.asked == [("/x/", [("q", "a")]), ("/x/", [("q", "a"), ("cursor", "cD0yMDI2+1")])]
    assert neighbour.sent[1].url.startswith("https://neighbour.test/x/")


@pytest.mark.parametrize("link", ["https://x.test/?q=a", "", "http://[", "https://x.test/?cursor="])
def test_a_next_link_without_a_cursor_is_unknown(link):
    with pytest.raises(UpstreamChanged):
        cursored(Neighbour(page(1, next_link=link)))


def test_the_same_cursor_twice_is_a_circle():
    with pytest.raises(UpstreamChanged):
        cursored(Neighbour(page(1, next_link="https://x.test/?cursor=a")))


def test_pieces_have_at_most_a_hundred_values():
    pieces = list(in_pieces([str(number) for number in range(250)]))
    assert [len(piece) for piece in pieces] == [100, 100, 50]
    assert [value for piece in pieces for value in piece] == [str(number) for number in range(250)]


def test_pieces_fit_into_an_address():
    keys = [f"course-v1:SomeOrganizationX+Some.Course.{number:03}x+2026_T1_of_many" for number in range(100)]
    pieces = list(in_pieces(keys, name="content_keys"))
    assert len(pieces) > 1
    for piece in pieces:
        assert len(urlencode([("content_keys", key) for key in piece])) < 3300


def test_nothing_makes_no_piece():
    assert list(in_pieces([])) == []

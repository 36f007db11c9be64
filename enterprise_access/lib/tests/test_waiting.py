"""Waiting is bounded in each process, and for each learner."""

from contextlib import ExitStack

from enterprise_access.lib.waiting import WaitingPlaces


def test_no_more_wait_than_there_are_places_and_a_place_that_is_left_is_free_again():
    places = WaitingPlaces()
    with ExitStack() as stack:
        got = [stack.enter_context(places.place(of=number, limit=2)) for number in range(3)]
    assert got == [True, True, False]
    with places.place(of=9, limit=1) as has_place:
        assert has_place


def test_one_learner_has_one_place_however_often_they_ask():
    places = WaitingPlaces()
    with (
        places.place(of=1, limit=8) as first,
        places.place(of=1, limit=8) as second,
        places.place(of=2, limit=8) as other,
    ):
        assert (first, second, other) == (True, False, True)
    with places.place(of=1, limit=8) as again:
        assert again

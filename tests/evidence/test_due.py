"""What is due for deletion, and what stays."""

from hypothesis import given
from hypothesis import strategies as st

from tynysh.evidence.due import Bounds, Footage, due

DAY = 86_400.0
NOW = 1000 * DAY


def footage(ref: int, days_ago: float, *, gigabytes: float = 1.0, needed: bool = False, spent: bool = False):
    return Footage(ref, NOW - days_ago * DAY, int(gigabytes * 1e9), needed, spent)


def test_what_is_older_than_the_days_is_due_oldest_first() -> None:
    kept = [footage(1, 6.9), footage(2, 7.1), footage(3, 30)]
    assert due(kept, Bounds(days=7), now=NOW) == [3, 2]


def test_beyond_the_room_the_oldest_gives_way() -> None:
    kept = [footage(1, 1, gigabytes=2), footage(2, 2, gigabytes=2), footage(3, 3, gigabytes=2)]
    assert due(kept, Bounds(days=7, gigabytes=4.5), now=NOW) == [3]
    assert due(kept, Bounds(days=7, gigabytes=1), now=NOW) == [3, 2, 1]


def test_what_led_to_nothing_gives_way_first_and_goes_sooner() -> None:
    kept = [footage(1, 1, spent=True), footage(2, 2), footage(3, 3)]
    assert due(kept, Bounds(days=180, gigabytes=2), now=NOW) == [1]
    assert due([footage(1, 8, spent=True), footage(2, 8)], Bounds(days=180, spent_days=7), now=NOW) == [1]


def test_what_is_needed_does_not_give_way_to_newer_footage_but_goes_when_its_days_are_over() -> None:
    kept = [footage(1, 100, needed=True), footage(2, 1)]
    assert due(kept, Bounds(days=180, gigabytes=1), now=NOW) == [2]
    assert due([footage(1, 181, needed=True)], Bounds(days=180), now=NOW) == [1]


footages = st.lists(
    st.builds(
        footage,
        st.just(0),
        st.floats(0, 400),
        gigabytes=st.floats(0, 5),
        needed=st.booleans(),
        spent=st.booleans(),
    ),
    max_size=20,
).map(lambda items: [Footage(i, f.ended_at, f.bytes, f.needed, f.spent) for i, f in enumerate(items)])


@given(footages, st.floats(1, 365), st.none() | st.floats(0.1, 50))
def test_bounds_hold_after_deletion_as_far_as_what_is_needed_allows(kept, days, gigabytes) -> None:
    gone = set(due(kept, Bounds(days, gigabytes, spent_days=7), now=NOW))
    left = [item for item in kept if item.ref not in gone]
    assert all(NOW - item.ended_at <= days * DAY for item in left)
    if gigabytes is not None and any(item.bytes and not item.needed for item in left):
        assert sum(item.bytes for item in left) <= gigabytes * 1e9
    again = due(left, Bounds(days, gigabytes, spent_days=7), now=NOW)
    assert again == [], "nothing more is due at once"

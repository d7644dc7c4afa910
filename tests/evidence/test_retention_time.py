"""A clock that is put forward deletes no more than a day's worth in a day; a right one is believed after any stop."""

from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tynysh.evidence.due import DAY_S
from tynysh.evidence.retention_time import Clocks, accept, keep, known, reckoned
from tynysh.store import record
from tynysh.store.database import Database

HOUR = 3600.0
NOW = 1_790_000_000.0
BEGUN = reckoned(None, Clocks(NOW, "first", 100.0, synchronised=False))


def clocks(ran_s: float, *, off_s: float = 0.0, boot: str = "first", synchronised: bool = False) -> Clocks:
    """After `ran_s` of running since `BEGUN`, with a clock that is ahead of that by `off_s`."""
    return Clocks(NOW + ran_s + off_s, boot, 100.0 + ran_s, synchronised)


def test_a_clock_is_believed_while_it_goes_as_time_does() -> None:
    assert reckoned(BEGUN, clocks(90 * DAY_S)).now == NOW + 90 * DAY_S


def test_a_jump_of_200_days_brings_nothing_forward_and_time_goes_on_as_measured() -> None:
    jumped = reckoned(BEGUN, clocks(60, off_s=200 * DAY_S))
    assert (jumped.now, jumped.doubted) == (NOW + 60, True)
    later = reckoned(jumped, clocks(3 * DAY_S, off_s=200 * DAY_S))
    assert (later.now, later.ahead_s) == (NOW + 3 * DAY_S, 200 * DAY_S)
    right = reckoned(later, clocks(3 * DAY_S + 60))
    assert (right.now, right.doubted) == (NOW + 3 * DAY_S + 60, False)


def test_a_restart_makes_no_jump_believable() -> None:
    jumped = reckoned(BEGUN, clocks(60, off_s=200 * DAY_S))
    for boot in ("second", "third", "fourth"):
        jumped = reckoned(jumped, Clocks(NOW + 200 * DAY_S, boot, 10.0, synchronised=False))
    assert jumped.now <= NOW + 60


def test_a_night_without_power_is_believed_of_a_clock_without_servers() -> None:
    assert reckoned(BEGUN, clocks(8 * HOUR, boot="second")).now == NOW + 8 * HOUR


def test_after_sixty_days_off_the_clock_is_believed_once_time_servers_say_so() -> None:
    started = reckoned(BEGUN, clocks(60 * DAY_S, boot="second"))
    assert (started.now, started.doubted) == (NOW, True)
    heard = reckoned(started, clocks(60 * DAY_S + 600, boot="second", synchronised=True))
    assert (heard.now, heard.doubted) == (NOW + 60 * DAY_S + 600, False)


def test_time_servers_that_contradict_themselves_are_not_believed() -> None:
    heard = reckoned(BEGUN, clocks(0, synchronised=True))
    jumped = reckoned(heard, clocks(60, off_s=200 * DAY_S, synchronised=True))
    assert (jumped.now, jumped.doubted) == (NOW + 60, True)


def test_a_clock_that_was_set_back_deletes_by_itself_and_not_more_when_it_is_right_again(
    database: Database,
) -> None:
    keep(database, clocks(0))
    keep(database, clocks(60, off_s=-200 * DAY_S))
    with database.reading() as session:
        assert known(session, clocks(60, off_s=-200 * DAY_S)).counted_to == NOW + 60 - 200 * DAY_S
        assert known(session, clocks(120)).counted_to == NOW + 120
        assert known(session, clocks(120, off_s=200 * DAY_S)).counted_to == NOW + 120


def test_a_doubted_clock_is_on_record_once_and_in_the_log_each_time_until_somebody_confirms_it(
    database: Database,
) -> None:
    keep(database, clocks(0))
    with capture_logs() as logged:
        keep(database, clocks(60, off_s=200 * DAY_S))
        keep(database, clocks(660, off_s=200 * DAY_S))
    assert [(entry["event"], entry["days"]) for entry in logged] == [
        ("retention.clock_put_forward", 200.0),
        ("retention.clock_put_forward", 200.0),
    ]
    with database.writing() as session:
        accept(session, clocks(700, off_s=200 * DAY_S), user="aigerim@terminal")
        assert known(session, clocks(700, off_s=200 * DAY_S)).counted_to == NOW + 700 + 200 * DAY_S
    with capture_logs() as logged:
        keep(database, clocks(1300, off_s=200 * DAY_S))
    assert not logged
    with database.reading() as session:
        entries = [(entry.user, entry.action, entry.detail["ahead_s"]) for entry in record.entries(session)]
    assert entries == [
        ("aigerim@terminal", "clock.accept", 200 * DAY_S),
        ("retention", "clock.doubt", 200 * DAY_S),
    ]


def test_what_was_dated_by_a_wrong_clock_is_as_old_as_it_is() -> None:
    started = reckoned(None, Clocks(NOW - 400 * DAY_S, "first", 100.0, synchronised=False))
    right = reckoned(started, clocks(40, synchronised=True))
    assert right.counted_to == NOW + 40
    assert right.dated(NOW - 400 * DAY_S + 30) == NOW + 30
    assert right.dated(NOW - 390 * DAY_S) == NOW - 390 * DAY_S
    later = reckoned(right, clocks(3 * DAY_S, synchronised=True))
    assert later.dated(NOW - 400 * DAY_S + 30) == NOW + 30
    again = reckoned(later, clocks(3 * DAY_S + 60, boot="second", synchronised=True))
    assert again.dated(NOW - 400 * DAY_S + 30) == NOW + 30


def test_what_a_clock_that_was_ahead_dated_is_not_kept_longer_and_a_clock_set_back_undoes_it() -> None:
    ahead = reckoned(BEGUN, clocks(60, off_s=200 * DAY_S))
    right = reckoned(ahead, clocks(600))
    assert right.dated(NOW + 300 + 200 * DAY_S) == NOW + 300
    assert right.dated(NOW + 30) == NOW + 30
    at_last = reckoned(right, clocks(200 * DAY_S))
    assert at_last.dated(NOW + 300 + 200 * DAY_S) == NOW + 300 + 200 * DAY_S


def test_a_clock_that_was_set_is_on_record(database: Database) -> None:
    keep(database, clocks(0, off_s=-3 * DAY_S))
    keep(database, clocks(60, synchronised=True))
    keep(database, clocks(660, synchronised=True))
    with database.reading() as session:
        assert known(session, clocks(700)).dated(NOW + 10 - 3 * DAY_S) == NOW + 10
        found = [(entry.action, entry.detail) for entry in record.entries(session)]
    assert found == [("clock.set", {"by_s": 3 * DAY_S})]


steps = st.lists(
    st.tuples(
        st.integers(1, 12).map(lambda hours: hours * HOUR),  # how long until the next look
        st.sampled_from([False, False, False, True]),  # whether the machine was started anew meanwhile
        st.sampled_from(["jumps", "jumps", "stays", "right", "heard"]),  # what becomes of the clock
        st.integers(1, 12).map(lambda hours: hours * HOUR) | st.floats(-2 * DAY_S, 400 * DAY_S),
    ),
    max_size=40,
)


@settings(max_examples=300)
@given(steps)
def test_whatever_the_clock_does_no_day_deletes_more_than_a_day_beyond_the_truth(steps) -> None:
    true_s, off_s, boot, boot_at, heard = 0.0, 0.0, 0, 0.0, False
    reached_now = reckoned(None, Clocks(0.0, "0", 0.0, synchronised=False))
    reached = [(0.0, 0.0)]
    for waited_s, restarted, what, jump_s in steps:
        true_s += waited_s
        if restarted:
            boot, boot_at, heard = boot + 1, true_s, False
        off_s = {"right": 0.0, "heard": 0.0, "stays": off_s, "jumps": off_s + jump_s}[what]
        heard = what == "heard"
        now = Clocks(true_s + off_s, str(boot), true_s - boot_at, synchronised=heard)
        reached_now = reckoned(reached_now, now)
        reached.append((true_s, max(reached[-1][1], reached_now.counted_to)))
    for place, (then, before_s) in enumerate(reached):
        for at, after_s in reached[place + 1 :]:
            if at - then <= DAY_S:
                assert after_s <= max(at, before_s + at - then) + DAY_S + 1


@given(st.floats(0, 1e7), st.floats(0, 1e9), st.booleans())
def test_to_reckon_again_at_the_same_time_changes_nothing(ran_s: float, off_s: float, heard: bool) -> None:
    once = reckoned(BEGUN, clocks(ran_s, off_s=off_s, synchronised=heard))
    assert reckoned(once, clocks(ran_s, off_s=off_s, synchronised=heard)) == once

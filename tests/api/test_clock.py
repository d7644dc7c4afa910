"""Whoever watches is told when the machine's clock is in doubt."""

from tynysh.evidence.retention_time import Clocks, accept, keep

DAY_S = 86_400.0


def test_a_clock_that_was_put_forward_is_told_until_somebody_confirms_it(house) -> None:
    right = Clocks(1_790_000_000.0, "first", 100.0, synchronised=False)
    ahead = Clocks(right.now + 200 * DAY_S, "first", 160.0, synchronised=False)
    with house.signed_in() as browser:
        assert browser.get("/api/v1/clock").json() == {"doubted": False, "ahead_s": 0.0}
        keep(house.database, right)
        assert browser.get("/api/v1/clock").json() == {"doubted": False, "ahead_s": 0.0}
        keep(house.database, ahead)
        assert browser.get("/api/v1/clock").json() == {"doubted": True, "ahead_s": 200 * DAY_S - 60}
        with house.database.writing() as session:
            accept(session, ahead, user="aigerim@terminal")
        assert browser.get("/api/v1/clock").json() == {"doubted": False, "ahead_s": 0.0}

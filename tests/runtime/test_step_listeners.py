"""What is kept of a camera's steps: people, crowd, what was watched, pictures, and what is worth decoding."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
import pytest
from tests.runtime.steps import event, step

from tynysh.behaviour.event import Event, Phase
from tynysh.behaviour.signal import Behaviour
from tynysh.behaviour.threshold_sweep import no_alarms
from tynysh.crowd.meter import CrowdMeter
from tynysh.geometry import Box
from tynysh.media.recorder import RecorderState, RecorderStatus
from tynysh.runtime.crowd_record import CrowdRecord
from tynysh.runtime.decoder_activity import DecoderActivity
from tynysh.runtime.live_view import LiveView
from tynysh.runtime.people_record import PeopleRecord
from tynysh.runtime.recording_events import RecordingEvents
from tynysh.runtime.shown_pictures import ASKED_S, UNASKED_S, ShownPictures
from tynysh.runtime.watch_record import WatchRecord

SOMEBODY = {1: Box(0.2, 0.2, 0.3, 0.6)}


class TestPeople:
    def test_are_known_where_frames_were_analysed_and_not_while_the_camera_was_lost(self) -> None:
        people = PeopleRecord()
        people.take(step(10.0, to_blur=SOMEBODY))
        people.take(step(10.2, to_blur=SOMEBODY))
        people.take(step(60.0, lost=True))
        kept = people.between(0.0, 100.0)
        assert kept.at(10.1) == [pytest.approx(SOMEBODY[1])]
        assert kept.at(60.0) is None


class TestCrowd:
    def test_is_known_from_a_look_until_the_camera_is_lost_and_its_minutes_are_given_once(self) -> None:
        crowd, meter = CrowdRecord("north"), CrowdMeter()
        assert crowd.now is None
        for tenth in range(1300):
            seen = step(tenth / 10).scene
            crowd.take(step(tenth / 10, crowd=meter.observe(seen, [])))
        assert crowd.now is not None
        assert crowd.now.ground is None
        taken = crowd.take_minutes(2)
        assert {len(minutes.at) for minutes in taken.values()} == {2}
        assert not crowd.take_minutes(2)
        crowd.take(step(131.0, lost=True))
        assert crowd.now is None


class TestWatched:
    def test_seconds_between_pictures_count_unless_they_are_too_far_apart(self) -> None:
        record = WatchRecord()
        for time_s in (10.0, 10.5, 11.0, 500.0, 500.25):
            record.take(step(time_s))
        assert record.take_watched().seconds == pytest.approx(1.25)
        record.take(step(500.5))
        assert record.take_watched().seconds == pytest.approx(0.25), (
            "the time before it was taken, and this goes on"
        )

    def test_alarms_add_up_until_they_are_taken_also_those_of_a_lost_camera(self) -> None:
        record = WatchRecord()
        counted = no_alarms() + 1
        record.take(step(1.0, swept_alarms={Behaviour.FIGHT: counted}))
        record.take(step(2.0, lost=True, swept_alarms={Behaviour.FIGHT: counted}))
        assert (record.take_watched().swept_alarms[Behaviour.FIGHT] == 2).all()
        assert record.take_watched().swept_alarms == {}


class TestActivity:
    def test_the_decoder_is_active_while_something_moves_an_event_holds_or_somebody_watches(self) -> None:
        reported: list[bool] = []
        watched = False
        activity = DecoderActivity(reported.append, lambda: watched)
        activity.take(step(0.0))
        activity.take(step(1.0, moving=True))
        activity.take(step(2.0, event(Phase.BEGUN)))
        activity.take(step(3.0))
        activity.take(step(4.0, event(Phase.ENDED)))
        watched = True
        activity.take(step(5.0))
        assert reported == [False, True, True, True, False, True]

    def test_an_event_that_begins_while_the_camera_is_lost_holds_when_it_is_back(self) -> None:
        reported: list[bool] = []
        activity = DecoderActivity(reported.append, lambda: False)
        activity.take(step(0.0, event(Phase.BEGUN), lost=True))
        assert reported == []
        activity.take(step(1.0))
        assert reported == [True]


@dataclass
class Shower:
    pictures: ShownPictures
    now_s: float = 1000.0

    def latest_s(self, *, asked: bool = False) -> float | None:
        """Stream time of the latest picture that is ready. `asked`: by somebody just now; otherwise long ago."""
        shown = self.pictures.latest()
        self.now_s += 0.0 if asked else ASKED_S
        return None if shown is None else shown.time_s


@pytest.fixture
def shower() -> Iterator[Shower]:
    live = LiveView("north")
    made = Shower(ShownPictures(live, monotonic=lambda: made.now_s))
    yield made
    live.close()


class TestPictures:
    def test_while_nobody_asks_one_a_second_is_made_ready(self, shower: Shower) -> None:
        ready = []
        for tenth in range(35):
            shower.pictures.take(step(tenth / 10))
            ready.append(shower.latest_s())
        assert len(set(ready)) == 4
        assert max(tenth / 10 - at for tenth, at in enumerate(ready) if at is not None) < UNASKED_S

    def test_who_asks_gets_the_latest_until_he_asked_long_ago(self, shower: Shower) -> None:
        assert shower.latest_s(asked=True) is None
        for time_s in (0.0, 0.1, 0.2):
            shower.pictures.take(step(time_s))
        assert shower.latest_s() == 0.2
        shower.pictures.take(step(0.3))
        assert shower.latest_s() == 0.2

    def test_what_is_not_sure_is_not_shown(self, shower: Shower) -> None:
        shower.pictures.take(step(0.0, moving=True, detected=False))
        assert shower.latest_s(asked=True) is None

    @pytest.mark.parametrize("lost", [False, True])
    def test_an_event_that_begins_finds_the_latest_picture_ready(self, shower: Shower, lost: bool) -> None:
        for time_s in (0.0, 0.1):
            shower.pictures.take(step(time_s))
        assert shower.latest_s() == 0.0
        shower.pictures.take(step(0.2, event(Phase.BEGUN), lost=lost))
        assert shower.latest_s() == (0.1 if lost else 0.2)

    def test_people_in_it_are_blurred(self, shower: Shower) -> None:
        shower.pictures.take(step(0.0, to_blur=SOMEBODY))
        shown = shower.pictures.latest()
        assert shown is not None
        assert shown.people == list(SOMEBODY.values())
        assert np.asarray(shown.picture).mean() == pytest.approx(90, abs=1)


class TestRecording:
    def test_each_fault_is_an_event_that_ends_when_recording_goes_on_or_something_else_is_wrong(self) -> None:
        reported: list[Event] = []
        events = RecordingEvents(reported.append, Random(1))
        full, slow = "media.recording.disk_full", "media.recording.too_slow"
        events.changed(RecorderStatus(RecorderState.RECORDING, 1.0))
        events.changed(RecorderStatus(RecorderState.RECORDING, 2.0, slow))
        events.changed(RecorderStatus(RecorderState.STOPPED, 3.0, full))
        events.changed(RecorderStatus(RecorderState.RECORDING, 4.0))
        assert [(one.phase, one.subject, one.start_s, one.end_s) for one in reported] == [
            (Phase.BEGUN, slow, 2.0, None),
            (Phase.ENDED, slow, 2.0, 3.0),
            (Phase.BEGUN, full, 3.0, None),
            (Phase.ENDED, full, 3.0, 4.0),
        ]
        assert reported[0].id == reported[1].id != reported[2].id == reported[3].id

    def test_what_is_open_ends_with_the_camera_once(self) -> None:
        reported: list[Event] = []
        events = RecordingEvents(reported.append, Random(1))
        events.changed(RecorderStatus(RecorderState.STOPPED, 3.0, "media.recording.failed"))
        events.close(9.0)
        events.close(10.0)
        assert [(one.phase, one.end_s) for one in reported] == [(Phase.BEGUN, None), (Phase.ENDED, 9.0)]

"""How a camera is doing, as workers report it."""

from tynysh.media.camera_status import CameraStatus, understood


def test_what_cannot_be_understood_counts_as_not_said() -> None:
    reported = {
        "door": {"state": "live", "since": 1.0, "something": "new"},
        "gate": {"state": "live"},
        "yard": {"people": "many"},
        "roof": {"state": "on fire", "since": 1.0},
    }
    assert understood(reported) == {"door": CameraStatus(state="live", since=1.0)}

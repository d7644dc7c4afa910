"""No secret reaches a log."""

import pytest

from tynysh.media.redaction import redacted
from tynysh.runtime.logs import mask_secrets


@pytest.mark.parametrize(
    "text",
    [
        "opening rtsp://operator:hunter2@10.0.0.7:554/stream1",
        "rtsps://operator:hunter2@camera/stream?password=hunter2&channel=1",
        "GET http://camera/video.cgi?user=operator&pwd=hunter2",
        "postgresql+pg8000://tynysh:hunter2@db/tynysh",
    ],
)
def test_credentials_in_urls_are_masked(text: str) -> None:
    masked = redacted(text)
    assert "hunter2" not in masked
    assert "operator" not in masked
    assert "://" in masked


def test_values_under_telling_names_are_masked_at_any_depth() -> None:
    event = {
        "event": "x",
        "password": "hunter2",
        "camera": {"credentials": {"a": "hunter2"}, "urls": ["rtsp://u:hunter2@h"]},
    }
    assert "hunter2" not in str(mask_secrets(None, "info", event))


def test_everything_else_is_left_alone() -> None:
    event = {"event": "camera.live", "camera": "gate", "fps": 25.0, "ratio": "12:30@noon"}
    assert mask_secrets(None, "info", dict(event)) == event

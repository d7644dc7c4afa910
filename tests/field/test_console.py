"""What browsers of the field do with live video, as people who run such systems reported it."""

from typing import Any

import pytest
from playwright.sync_api import expect
from tests.console.conftest import browser, context, desk, house, quick_hashes  # noqa: F401
from tests.servers import until

IPHONE = """
    window.ManagedMediaSource = window.MediaSource;
    delete window.MediaSource;
"""
RELUCTANT = """
    const play = HTMLMediaElement.prototype.play;
    let refusals = 3;
    HTMLMediaElement.prototype.play = function () {
      if (refusals-- > 0) {
        this.pause();
        return Promise.reject(new DOMException("play() can only be initiated by a user gesture.", "NotAllowedError"));
      }
      return play.call(this);
    };
"""


@pytest.mark.browser
@pytest.mark.parametrize("browser_of", [IPHONE, RELUCTANT], ids=["iphone", "reluctant"])
def test_live_video_plays(browser_of: str, desk: Any, house: Any) -> None:  # noqa: F811
    """iPhones have a managed media source alone: blakeblackshear/frigate#8651, #9839. Browsers refuse to play before
    somebody has touched the page: OpenIPC/majestic-webui#391, dermotduffy/advanced-camera-card#950,
    immich-app/immich#10383.
    """
    desk.page.add_init_script(browser_of)
    desk.sign_in(house.user())
    expect(desk.page.locator(".link-open")).to_be_visible()
    desk.page.goto(f"{house.url}/#/cameras/club-hall")
    video = desk.page.locator("video[data-live=playing]")
    expect(video).to_be_visible(timeout=20_000)
    assert until(lambda: desk.page.eval_on_selector("video", "video => video.currentTime") > 0.5)
    assert desk.page.eval_on_selector("video", "video => video.muted && !video.paused && video.playsInline")
    desk.is_clean()

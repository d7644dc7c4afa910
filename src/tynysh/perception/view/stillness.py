"""Does a camera send the same picture over and over?"""

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from tynysh.media.frame import Image

COLUMNS = 160
"""About so many pixels of a row are looked at."""

SAME = 0.02
"""Mean difference of brightness, in levels of 256, below which two pictures are the same whatever is usual."""

SAME_SHARE = 0.15
"""Part of a camera's usual change below which a picture counts as the one before: coded anew, it is not quite."""

NOISY_SHARE = 0.15
"""Part of the pixels that change from picture to picture by a sensor's noise at least; people change less."""

HISTORY = 120
LEARNT = 30
RENEW = 10
"""Changes that are remembered, after which it is known what is usual, and after so many more it is reckoned anew."""

ALIVE_SHARE = 0.6
"""Part of the usual change from which a single picture shows that the scene is live."""

NOISY_GAP_S = 0.6
"""Noise shows from picture to picture, and not at key frames alone."""

LEARNT_RENEWALS = 6
FROZEN_SHARE = 0.3
"""After so many key frames it is known how many pixels differ at least from one to the next; a picture in which less
than this part of them does is frozen."""

WINDOW_S = 1.0
STILL_SHARE = 0.75
"""This part of the pictures of so many seconds must be the same: frozen pictures change at key frames too."""


class Stillness:
    """Since when one camera's pictures have been the same; depends on the pictures and their times alone.

    A picture is the same as the one before it where the mean difference of brightness is below 0.02 levels, or below
    0.15 of its running median: a frozen picture that is coded again and again still changes a little at each key
    frame. For the same reason three quarters of the pictures of a second must be the same, not all.

    Compression may take the noise out of all pictures but key frames. Where it is known when those come, pictures right
    after them are compared too: of a live scene a good part of the pixels differs from one to the next, of a frozen one
    next to none.

    Where a clock is burnt in, nobody looks: it may go on before a picture that does not. As long as it does, and no
    noise was ever seen, nothing is said of standing still.

    noisy: whether this camera's pictures usually change all over, as a sensor's noise makes them; a clean stream, in
    which only what moves is coded, may rightly stand still for long. Also true while key frames tell of standing still.
    """

    def __init__(self) -> None:
        self.since_s: float | None = None
        self._picture: Image | None = None
        self._changes: deque[float] = deque(maxlen=HISTORY)
        self._shares: deque[float] = deque(maxlen=HISTORY)
        self._gaps: deque[float] = deque(maxlen=HISTORY)
        self._changed_s: float | None = None
        self._latest: deque[tuple[float, bool]] = deque()
        self._keys = 0
        self._renewal: tuple[Image, float] | None = None
        self._renewals: deque[float] = deque(maxlen=HISTORY)
        self._renewed_since_s: float | None = None
        self._learnt = 0
        self._usual = 0.0
        self._all_over = False

    @property
    def noisy(self) -> bool:
        """See the class."""
        return self._all_over or self._renewed_since_s is not None

    def observe(
        self,
        luma: Image,
        time_s: float,
        *,
        keys: int | None = None,
        overlay: NDArray[np.bool_] | None = None,
    ) -> None:
        """Take the next picture's brightness, (height, width). keys: how many key frames came so far, where known.
        overlay: (rows, columns) of any grid, where a clock is burnt in, if one is (`Motion.overlay`).
        """
        step = max(1, luma.shape[1] // COLUMNS)
        # A copy: the frame's memory is the decoder's, and only as long as the frame lives.
        picture = luma[::step, ::step].copy()
        if overlay is not None:
            # The whole line of text, for hours and minutes stand beside what was seen to tick.
            lines = np.repeat(overlay.any(axis=1), -(-len(picture) // len(overlay)))[: len(picture)]
            picture[: len(lines)][lines] = 0
        before, self._picture = self._picture, picture
        if before is None or before.shape != picture.shape:
            self.forget()
            self._picture = picture
            return
        renewed = keys is not None and keys != self._keys
        if keys is not None and renewed:
            self._keys = keys
        alive = renewed and self._renew(picture, time_s)
        difference = cv2.absdiff(picture, before)
        change = float(cv2.mean(difference)[0])
        same = change < max(SAME, SAME_SHARE * self._usual)
        if not same:
            self._learn(change, cv2.countNonZero(difference) / difference.size, time_s)
        if overlay is not None and not self.noisy:
            alive = True
        if alive or (self._usual and change >= ALIVE_SHARE * self._usual):
            # A single picture that differs as much as usual is enough: a live scene, coded anew at a key frame.
            self.since_s = None
            self._latest.clear()
        self._decide(time_s, same=same and not alive)

    def forget(self) -> None:
        """Pictures stopped: what comes next is compared with nothing."""
        self._picture = None
        self._changed_s = None
        self._renewal = None
        self._renewed_since_s = None
        self._latest.clear()
        self.since_s = None

    def _learn(self, change: float, share: float, time_s: float) -> None:
        if self._changed_s is not None:
            self._gaps.append(max(0.0, time_s - self._changed_s))
        self._changed_s = time_s
        self._changes.append(change)
        self._shares.append(share)
        self._learnt += 1
        if self._learnt >= LEARNT and self._learnt % RENEW == 0:
            self._usual = float(np.median(self._changes))
            often = float(np.median(self._gaps)) <= NOISY_GAP_S
            self._all_over = often and float(np.median(self._shares)) >= NOISY_SHARE

    def _renew(self, picture: Image, time_s: float) -> bool:
        """Compare the pictures after two key frames; whether they differ as those of a live scene do."""
        before, self._renewal = self._renewal, (picture, time_s)
        if before is None:
            return False
        share = cv2.countNonZero(cv2.absdiff(picture, before[0])) / picture.size
        least = min(self._renewals) if len(self._renewals) >= LEARNT_RENEWALS else 0.0
        if least >= NOISY_SHARE and share < FROZEN_SHARE * least:
            if self._renewed_since_s is None:
                self._renewed_since_s = before[1]
            return False
        self._renewed_since_s = None
        self._renewals.append(share)
        return share >= max(NOISY_SHARE, FROZEN_SHARE * least)

    def _decide(self, time_s: float, *, same: bool) -> None:
        self._latest.append((time_s, same))
        while len(self._latest) > 2 and self._latest[1][0] <= time_s - WINDOW_S:
            self._latest.popleft()
        still = sum(same for _, same in self._latest) >= STILL_SHARE * len(self._latest)
        if self._renewed_since_s is not None:
            self.since_s = self._renewed_since_s
        elif not still:
            self.since_s = None
        elif self.since_s is None and same:
            self.since_s = time_s

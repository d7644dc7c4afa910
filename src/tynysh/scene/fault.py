"""What can be wrong with a camera, and can it still be relied on to see?"""

from enum import StrEnum


class CameraFault(StrEnum):
    """What is wrong with a camera: the subject of the signals of `camera_fault`.

    lost: no pictures. frozen: the same picture over and over. covered: by a hand, a cloth, paint. moved: it looks
    elsewhere, or is zoomed. defocused. dark: no light reaches it. glare: over-exposed. wrong_picture: colour bars, a
    slate, another scene. timestamps: the stream's clock jumps or runs wrong. bit_rate: far fewer bytes than usual.
    not_watched: its analysis hangs, a fault of ours.
    """

    LOST = "lost"
    FROZEN = "frozen"
    COVERED = "covered"
    MOVED = "moved"
    DEFOCUSED = "defocused"
    DARK = "dark"
    GLARE = "glare"
    WRONG_PICTURE = "wrong_picture"
    TIMESTAMPS = "timestamps"
    BIT_RATE = "bit_rate"
    NOT_WATCHED = "not_watched"

    @property
    def blinds(self) -> bool:
        """Whether what the camera is there for goes unseen; the others make what it shows doubtful only.

        >>> CameraFault.COVERED.blinds, CameraFault.TIMESTAMPS.blinds
        (True, False)
        """
        return self not in {CameraFault.TIMESTAMPS, CameraFault.BIT_RATE}

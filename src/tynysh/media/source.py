"""How is a video source opened, of whatever kind?"""

from collections.abc import Callable
from functools import cache
from typing import Protocol

from tynysh.media.container_source import ContainerSource
from tynysh.media.packet import PacketSource
from tynysh.media.source_fault import SourceError, SourceFault
from tynysh.media.source_spec import SourceKind, SourceSpec, Timeouts, plugins

Opener = Callable[[SourceSpec, Timeouts], PacketSource]


class SourcePlugin(Protocol):
    """A kind of source beside those that FFmpeg reads: cameras of a protocol of their own, drawn scenes.

    A package declares it as an entry point of the group `tynysh.sources`, named as the scheme of its addresses. One
    that knows who is in its pictures brings a detector too (`perception.detector.BringsDetector`).
    """

    def open(self, spec: SourceSpec, timeouts: Timeouts) -> PacketSource:
        """Connect to `spec`. Blocks for at most `timeouts.open_s`; raises SourceError with a hint."""
        ...


def open_source(spec: SourceSpec, timeouts: Timeouts = Timeouts()) -> PacketSource:  # noqa: B008 - immutable
    """Connect to `spec`. Blocks for at most `timeouts.open_s`; raises SourceError with a hint."""
    if spec.kind is SourceKind.PLUGGED:
        return plugin_of(spec).open(spec, timeouts)
    if spec.kind is SourceKind.FOLDER:
        raise SourceError(
            SourceFault.NOT_VIDEO,
            f"{spec.address} is a folder",
            hint="Open its files one by one, or use VideoFile.",
        )
    return ContainerSource(spec, timeouts)


def plugin_of(spec: SourceSpec) -> SourcePlugin:
    """The kind of source that `spec`, which is PLUGGED, is of. Raises SourceError, naming the package, where it is
    broken.
    """
    return _loaded(spec.address.partition(":")[0].lower())


@cache
def _loaded(scheme: str) -> SourcePlugin:
    point = plugins()[scheme]
    try:
        found: SourcePlugin = point.load()
    except Exception as error:
        package = "unknown" if point.dist is None else f"{point.dist.name} {point.dist.version}"
        raise SourceError(
            SourceFault.BROKEN,
            f"the source '{scheme}:' of the package {package} cannot be used: {type(error).__name__}: {error}",
            hint="Correct the package, or remove it with pip uninstall.",
        ) from error
    return found

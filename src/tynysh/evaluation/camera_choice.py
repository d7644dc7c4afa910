"""Which camera of a site is a video of, and what is watched for in it?"""

from pathlib import Path

from tynysh.errors import UsageError
from tynysh.runtime.camera_plan import CameraPlan
from tynysh.site.camera import Camera
from tynysh.site.site import Site
from tynysh.site.yaml import load


def sites_of(path: Path | None) -> tuple[Site, ...]:
    """The sites of a file; none without one. Raises SiteError."""
    return tuple(load(path).sites) if path is not None else ()


def plan_for(sites: tuple[Site, ...], name: str | None, video: Path) -> CameraPlan:
    """What to watch for in `video`: what the site says of the camera `name` (id or name), else of the camera whose
    stream the file is, else of the only camera; the usual where there is no site. Raises UsageError.
    """
    if not sites:
        if name is not None:
            raise UsageError("--camera needs --site.", hint="Name the site file that has the camera.")
        return CameraPlan.usual()
    cameras = [(site, camera) for site in sites for camera in site.cameras]
    found = [pair for pair in cameras if _is_meant(pair[1], name, video)]
    if not found and name is None and len(cameras) == 1:
        found = cameras
    if len(found) != 1:
        known = ", ".join(camera.id for _, camera in cameras) or "none"
        wanted = f"called {name!r}" if name is not None else f"that shows {video}"
        raise UsageError(
            f"The site has {len(found) or 'no'} camera{'s' if len(found) > 1 else ''} {wanted}.",
            hint=f"Choose one with --camera: {known}.",
        )
    return CameraPlan.of(*found[0], scheduled=False)


def _is_meant(camera: Camera, name: str | None, video: Path) -> bool:
    if name is not None:
        return name in {camera.id, camera.name}
    return any(
        address is not None and Path(address.removeprefix("file://")).absolute() == video.absolute()
        for address in (camera.main, camera.sub)
    )

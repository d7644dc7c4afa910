"""Where sites and cameras are on the map."""

from pydantic import Field

from tynysh.site.fields import Strict


class GeoPosition(Strict):
    """A place on the map, degrees (WGS 84)."""

    latitude: float = Field(ge=-90, le=90, title="Latitude", description="Degrees north.")
    longitude: float = Field(ge=-180, le=180, title="Longitude", description="Degrees east.")


class CameraPosition(GeoPosition):
    """Where a camera stands and where it looks."""

    direction: float | None = Field(
        default=None,
        ge=0,
        lt=360,
        title="Direction",
        description="Where it looks: degrees clockwise from north.",
    )
    field_of_view: float | None = Field(
        default=None, gt=0, le=360, title="Field of view", description="Horizontal angle of view, degrees."
    )
    height: float | None = Field(
        default=None, gt=0, le=500, title="Height", description="Height above the ground, metres."
    )

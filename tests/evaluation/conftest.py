"""Videos of drawn scenes, and stand-ins for the networks."""

from tests.drawn_videos import seen_by, square, street, street_site, tynysh

__all__ = ["seen_by", "square", "street", "street_site", "tynysh"]

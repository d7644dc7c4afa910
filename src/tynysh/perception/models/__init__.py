"""The models that Tynysh uses: the manifest, and fetching what it names."""

from tynysh.perception.models.cache import ensure

__all__ = ["ensure"]

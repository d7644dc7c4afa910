"""The models that Tynysh uses: the manifest, and fetching what it names."""

from tynysh.perception.models.cache import Models, ModelState, ensure
from tynysh.perception.models.manifest import Model, manifest

__all__ = ["Model", "ModelState", "Models", "ensure", "manifest"]

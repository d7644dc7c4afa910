"""The models that Tynysh uses: the manifest, and fetching what it names."""

from tynysh.perception.models.cache import Models, State, ensure
from tynysh.perception.models.manifest import Model, manifest

__all__ = ["Model", "Models", "State", "ensure", "manifest"]

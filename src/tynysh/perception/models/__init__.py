"""The models that Tynysh uses: the manifest, and fetching what it names."""

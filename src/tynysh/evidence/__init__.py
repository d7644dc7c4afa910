"""The recorded clip and stills of an incident."""

"""From scenes to events: one module per analyser, one protocol, one registry."""

"""Whether the camera shows the view that it is there for: covered, moved, defocused, dark, dazzled, wrong, frozen."""

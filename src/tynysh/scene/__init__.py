"""What is seen at one instant: persons, tracks, motion, zones, ground; the words of everything above."""

"""From a frame to the people in it: motion, detector, tracker, pose, anonymiser."""

"""How many people are where, how close together, and how they move: on the ground, in metres where it is known."""

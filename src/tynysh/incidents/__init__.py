"""What people handle: events joined into incidents, their life cycle and history."""

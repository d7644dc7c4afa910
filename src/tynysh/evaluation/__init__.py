"""How well does it see: evaluation on footage, tuning, calibration, costs."""

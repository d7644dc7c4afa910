"""A small demo city: real video over RTSP, and one simulated camera."""

"""Cameras and files in; recordings, clips and live streams out."""

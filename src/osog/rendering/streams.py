"""Random streams of one seed, far enough apart that none repeats another."""

CAMERA_STEP = 7_919
"""Noise and particles draw from different streams."""
PICTURE_STEP = 15_485_863
"""Noise of one picture of a stack or series to the next."""

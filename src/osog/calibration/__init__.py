"""Scenes whose pictures have the statistics of a micrograph that no one could fit by particles.

`unknowns` are the numbers that are free, `summary` turns a picture into 76 numbers, `simulation`
gives those of a scene, `moments` brings both together, and `pipeline` is the whole of it.
"""

from osog.calibration.pipeline import calibrate
from osog.calibration.result import CalibrationResult

__all__ = ["CalibrationResult", "calibrate"]

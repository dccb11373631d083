"""Scenes whose pictures have the statistics of a micrograph that no one could fit by particles.

`unknowns` are the numbers that are free, `summary` turns a picture into 76 numbers, `simulation`
gives those of a scene, `moments` brings both together, `judging` says how far they are, and
`pipeline` is the whole of it; `suggestions` and `tiles` set one up.
"""

from osog.calibration.pipeline import calibrate
from osog.calibration.result import CalibrationResult, CalibrationStep
from osog.calibration.suggestions import Suggestion, suggested
from osog.calibration.tiles import on_frame_of, tiled

__all__ = [
    "CalibrationResult",
    "CalibrationStep",
    "Suggestion",
    "calibrate",
    "on_frame_of",
    "suggested",
    "tiled",
]

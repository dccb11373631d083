"""Fits of scenes to micrographs: starts, solver, honest uncertainty and words."""

from osog.fitting.detect import detect
from osog.fitting.errors import FitError
from osog.fitting.fit import fit
from osog.fitting.report import FitProgress, FitResult

__all__ = ["FitError", "FitProgress", "FitResult", "detect", "fit"]

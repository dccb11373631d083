"""Fits of scenes to micrographs: starts, solver, honest uncertainty and words."""

from osog.fit.detect import detect
from osog.fit.errors import FitError
from osog.fit.fitting import fit
from osog.fit.report import FitProgress, FitResult

__all__ = ["FitError", "FitProgress", "FitResult", "detect", "fit"]

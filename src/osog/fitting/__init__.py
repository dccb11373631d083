"""Fits of scenes to micrographs: problem, starts, solve, report."""

from osog.fitting.errors import FitError
from osog.fitting.pipeline import fit
from osog.fitting.report.result import FitProgress, FitResult

__all__ = ["FitError", "FitProgress", "FitResult", "fit"]

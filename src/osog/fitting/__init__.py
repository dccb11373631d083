"""Fits of scenes to micrographs: problem, starts, solve, report.

Names are imported when they are first used, so that bounds of parameters are known without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osog.fitting.errors import FitError
    from osog.fitting.pipeline import fit
    from osog.fitting.report.result import FitProgress, FitResult
else:
    # Hidden from type checkers, for whom any name would exist then.
    from osog._lazy import finder

    __getattr__ = finder(
        {
            "osog.fitting.errors": ("FitError",),
            "osog.fitting.pipeline": ("fit",),
            "osog.fitting.report.result": ("FitProgress", "FitResult"),
        },
        "osog.fitting",
    )

__all__ = ["FitError", "FitProgress", "FitResult", "fit"]

"""Where one start of a fit has led."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from osog.fitting.problem.residuals import ImageProblem, Point
    from osog.fitting.solve.levenberg_marquardt import DescentResult


@dataclass(frozen=True)
class Trial:
    """Where one start of a fit has led.

    Attributes
    ----------
    descent : DescentResult
        The best point, its derivatives, and why the descent ended.
    problem : ImageProblem
        What was minimised.
    complete : bool
        Whether the nuisances are free.
    polished, refined : bool
        Whether the finer grid was looked at, and whether it moved the fit.
    mirrored : bool
        Whether the other side of focus was looked at.
    models : tuple of str, optional
        Model of scattering of each population, once the polish has settled it.
    shift : ndarray, shape (P,), optional
        By how much the scaled parameters of another model differ that explains the image as well.
    across : ndarray, shape (P,), optional
        The same of the particle as far on the other side of focus, which is its depth apart.
    """

    descent: DescentResult[Point]
    problem: ImageProblem
    complete: bool = False
    polished: bool = False
    refined: bool = False
    mirrored: bool = False
    models: tuple[str, ...] | None = None
    shift: NDArray[np.float64] | None = None
    across: NDArray[np.float64] | None = None

    @property
    def point(self) -> Point:
        """The best point."""
        return self.descent.evaluation

    @property
    def chi2(self) -> float:
        """χ² per degree of freedom."""
        return self.problem.chi2_per_pixel(self.point)

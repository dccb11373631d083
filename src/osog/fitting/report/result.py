"""What a fit hands back, and how it is written down."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osog.io import atomic

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from osog.scene import Scene

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class FitProgress:
    """One accepted step of a fit.

    Attributes
    ----------
    stage : str
        ``start`` (a candidate), ``fit``, ``perturbations`` (of a long particle) or ``polish``.
    iteration : int
        Within the stage.
    values : dict
        Free names → values.
    chi2_per_pixel : float
        1 when the model explains the image to its noise; about 1 always when the noise is not
        known.
    rms : float
        Root mean square of data − model in grey levels.
    residual, model : ndarray, shape (Y, X)
        Data − model, and the simulated image, of the fitted region.
    elapsed_s : float
    """

    stage: str
    iteration: int
    values: dict[str, float]
    chi2_per_pixel: float
    rms: float
    residual: Array
    model: Array
    elapsed_s: float


@dataclass(frozen=True)
class FitResult:
    """The result of a fit.

    Attributes
    ----------
    values, sigma : dict
        Free names → value and standard deviation in their units; infinite where not determined.
    units : dict
        Free names → unit.
    undetermined : dict
        Names that the image does not determine → words.
    names : tuple of str
        Order of `covariance`.
    covariance : ndarray, shape (P, P)
        Of `names`, nuisances and linear part marginalised.
    nuisances : dict
        Optics that varied within their priors: name → (value, standard deviation).
    linear : dict
        Coefficients of the linear part by name.
    scene : Scene
        The scene with every fitted number, nuisances included.
    model, residual : ndarray, shape (Y, X)
        Simulated image and data − model of the fitted region.
    region : tuple of int
        (y0, y1, x0, x1).
    history : list of dict
        stage, iteration, chi2_per_pixel, rms and values of every accepted step.
    warnings : list of str
        Sentences for people, most important first.
    success : bool
        Whether the search converged, and the residual holds nothing but noise: what the model does
        not explain may have pulled the values along.
    chi2_per_pixel, r_squared, rms : float
    stopped : bool
        Whether the callback stopped it.
    tests : dict
        χ²/n, whiteness and band tests of the residual.
    renders : int
        Simulated images.
    elapsed_s : float
    converged : bool
        Whether the search arrived at a minimum, however well it explains the image.
    """

    values: dict[str, float]
    sigma: dict[str, float]
    units: dict[str, str]
    undetermined: dict[str, str]
    names: tuple[str, ...]
    covariance: Array
    nuisances: dict[str, tuple[float, float]]
    linear: dict[str, float]
    scene: Scene
    model: Array
    residual: Array
    region: tuple[int, int, int, int]
    history: list[dict[str, Any]]
    warnings: list[str]
    success: bool
    chi2_per_pixel: float
    r_squared: float
    rms: float
    stopped: bool
    tests: dict[str, float]
    renders: int
    elapsed_s: float
    converged: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Everything but the images as plain Python values; what is not finite becomes None.

        Returns
        -------
        dict
            ``values``, ``sigma``, ``units``, ``undetermined``, ``nuisances`` (name → value,
            sigma), ``covariance`` (names, matrix), ``linear``, ``chi2_per_pixel``, ``r_squared``,
            ``rms``, ``success``, ``converged``, ``stopped``, ``warnings``, ``tests``, ``region``,
            ``renders``, ``elapsed_s``, ``history``, ``scene``.
        """
        return {
            "values": _plain(self.values),
            "sigma": _plain(self.sigma),
            "units": dict(self.units),
            "undetermined": dict(self.undetermined),
            "nuisances": {
                name: {"value": _plain(v), "sigma": _plain(s)}
                for name, (v, s) in self.nuisances.items()
            },
            "covariance": {"names": list(self.names), "matrix": _plain(self.covariance.tolist())},
            "linear": _plain(self.linear),
            "chi2_per_pixel": _plain(self.chi2_per_pixel),
            "r_squared": _plain(self.r_squared),
            "rms": _plain(self.rms),
            "success": self.success,
            "converged": self.converged,
            "stopped": self.stopped,
            "warnings": list(self.warnings),
            "tests": _plain(self.tests),
            "region": list(self.region),
            "renders": self.renders,
            "elapsed_s": self.elapsed_s,
            "history": _plain(self.history),
            "scene": self.scene.to_dict(),
        }

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Write `to_dict` as JSON text, to a file also when a path is given."""
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        if path is not None:
            atomic.write_text(path, text)
        return text

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """Write a table with the columns name, value, sigma, unit, role, remark.

        Returns
        -------
        str
            The text, written to a file also when a path is given.
        """
        buffer = io.StringIO()
        table = csv.writer(buffer, lineterminator="\n")
        table.writerow(["name", "value", "sigma", "unit", "role", "remark"])
        for name, value in self.values.items():
            row = (name, repr(value), _cell(self.sigma[name]), self.units[name], "free")
            table.writerow([*row, self.undetermined.get(name, "")])
        for name, (value, sigma) in self.nuisances.items():
            table.writerow([name, repr(value), _cell(sigma), "", "nuisance", ""])
        for name, value in self.linear.items():
            table.writerow([name, repr(value), "", "", "linear", ""])
        text = buffer.getvalue()
        if path is not None:
            atomic.write_text(path, text)
        return text

    def to_html(self, path: str | os.PathLike[str] | None = None, title: str = "Fit") -> str:
        """Write a report for a lab book: one HTML page that needs no other file.

        Parameters
        ----------
        path : str or path, optional
            File that it is written to.
        title : str
            Such as the name of the micrograph.

        Returns
        -------
        str
            Pictures of data, model and residual, values with σ, warnings, the course of the
            search, correlations, the scene, and the versions that made it.
        """
        from osog.fitting.report.page import page

        text = page(self, title)
        if path is not None:
            atomic.write_text(path, text)
        return text

    def __str__(self) -> str:
        """Table for people: value ± σ, then what is not determined and the warnings."""
        lines = []
        for name, value in self.values.items():
            sigma = self.sigma[name]
            shown = f"{value:.6g} ± {sigma:.2g}" if np.isfinite(sigma) else f"{value:.6g}, fixed"
            mark = "  (not determined)" if name in self.undetermined else ""
            lines.append(f"{name:<40} {shown} {self.units[name]}{mark}")
        chi2 = f"chi2/n {self.chi2_per_pixel:.3f}, R2 {self.r_squared:.4f}, rms {self.rms:.4g}"
        return "\n".join([*lines, chi2, *dict.fromkeys(self.undetermined.values()), *self.warnings])


def _cell(value: float) -> str:
    return repr(value) if np.isfinite(value) else ""


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, int | str | bool) or value is None:
        return value
    number = float(value)
    return number if np.isfinite(number) else None

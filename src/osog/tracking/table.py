"""The particles that were found, one row each."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from osog.io import atomic

if TYPE_CHECKING:
    import os

    import numpy as np
    from numpy.typing import NDArray

    from osog.scene import Scene


@dataclass(frozen=True)
class ParticleTable:
    """Every particle that was fitted.

    Attributes
    ----------
    rows : tuple of dict
        One for each particle of each frame: ``frame`` and ``particle`` (whole numbers from 0; a
        particle keeps its number through a series), ``x`` and ``y`` in pixels as trackpy links
        them, each fitted field in its unit (``z_um``, ``radius_um``, …) and its standard deviation
        (``z_um_sigma``, …), ``chi2_per_pixel`` in the particle's surroundings, ``chi2_reduction``
        (how much χ² rises without the particle), ``converged``, ``success`` and ``remark``.
    scenes : tuple of Scene
        One for each frame, with its particles.
    shared : dict
        Numbers of the scene that were fitted to all particles together: name → (value, standard
        deviation), of the last frame.
    failures : tuple of str
        A sentence for every particle that was given up, and why.
    model, residual : ndarray, shape (Y, X)
        Simulated image with gain and background, and data − model, of the last frame.
    """

    rows: tuple[dict[str, Any], ...]
    scenes: tuple[Scene, ...]
    failures: tuple[str, ...] = ()
    model: NDArray[np.float64] | None = field(default=None, repr=False)
    residual: NDArray[np.float64] | None = field(default=None, repr=False)
    shared: dict[str, tuple[float, float]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows)

    @property
    def scene(self) -> Scene:
        """The scene of the last frame."""
        return self.scenes[-1]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in their order."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row))

    def to_frame(self) -> Any:
        """Make a pandas DataFrame; ``trackpy.link`` takes it as it is.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise ImportError("to_frame() needs pandas: pip install pandas; to_csv() does not."
                              ) from None  # fmt: skip
        return pd.DataFrame(list(self.rows), columns=list(self.columns))

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """Write the rows as CSV; the text is returned, and written to a file when one is given."""
        buffer = io.StringIO()
        table = csv.DictWriter(buffer, self.columns, lineterminator="\n", restval="")
        table.writeheader()
        table.writerows(self.rows)
        text = buffer.getvalue()
        if path is not None:
            atomic.write_text(path, text)
        return text

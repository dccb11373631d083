"""A part of the frame that is fitted alone; particles keep their coordinates outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from osog.fitting.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from osog.scene import Scene
    from osog.scene.model import FitRole


@dataclass(frozen=True)
class Region:
    """Rows y0 … y1 − 1 and columns x0 … x1 − 1 of a frame.

    Attributes
    ----------
    y0, y1, x0, x1 : int
        In pixels.
    pixel_size_um : float
    """

    y0: int
    y1: int
    x0: int
    x1: int
    pixel_size_um: float

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the region in an image."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y1 - self.y0, self.x1 - self.x0

    def scene(self, scene: Scene) -> Scene:
        """Shift the particles of a scene (explicit ones) and cut its frame to the region."""
        populations = []
        for population in scene.populations:
            listed = tuple(
                particle.model_copy(
                    update={
                        "x_um": particle.x_um - self.x0 * self.pixel_size_um,
                        "y_um": particle.y_um - self.y0 * self.pixel_size_um,
                    }
                )
                for particle in population.particles or ()
            )
            populations.append(population.model_copy(update={"particles": listed}))
        grid = scene.grid.model_copy(update={"shape": self.shape})
        # Illumination and dust belong to the whole frame.
        top, left, rows, columns = scene.background.crop or (0, 0, *scene.grid.shape)
        crop = (top + self.y0, left + self.x0, rows, columns)
        background = scene.background.model_copy(update={"crop": crop})
        parts = {"grid": grid, "background": background, "populations": tuple(populations)}
        return scene.model_copy(update=parts)

    def local(
        self, values: Mapping[str, float], roles: Mapping[str, FitRole | None]
    ) -> dict[str, float]:
        """Values by name with the positions counted from the region's first pixel.

        Parameters
        ----------
        values : mapping
        roles : mapping
            Name → role; ``x`` and ``y`` are shifted.
        """
        first = {"x": self.x0 * self.pixel_size_um, "y": self.y0 * self.pixel_size_um}
        return {name: value - first.get(roles[name] or "", 0.0) for name, value in values.items()}


def region_of(region: Any, scene: Scene) -> Region:
    """Check a region (y0, y1, x0, x1); None is the whole frame.

    Raises
    ------
    FitError
        If it is empty, reaches outside the frame, or is no four integers.
    """
    rows, columns = scene.grid.shape
    if region is None:
        return Region(0, rows, 0, columns, scene.grid.pixel_size_um)
    try:
        y0, y1, x0, x1 = (int(edge) for edge in region)
    except (TypeError, ValueError):
        raise FitError(f"region = {region!r} must be four integers (y0, y1, x0, x1).") from None
    if not (0 <= y0 < y1 <= rows and 0 <= x0 < x1 <= columns):
        raise FitError(
            f"region = ({y0}, {y1}, {x0}, {x1}) must hold pixels and lie within "
            f"(0, {rows}, 0, {columns})."
        )
    return Region(y0, y1, x0, x1, scene.grid.pixel_size_um)

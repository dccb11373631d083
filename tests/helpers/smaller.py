"""A smaller field of the sample of a scene, for tests that need its kind and not its size."""

from __future__ import annotations

from osog.scene import Grid, Scene


def smaller(scene: Scene, side_px: int) -> Scene:
    """Return a scene with a grid of this side at most, and as many particles per area.

    A scene whose particles are listed is returned as it is, since they lie where they lie.
    """
    if any(each.particles for each in scene.populations):
        return scene
    rows, columns = (min(side_px, pixels) for pixels in scene.grid.shape)
    share = rows * columns / (scene.grid.shape[0] * scene.grid.shape[1])
    populations = tuple(
        each.model_copy(update={"count": max(round(each.count * share), 1)}) if each.count else each
        for each in scene.populations
    )
    grid = Grid(shape=(rows, columns), pixel_size_um=scene.grid.pixel_size_um)
    return scene.model_copy(update={"grid": grid, "populations": populations})

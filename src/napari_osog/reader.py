"""Scene files open as the image that they describe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from napari_osog.pictures import Picture
    from osog.scene import Scene

    LayerData = tuple[Any, dict[str, Any], str]


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], list[LayerData]] | None:
    """Return a reader for ``*.osog.yaml``, or None for any other file.

    Parameters
    ----------
    path : str or list of str
    """
    paths = [path] if isinstance(path, str) else list(path)
    if not paths or not all(str(p).endswith(".osog.yaml") for p in paths):
        return None
    return read_scenes


def read_scenes(path: str | list[str]) -> list[LayerData]:
    """Render scene files.

    Returns
    -------
    list of (array, keyword arguments, "image")
        The scene travels in ``metadata["osog"]``, so that *Edit the selected render* opens it.

    Raises
    ------
    SceneError
        In one sentence, if a file describes no valid scene.
    """
    from osog.scene import Scene, SceneError

    paths = [path] if isinstance(path, str) else list(path)
    out = []
    for one in paths:
        try:
            scene = Scene.load(one)
        except SceneError as error:
            name, text = Path(one).name, str(error)
            raise SceneError(text if text.startswith(name) else f"{name}: {text}") from None
        out.append(rendered_layer(scene, Path(one).name.removesuffix(".osog.yaml")))
    return out


def rendered_layer(scene: Any, name: str, seed: int = 0) -> LayerData:
    """Render a scene, all its planes and frames, into the description of an image layer.

    In a window it is black at first, and filled once the image is there: a render may take many
    seconds, and the window does not wait for it.

    Parameters
    ----------
    scene : Scene
    name : str
        Name of the layer.
    seed : int
    """
    import numpy as np

    from napari_osog.deferred import fill_later, waiting_viewer
    from napari_osog.layers.sequence import sequence_axes
    from osog import __version__

    about = {
        "version": __version__, "scene": scene.to_dict(), "seed": seed, "shown": "image",
        "explain": "",
    }  # fmt: skip
    axes = sequence_axes(scene)
    colour = scene.camera is not None and scene.camera.channels > 1
    viewer = waiting_viewer()
    if viewer is not None:
        planes = len(scene.microscope.focus_planes_um)
        lengths = {"t": scene.series.frames, "z": planes}
        shape = (*(lengths[label] for label, *_ in axes), *scene.grid.shape, *(3,) * colour)
        image, limits = np.zeros(shape, np.float32), (0.0, 1.0)
        fill_later(viewer, scene, seed, about, _fill)
    else:
        image, limits, about["explain"] = _rendered(scene, seed)
    pixel = scene.grid.pixel_size_um
    return (
        image,
        {
            "name": name,
            "rgb": colour,
            "scale": (*(step for _, _, step, _ in axes), pixel, pixel),
            "translate": (*(first for _, first, _, _ in axes), 0.0, 0.0),
            "units": (*(unit for *_, unit in axes), "um", "um"),
            "axis_labels": (*(label for label, *_ in axes), "y", "x"),
            "contrast_limits": limits,
            "metadata": {"osog": about},
        },
        "image",
    )


def _rendered(scene: Scene, seed: int) -> tuple[NDArray[np.float32], tuple[float, float], str]:
    """Image as a layer shows it, its contrast limits, and how it was made."""
    from napari_osog._settings import setting
    from osog.rendering import render

    frame = render(scene, device=setting("device"), seed=seed)
    return (*_shown(frame.image.cpu().numpy(), scene), frame.explain)


def _shown(
    image: NDArray[np.float32], scene: Scene
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Image as a layer shows it, and its contrast limits: napari takes colours from 0 to 1."""
    import numpy as np

    from napari_osog.layers.render import displayed

    low, high = (float(v) for v in np.percentile(image, (0.3, 99.7)))
    margin = max(0.12 * (high - low), 1e-3 * max(abs(high), 1e-6))
    low, high = low - margin, high + margin
    if scene.camera is not None and scene.camera.channels > 1:
        dark = scene.camera.dark_counts
        return displayed(image, (dark, max(high, dark + 1e-6))), (0.0, 1.0)
    return image, (low, high)


def _fill(layer: Any, picture: Picture) -> None:
    """Show a picture in the layer that was made for it."""
    image, limits = _shown(picture.image, picture.request.scene)
    layer.data = image
    if not layer.rgb:
        layer.contrast_limits_range = limits
        layer.contrast_limits = limits
    layer.metadata["osog"]["explain"] = picture.explain


__all__ = ["get_reader", "read_scenes", "rendered_layer"]

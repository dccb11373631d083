"""Scene files open as the image that they describe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

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

    Parameters
    ----------
    scene : Scene
    name : str
        Name of the layer.
    seed : int
    """
    import numpy as np

    from napari_osog._settings import setting
    from napari_osog.layers.render import displayed
    from napari_osog.layers.sequence import sequence_axes
    from osog import __version__
    from osog.rendering import render

    frame = render(scene, device=setting("device"), seed=seed)
    image = frame.image.cpu().numpy()
    axes = sequence_axes(scene)
    colour = image.ndim == len(axes) + 3
    low, high = (float(v) for v in np.percentile(image, (0.3, 99.7)))
    margin = max(0.12 * (high - low), 1e-3 * max(abs(high), 1e-6))
    low, high = low - margin, high + margin
    if colour:
        dark = 0.0 if scene.camera is None else scene.camera.dark_counts
        image = displayed(image, (dark, max(high, dark + 1e-6)))
        low, high = 0.0, 1.0
    pixel = scene.grid.pixel_size_um
    metadata = {
        "osog": {
            "version": __version__,
            "scene": scene.to_dict(),
            "seed": seed,
            "shown": "image",
            "explain": frame.explain,
        }
    }
    return (
        image,
        {
            "name": name,
            "rgb": colour,
            "scale": (*(step for _, _, step, _ in axes), pixel, pixel),
            "translate": (*(first for _, first, _, _ in axes), 0.0, 0.0),
            "units": (*(unit for *_, unit in axes), "um", "um"),
            "axis_labels": (*(label for label, *_ in axes), "y", "x"),
            "contrast_limits": (low, high),
            "metadata": metadata,
        },
        "image",
    )


__all__ = ["get_reader", "read_scenes", "rendered_layer"]

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
    """Render a scene into the description of an image layer.

    Parameters
    ----------
    scene : Scene
    name : str
        Name of the layer.
    seed : int
    """
    import numpy as np

    from napari_osog._settings import setting
    from osog import __version__
    from osog.render import render

    frame = render(scene, device=setting("device"), seed=seed)
    image = frame.image.cpu().numpy()
    low, high = (float(v) for v in np.percentile(image, (0.3, 99.7)))
    margin = max(0.12 * (high - low), 1e-3 * max(abs(high), 1e-6))
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
            "scale": (pixel, pixel),
            "units": ("um", "um"),
            "axis_labels": ("y", "x"),
            "contrast_limits": (low - margin, high + margin),
            "metadata": metadata,
        },
        "image",
    )


__all__ = ["get_reader", "read_scenes", "rendered_layer"]

"""How finely the engine computes."""

from typing import Literal

from osog.scene.model import SceneModel, parameter


class Numerics(SceneModel):
    """Accuracy of the slab engine; every choice is stated by the explain line.

    ``auto`` takes ``fine`` while that is cheap (small frames) and ``standard`` otherwise.
    ``draft`` is for dragging: 2–4 % of field error.
    """

    page = "choose.md#how-fine"

    accuracy: Literal["auto", "draft", "standard", "fine"] = parameter(
        "auto", title="Accuracy", help="How finely light is propagated; finer is slower."
    )
    partial_coherence: Literal["abbe", "weak_object"] = parameter(
        "abbe",
        title="Partial coherence",
        help="Abbe's sum over source points, or the fast weak-object transfer function, a preview "
        "for thin samples in brightfield, DIC, phase contrast and shadowgraphs.",
    )
    pitch_um: float | None = parameter(
        None,
        title="Grid pitch",
        help="Largest pitch of the field grid; chosen from the NA when empty.",
        unit="µm",
        limits=(0.005, 5.0),
        panel=False,
    )
    slab_um: float | None = parameter(
        None,
        title="Slab spacing",
        help="Spacing of the phase slabs; chosen from the depth of field when empty.",
        unit="µm",
        limits=(0.005, 20.0),
        panel=False,
    )
    padding_um: float | None = parameter(
        None,
        title="Padding",
        help="Margin around the frame against wrap-around; chosen from the defocus when empty.",
        unit="µm",
        limits=(0.0, 1000.0),
        panel=False,
    )
    wavelengths: int = parameter(
        0,
        title="Wavelengths",
        help="Wavelengths that stand for a broad spectrum; 0 chooses by the fringes to resolve.",
        limits=(0, 200),
        panel=False,
        shapes_image=False,
    )

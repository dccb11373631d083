"""Optics that change from the centre of the frame to its corners."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING, Any

import torch

from osog.cautions import Caution
from osog.exit_wave.sampling.field_nodes import node_step
from osog.optics.optical_image import OpticalImage
from osog.waves.recomputation import recomputed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from osog.sample import ParticleBatch, Values
    from osog.scene import Scene
    from osog.waves.sampling_plan import SamplingPlan

_COARSE = 0.9
"""Wavefront step in rad rms between the pupils of neighbouring places that dims points by 20 %."""
_PUPIL = ("coma", "astigmatism", "vignetting")


@dataclass(frozen=True)
class FieldNode:
    """A place of the frame, and how much of the image is seen with its pupil.

    Attributes
    ----------
    x, y : float
        Place relative to the centre of the frame, in half diagonals: √(x² + y²) is 1 in a corner.
    weight : Tensor (Fy, Fx)
        Share of its image; the weights of all nodes sum to 1.
    """

    x: float
    y: float
    weight: Tensor


def acts(values: Values, *names: str) -> bool:
    """Whether any of these field aberrations is in the scene, or in the caller's hands."""
    field = values.microscope.field_aberrations
    return any(values.acts(getattr(field, name)) for name in names)


def pupil_changes(values: Values) -> bool:
    """Whether places of the frame have different pupils."""
    return acts(values, "curvature_um", *_PUPIL)


def with_field(
    optical: Callable[[Values], OpticalImage], values: Values, plan: SamplingPlan
) -> OpticalImage:
    """Image with a pupil that changes over the frame.

    I(r) = Σ_i w_i(r) I_i(r): I_i is the image of the whole frame with the pupil of node i, w_i are
    triangular kernels between neighbouring nodes that sum to 1. With the place ρ = (x, y) in half
    diagonals, φ its direction: the focus rises by c ρ²; coma grows as ρ, −(cos φ, sin φ) on Noll 8
    and 7, whose tail then points outwards for a positive number; astigmatism grows as ρ²,
    (cos 2φ, sin 2φ) on Noll 6 and 5; the stop is shifted by v ρ along φ.

    Parameters
    ----------
    optical : callable
        The modality as a function of the values.
    values : Values
    plan : SamplingPlan
        Says how many nodes there are.

    Returns
    -------
    OpticalImage
        Irradiance never negative; the field is averaged with the same weights.

    Notes
    -----
    Between two nodes that differ by Δ rad rms the light is that of their mean: a sharp point is
    too dim by at most Δ²/4, half-way. Exact for many nodes; Δ is 0.4 at most (0.3 fine, 0.8 draft)
    unless the numbers of nodes reach their limits, and then a caution says so. Field dependence of
    Seidel type: Born & Wolf §5.3; such weights as in piecewise-isoplanatic imaging (Nagy & O'Leary,
    SIAM J. Sci. Comput. 19, 1063 (1998)).
    """
    if not pupil_changes(values):
        return optical(values)
    irradiance: Tensor | None = None
    field: Tensor | None = None
    for node in field_nodes(values, plan):
        local = at_field(values, node.x, node.y)

        def imaged(local: Values = local) -> tuple[Tensor, Tensor | None]:
            seen = optical(local)
            return seen.irradiance, seen.field

        light, wave = recomputed(True, imaged)
        part = node.weight * light
        irradiance = part if irradiance is None else irradiance + part
        if wave is not None:
            part = node.weight * wave
            field = part if field is None else field + part
    assert irradiance is not None
    return OpticalImage(irradiance, field)


def at_field(values: Values, x: float, y: float) -> Values:
    """Numbers of a scene as they are at a place of the frame.

    Parameters
    ----------
    values : Values
    x, y : float
        Place relative to the centre of the frame, in half diagonals.
    """
    optics = values.microscope
    field, modality, wavefront = optics.field_aberrations, optics.modality, optics.aberrations
    focus: dict[str, Any] = {}
    pupil: dict[str, Any] = {}
    heights: dict[str, Any] = {}
    terms: dict[str, Any] = {}
    square, along = x * x + y * y, hypot(x, y)
    if values.acts(field.curvature_um):
        rise = field.curvature_um * square
        focus["focus_um"] = optics.focus_plane_um + rise
        # A light sheet stays where it is while the plane in focus bends.
        heights = {name: getattr(modality, name) - rise for name in modality.above_focus}
    if values.acts(field.coma):
        # A wavefront that is late at the rim of one side sends the tail there.
        terms["coma_x"] = wavefront.coma_x - field.coma * x
        terms["coma_y"] = wavefront.coma_y - field.coma * y
    if values.acts(field.astigmatism):
        bend = field.astigmatism
        terms["astigmatism_0"] = wavefront.astigmatism_0 + bend * (x * x - y * y)
        terms["astigmatism_45"] = wavefront.astigmatism_45 + bend * (2 * x * y)
    if values.acts(field.vignetting) and along > 0:
        pupil = {"stop_x": field.vignetting * x, "stop_y": field.vignetting * y}
    return values.replaced(
        {"microscope": {**focus, "modality": heights, "aberrations": terms, "pupil": pupil}}
    )


def field_nodes(values: Values, plan: SamplingPlan) -> Iterator[FieldNode]:
    """Nodes of the frame with their weights on the fine grid.

    On a grid of rows and columns; on rings equally spaced in ρ² where nothing but the focus
    changes. Beyond the frame the outermost nodes go on.
    """
    x, y = field_coordinates(plan, values)
    if not acts(values, *_PUPIL):
        weights = _triangles((x.square() + y.square()).clamp(max=1.0), 0.0, 1.0, plan.field_rings)
        for k, weight in enumerate(weights):
            yield FieldNode((k / (plan.field_rings - 1)) ** 0.5, 0.0, weight)
        return
    rows, columns = plan.field_nodes
    height, width = plan.frame_shape
    edge_y, edge_x = (n / hypot(height, width) for n in (height, width))
    across = list(_triangles(x, -edge_x, edge_x, columns))
    for i, down in enumerate(_triangles(y, -edge_y, edge_y, rows)):
        for j, weight in enumerate(across):
            yield FieldNode(
                edge_x * (2 * j / (columns - 1) - 1), edge_y * (2 * i / (rows - 1) - 1),
                down * weight,
            )  # fmt: skip


def field_coordinates(plan: SamplingPlan, values: Values) -> tuple[Tensor, Tensor]:
    """Place x (1, Fx) and y (Fy, 1) of the fine samples from the frame's centre, half diagonals."""
    half_diagonal = hypot(*plan.frame_shape) / 2
    axes = [
        (
            torch.arange(domain * plan.oversampling, dtype=values.dtype, device=values.device)
            / plan.oversampling
            - pad
            - (frame - 1) / 2
        )
        / half_diagonal
        for domain, pad, frame in zip(plan.domain_px, plan.pad_px, plan.frame_shape, strict=True)
    ]
    return axes[1][None, :], axes[0][:, None]


def _triangles(where: Tensor, low: float, high: float, number: int) -> Iterator[Tensor]:
    """Triangular weights of equally spaced nodes, which sum to 1 and stay flat beyond the ends."""
    place = ((where - low) / (high - low)).clamp(0.0, 1.0) * (number - 1)
    for k in range(number):
        yield (1 - (place - k).abs()).clamp(min=0.0)


def cautions(scene: Scene, batch: ParticleBatch, plan: SamplingPlan) -> Iterator[Caution]:
    """Say when the steps between the pupils of a frame are coarse."""
    step = node_step(scene, plan.field_nodes, plan.field_rings)
    if step > _COARSE and plan.accuracy != "draft":
        rows, columns = plan.field_nodes
        yield Caution(
            f"The optics change fast over the frame: {rows} × {columns} places have a pupil of "
            f"their own, {step:.1f} rad rms apart, and sharp points between them are blends."
        )

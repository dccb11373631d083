"""The grids and slabs of one render, as data."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, kw_only=True)
class SamplingPlan:
    """Grids of one render, in piecewise constant dependence on the scene.

    All numbers come from logarithmic or integer steps, so that a small change of any parameter
    leaves them as they are: images and gradients then refer to one fixed discretisation.

    Attributes
    ----------
    frame_shape : (int, int)
        Camera pixels (Y, X).
    pixel_size_um : float
    pad_px : (int, int)
        Camera pixels of the domain before the frame (top, left).
    domain_px : (int, int)
        Camera pixels of the periodic domain.
    grid_shape : (int, int)
        Field grid over the same domain.
    oversampling : int
        Samples per camera pixel of the intensity grid; its pitch is at most λ/(4 NA).
    slab_um : float
        Spacing of the slab planes, which lie at whole multiples of it.
    first_slab, slabs : int
        Index of the lowest plane, and their number.
    band : float
        Frequencies (cycles/µm) up to which the exit wave is kept.
    aperture : float
        NA up to which `band` suffices.
    source_points : int
        Points asked for to stand for the condenser; 1 when coherent.
    source_rings : tuple of int
        Points on each ring of the condenser, inner first.
    outer_rings : tuple of int
        Points on rings outside the objective's aperture, where the condenser overfills it.
    interference_rings : tuple of int
        Points on each ring over which the interference of direct and scattered light is added up,
        where the image needs more of them than there are exit waves; else empty.
    scatter_rings : tuple of int
        The same for the scattered light alone; empty where the exit waves suffice.
    middle_um : float
        Height at which exit waves of different directions are most alike, if they are to be
        interpolated.
    accuracy : str
        ``draft``, ``standard`` or ``fine``.
    padding_wanted_um, padding_um : float
        Margin that the defocused cone asks for, and the one that is used.
    wavelengths : int
        Wavelengths that stand for the spectrum; 1 for a single one.
    field_nodes : (int, int)
        Places along (y, x) that get a pupil of their own where the optics change over the frame.
    field_rings : int
        Places along the radius instead, where nothing but the focus changes.
    scattering : tuple of str
        Model of each population of the scene: ``slabs``, ``projection`` or ``mie``.
    edge_steps : int
        Frequency steps over which the edge of the pupil extends to either side: 1 for a raised
        cosine, 4 for the edge that acts as a hard one within the frame.
    near_um : float
        Distance from the focus beyond which slabs may share point spreads, because what they add
        to the image fades; infinite where it does not.
    frame_only : bool
        Whether images are made at the pixels of the frame alone, where nothing that lies between
        or around them counts.
    """

    frame_shape: tuple[int, int]
    pixel_size_um: float
    pad_px: tuple[int, int]
    domain_px: tuple[int, int]
    grid_shape: tuple[int, int]
    oversampling: int
    slab_um: float
    first_slab: int
    slabs: int
    band: float
    aperture: float
    source_points: int
    accuracy: str
    padding_wanted_um: float
    padding_um: float
    source_rings: tuple[int, ...] = (1,)
    outer_rings: tuple[int, ...] = ()
    interference_rings: tuple[int, ...] = ()
    scatter_rings: tuple[int, ...] = ()
    middle_um: float = 0.0
    wavelengths: int = 1
    field_nodes: tuple[int, int] = (3, 3)
    field_rings: int = 3
    scattering: tuple[str, ...] = ()
    edge_steps: int = 1
    near_um: float = inf
    frame_only: bool = False

    @property
    def lights(self) -> int:
        """Directions of light that exit waves are computed for."""
        return sum(self.source_rings) + sum(self.outer_rings)

    @property
    def extent_um(self) -> tuple[float, float]:
        """Height and width of the periodic domain in µm."""
        return self.domain_px[0] * self.pixel_size_um, self.domain_px[1] * self.pixel_size_um

    @property
    def pitch_um(self) -> tuple[float, float]:
        """Pitch (y, x) of the field grid in µm."""
        height, width = self.extent_um
        return height / self.grid_shape[0], width / self.grid_shape[1]

    @property
    def corner_um(self) -> tuple[float, float]:
        """World position (y, x) of the domain's first sample in µm."""
        return -self.pad_px[0] * self.pixel_size_um, -self.pad_px[1] * self.pixel_size_um

    @property
    def fine_shape(self) -> tuple[int, int]:
        """Intensity grid (Y, X) over the domain."""
        return self.domain_px[0] * self.oversampling, self.domain_px[1] * self.oversampling

    @property
    def image_shape(self) -> tuple[int, int]:
        """Samples (Y, X) of an image: the intensity grid, or the pixels of the frame."""
        return self.frame_shape if self.frame_only else self.fine_shape

    @property
    def pixel_centres(self) -> tuple[slice, slice]:
        """Samples (y, x) of the intensity grid at the centres of the frame's pixels."""
        s = self.oversampling
        rows, columns = (
            slice(pad * s, (pad + number - 1) * s + 1, s)
            for pad, number in zip(self.pad_px, self.frame_shape, strict=True)
        )
        return rows, columns

    @property
    def frequency_step(self) -> tuple[float, float]:
        """Spacing (y, x) of the spatial frequencies in cycles/µm."""
        height, width = self.extent_um
        return 1 / height, 1 / width

    @property
    def slab_planes_um(self) -> list[float]:
        """Heights of the slab planes in µm, bottom first."""
        return [(self.first_slab + j) * self.slab_um for j in range(self.slabs)]

    @property
    def reference_um(self) -> float:
        """Height of the last slab plane, to which the exit wave refers."""
        return (self.first_slab + self.slabs - 1) * self.slab_um


__all__ = ["SamplingPlan"]

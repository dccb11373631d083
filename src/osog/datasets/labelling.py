"""From a rendered frame to its objects: boxes, outlines, states and truth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import label

from osog.datasets.objects import Mask, Objects, corners_of
from osog.datasets.polygons import area, cut, least_rectangle, upright
from osog.exit_wave.compiled.surveying import survey, where_surveyed
from osog.geometry import gbuffer
from osog.geometry.pieces import in_pieces
from osog.labels import boxes, masks, outlines
from osog.rendering.outputs import LabelSource
from osog.rotations import rotation_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from osog.datasets.own_light import OwnLight
    from osog.datasets.settings import LabelSettings
    from osog.particles import ParticleBatch
    from osog.scene import Scene

Array = NDArray[np.float64]

_CONVEX = 1.05
"""Area of an outline over that of its pixels, up to which the body counts as convex."""


class Silhouettes:
    """What the geometry alone says of the objects of a frame.

    Parameters
    ----------
    scene : Scene
    batch : ParticleBatch
        All particles of the frame.
    settings : LabelSettings
    """

    def __init__(self, scene: Scene, batch: ParticleBatch, settings: LabelSettings) -> None:
        self.scene, self.batch, self.settings = scene, batch, settings
        self.shape = scene.grid.shape
        batch = where_surveyed(batch)
        labelled = LabelSource(scene, batch).labelled.cpu().numpy()
        self.numbers = np.flatnonzero(labelled)
        self._row = {int(number): row for row, number in enumerate(self.numbers)}
        taken = batch.taken(torch.as_tensor(self.numbers, device=batch.device))
        pixel = scene.grid.pixel_size_um
        self._buffer = gbuffer(taken, self.shape, pixel, silhouettes=True, first=survey)
        self._boxes = boxes(taken, pixel).double().cpu().numpy()
        self._outlines = outlines(taken).double().cpu().numpy()[..., ::-1] / pixel
        end = np.array(self.shape[::-1]) - 0.5
        beyond = (self._outlines < -0.5) | (self._outlines > end)
        self._cut = np.asarray(beyond.any((1, 2)))
        self._masks = masks(self._buffer, self.shape)
        # Convex outlines say too much of a chain of cells: theirs are traced around their pixels.
        full = self._buffer.full_area.cpu().numpy()
        self._traced = {
            int(k)
            for k in in_pieces(taken).tolist()
            if area(self._outlines[k]) > _CONVEX * max(full[k], 1)
        }
        self.groups = batch.group.cpu().numpy()[self.numbers]
        self.members = (
            self._merged() if settings.merge_groups else [(int(k),) for k in self.numbers]
        )

    def _merged(self) -> list[tuple[int, ...]]:
        out: dict[object, list[int]] = {}
        for number, group in zip(self.numbers, self.groups, strict=True):
            key = ("group", int(group)) if group >= 0 else ("alone", int(number))
            out.setdefault(key, []).append(int(number))
        return [tuple(numbers) for numbers in out.values()]

    def rows(self, members: Sequence[int]) -> list[int]:
        """Places of particles among the labelled ones."""
        return [self._row[k] for k in members]

    def box(self, members: Sequence[int]) -> Array:
        """Oriented box (5,) around the whole silhouettes."""
        rows = self.rows(members)
        if len(rows) == 1:
            return np.asarray(self._boxes[rows[0]])
        return least_rectangle(self._outlines[rows].reshape(-1, 2))

    def mask(self, members: Sequence[int]) -> Mask:
        """Union of the silhouettes inside the frame."""
        found = [self._masks[k] for k in self.rows(members) if self._masks[k][2].size]
        if not found:
            return Mask(row=0, column=0, pixels=np.zeros((0, 0), dtype=bool))
        top, left = min(r for r, _, _ in found), min(c for _, c, _ in found)
        bottom = max(r + m.shape[0] for r, _, m in found)
        right = max(c + m.shape[1] for _, c, m in found)
        pixels = np.zeros((bottom - top, right - left), dtype=bool)
        for r, c, m in found:
            pixels[r - top : r - top + m.shape[0], c - left : c - left + m.shape[1]] |= m
        return Mask(row=top, column=left, pixels=pixels)

    def outline(self, members: Sequence[int], mask: Mask) -> Array:
        """Outline (k, 2) inside the frame.

        Of several particles, and of one whose pieces leave notches, it goes around the pixels.
        """
        rows = self.rows(members)
        if len(rows) == 1 and rows[0] not in self._traced:
            whole: Array = self._outlines[rows[0]]
            return cut(whole, self.shape) if self._cut[rows[0]] else whole
        return _traced(mask)

    def areas(self) -> Array:
        """Pixels (n, 3) of all objects that are visible, inside the frame, and in all."""
        buffer = self._buffer
        every = torch.stack((buffer.visible_area, buffer.inside_area, buffer.full_area), 1)
        of_particle = every.double().cpu().numpy()
        return np.array([of_particle[self.rows(m)].sum(0) for m in self.members]).reshape(-1, 3)

    def instances(self, members: Sequence[Sequence[int]]) -> NDArray[np.int32]:
        """Number of the uppermost object at every pixel, from 1."""
        table = np.zeros(len(self.numbers) + 1, dtype=np.int32)
        for number, particles in enumerate(members):
            table[np.asarray(self.rows(particles)) + 1] = number + 1
        return np.asarray(table[self._buffer.instances.cpu().numpy()])


def labelled_objects(
    silhouettes: Silhouettes, settings: LabelSettings, lights: Sequence[OwnLight] | None
) -> Objects:
    """Put everything known of the objects of a frame together.

    Parameters
    ----------
    silhouettes : Silhouettes
    settings : LabelSettings
    lights : sequence of OwnLight or None
        One for each of ``silhouettes.members``, where settings ask for them.

    Returns
    -------
    Objects
        Those whose silhouette is inside the frame by ``least_share_in_frame``.
    """
    scene, batch = silhouettes.scene, silhouettes.batch
    members = silhouettes.members
    n = len(members)
    first = np.array([m[0] for m in members], dtype=np.int64)
    population = batch.population.cpu().numpy()[first] if n else np.zeros(0, dtype=np.int64)
    names, class_of = class_table(scene, settings)
    found_masks = [silhouettes.mask(m) for m in members]
    full = np.array([silhouettes.box(m) for m in members]).reshape(-1, 5)
    areas = silhouettes.areas()
    whole = np.maximum(areas[:, 2], 1.0)
    visible, inside = areas[:, 0] / whole, areas[:, 1] / whole
    polygons = [silhouettes.outline(m, k) for m, k in zip(members, found_masks, strict=True)]
    if settings.box == "visible" and lights is not None:
        each = zip(full, lights, found_masks, strict=True)
        share = settings.peak_share
        full = np.array([_by_light(b, o, m, share) for b, o, m in each]).reshape(-1, 5)
    full[:, 2:4] = np.maximum(full[:, 2:4] + 2 * settings.margin_px, 0.5)
    cut_boxes = boxes_in_frame(full, silhouettes.shape)
    optics = scene.microscope
    focus = float(np.mean(optics.focus_planes_um))
    z = batch.position[:, 2].double().cpu().numpy()
    defocus = np.array([z[list(m)].mean() - focus for m in members])
    depth = optics.wavelength_um * scene.medium.index / optics.numerical_aperture**2
    unknown = np.full(n, np.nan)
    objects = Objects(
        particles=tuple(members),
        class_id=np.array([class_of[int(p)] for p in population], dtype=np.int64),
        class_names=names,
        group=np.array(
            [silhouettes.groups[silhouettes.rows(m)[0]] for m in members], dtype=np.int64
        ),
        state=("counted",) * n,
        box=cut_boxes,
        full_box=full,
        polygons=tuple(polygons),
        masks=tuple(found_masks),
        keypoints=keypoints_of(full),
        visible_fraction=visible,
        share_in_frame=inside,
        defocus_um=defocus,
        defocus_depths=np.abs(defocus) / depth,
        contrast=unknown if lights is None else np.array([o.contrast for o in lights]),
        signal_to_noise=unknown
        if lights is None
        else np.array([o.signal_to_noise for o in lights]),
        truth={name: column[first] for name, column in truth_columns(batch, scene).items()},
    )
    objects = objects.taken(
        np.flatnonzero((inside >= settings.least_share_in_frame) & (inside > 0))
    )
    states = tuple(state_of(objects, k, settings) for k in range(len(objects)))
    return Objects(**{**objects.__dict__, "state": states})


def class_table(scene: Scene, settings: LabelSettings) -> tuple[tuple[str, ...], dict[int, int]]:
    """Names of the classes, in the order of the populations, and the class of each population."""
    names: list[str] = []
    of: dict[int, int] = {}
    for number, population in enumerate(scene.populations):
        if not population.labelled:
            continue
        name = settings.classes.get(population.name, population.name)
        if name not in names:
            names.append(name)
        of[number] = names.index(name)
    return tuple(names), of


def truth_columns(batch: ParticleBatch, scene: Scene) -> dict[str, Array]:
    """True numbers of every particle, as columns (N,)."""
    position = batch.position.double().cpu().numpy()
    axis = rotation_matrix(batch.quaternion).double().cpu().numpy()[:, :, 0]
    size = 2 * batch.size.double().cpu().numpy()
    plain = {
        name: getattr(batch, name).double().cpu().numpy()
        for name in ("absorption_per_um", "emission_per_um", "birefringence")
    }
    index = batch.delta_index.double().cpu().numpy() + scene.medium.index
    return {
        **{f"{name}_um": position[:, k] for k, name in enumerate("xyz")},
        "azimuth_deg": np.degrees(np.arctan2(axis[:, 1], axis[:, 0])),
        "elevation_deg": np.degrees(np.arcsin(np.clip(axis[:, 2], -1, 1))),
        **{f"size_{name}_um": size[:, k] for k, name in enumerate("abc")},
        "refractive_index": index,
        **plain,
    }


def measures(objects: Objects, number: int) -> Mapping[str, float]:
    """Numbers of one object that rules may ask for."""
    return {
        "visible_fraction": float(objects.visible_fraction[number]),
        "share_in_frame": float(objects.share_in_frame[number]),
        "defocus_um": float(objects.defocus_um[number]),
        "defocus_depths": float(objects.defocus_depths[number]),
        "contrast": float(objects.contrast[number]),
        "signal_to_noise": float(objects.signal_to_noise[number]),
        "length_px": float(objects.box[number, 2]),
        "width_px": float(objects.box[number, 3]),
    }


def state_of(objects: Objects, number: int, settings: LabelSettings) -> str:
    """State of one object by the rules of the settings."""
    numbers = measures(objects, number)
    return next((rule.state for rule in settings.rules if rule.holds(numbers)), "counted")


def keypoints_of(box: Array) -> Array:
    """Tips of the long axes and centres (n, 3, 2) of boxes."""
    step = np.stack([np.cos(box[:, 4]), np.sin(box[:, 4])], -1) * box[:, 2:3] / 2
    centre = box[:, :2]
    return np.stack([centre - step, centre + step, centre], 1)


def boxes_in_frame(boxes: Array, shape: tuple[int, int]) -> Array:
    """Boxes (n, 5) around what of other boxes lies inside the frame."""
    corners, end = corners_of(boxes), np.array(shape[::-1]) - 0.5
    out = boxes.copy()
    for k in np.flatnonzero(((corners < -0.5) | (corners > end)).any((1, 2))):
        out[k] = _cut_box(boxes[k], corners[k], shape)
    return out


def _cut_box(box: Array, corners: Array, shape: tuple[int, int]) -> Array:
    """Box around what of another box with these corners lies inside the frame."""
    inside = cut(corners, shape)
    if not len(inside):
        return np.array([*box[:2], 0.0, 0.0, box[4]])
    # Along the old direction where that costs little: a needle that is cut keeps its angle.
    along = np.array([math.cos(box[4]), math.sin(box[4])])
    across = np.array([-along[1], along[0]])
    a, c = inside @ along, inside @ across
    kept = np.array([np.ptp(a), np.ptp(c)])
    tight = least_rectangle(inside)
    if kept.prod() > 1.15 * tight[2] * tight[3]:
        return tight
    centre = (a.max() + a.min()) / 2 * along + (c.max() + c.min()) / 2 * across
    return upright(np.array([*centre, *kept, box[4]]))


def _by_light(box: Array, own: OwnLight, mask: Mask, share: float) -> Array:
    """Box as far as the object's own light reaches a share of its peak, along and across.

    Light that hangs together with the silhouette counts; rings around it do not.
    """
    light = np.abs(own.light)
    if not light.size or light.max() <= 0:
        return box
    bright, _ = label(light >= share * light.max(), np.ones((3, 3)))
    top, left = mask.row - own.row, mask.column - own.column
    height, width = mask.pixels.shape
    touching = np.unique(bright[top : top + height, left : left + width][mask.pixels])
    touching = touching[touching > 0]
    rows, columns = np.nonzero(np.isin(bright, touching) if len(touching) else bright)
    x, y = columns + own.column - box[0], rows + own.row - box[1]
    cosine, sine = math.cos(box[4]), math.sin(box[4])
    a, c = x * cosine + y * sine, y * cosine - x * sine
    # Half a pixel on either side: the light of a pixel is that of its whole area.
    low, high = np.array([a.min(), c.min()]) - 0.5, np.array([a.max(), c.max()]) + 0.5
    middle, side = (low + high) / 2, high - low
    turned = np.array(
        [middle[0] * cosine - middle[1] * sine, middle[0] * sine + middle[1] * cosine]
    )
    centre = box[:2] + turned
    return upright(np.array([*centre, *side, box[4]]))


def _traced(mask: Mask) -> Array:
    """Outline of the largest part of a mask, along the middles between pixels."""
    from skimage.measure import find_contours

    if not mask.pixels.any():
        return np.zeros((0, 2))
    found = find_contours(np.pad(mask.pixels, 1).astype(float), 0.5)
    longest = max(found, key=len)
    result: Array = longest[:-1, ::-1] - 1 + [mask.column, mask.row]
    return result


__all__ = [
    "Silhouettes",
    "boxes_in_frame",
    "class_table",
    "keypoints_of",
    "labelled_objects",
    "measures",
    "state_of",
    "truth_columns",
]

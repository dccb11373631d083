"""Frames of a dataset by their number: the index is the seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osog.datasets.labelled_frame import LabelledFrame
from osog.datasets.labelling import Silhouettes, labelled_objects
from osog.datasets.own_light import own_light
from osog.datasets.resampling import resampled
from osog.datasets.settings import LabelSettings
from osog.exit_wave.compiled.choice import draws_compiled
from osog.exit_wave.compiled.choice import use as drawn_by
from osog.geometry import by_shape
from osog.particles import assembled
from osog.rendering import Renderer
from osog.sample import checked_seed, sample
from osog.scene import SceneError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    import torch
    from numpy.typing import NDArray

    from osog.datasets.own_light import OwnLight
    from osog.geometry import Shape
    from osog.rendering import Frame
    from osog.scene import Scene

_BITS = 61
_TRIES = 8


def seed_of(root: int, index: int, view: int = 0) -> int:
    """Seed of one picture, from the dataset's seed and its number alone.

    Parameters
    ----------
    root : int
    index : int
    view : int
        Pictures of the same sample differ in it.
    """
    key = (index,) if view == 0 else (index, view)
    words = np.random.SeedSequence(root, spawn_key=key).generate_state(1, np.uint64)
    return int(words[0]) >> (64 - _BITS)


def shapes_in(scene: Scene) -> list[Shape]:
    """Shapes of the first sample of a scene that can be drawn, parts of bodies among them."""
    for seed in range(_TRIES):
        try:
            return [shape for shape, _ in by_shape(assembled(sample(scene, seed)))]
        except SceneError:  # laws may draw what does not fit; whoever asks for that one is told
            continue
    return []


class FrameSource:
    """Makes the labelled frames of a dataset, in any order.

    Parameters
    ----------
    scene : Scene
        Numbers that are laws are drawn anew for every frame.
    seed : int
        Of the whole dataset.
    labels : LabelSettings, optional
    views : int
        Pictures of each sample; numbers of microscope, camera and background are drawn anew for
        each, particles stay. Where the light behind the sample can be kept they cost little.
    accuracy : str, optional
        Overrides the scene's.
    device : str
        As for `osog.render`.
    compiled : bool, optional
        Whether compiled code draws the particles, which is compiled first where it is not; by
        default where that of all shapes in the first sample is ready. The choice holds for all
        frames.

    Raises
    ------
    SceneError
        If the scene gives stacks or series, or nothing in it is labelled.
    """

    def __init__(
        self,
        scene: Scene,
        seed: int = 0,
        *,
        labels: LabelSettings | None = None,
        views: int = 1,
        accuracy: str | None = None,
        device: str | torch.device = "auto",
        compiled: bool | None = None,
    ) -> None:
        _check_single(scene)
        if views < 1:
            raise SceneError(f"views = {views} must be 1 or more.")
        self.scene, self.seed, self.views = scene, checked_seed(seed), views
        self.labels = labels if labels is not None else LabelSettings()
        known = [population.name for population in scene.populations]
        for name in self.labels.classes:
            if name not in known:
                raise SceneError(
                    f"classes.{name} is no population of the scene; it has "
                    f"{', '.join(known) or 'none'}."
                )
        self.accuracy = accuracy
        self._renderer = Renderer(device)
        where = self._renderer.device.type
        if compiled is None:
            compiled = draws_compiled(shapes_in(scene), device=where)
        self.compiled = compiled
        self._alone: Renderer | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their numbers."""
        from osog.datasets.labelling import class_table

        return class_table(self.scene, self.labels)[0]

    @property
    def device(self) -> torch.device:
        """Where the frames are rendered."""
        return self._renderer.device

    def __getitem__(self, index: int) -> LabelledFrame:
        """Make the first picture of one sample."""
        return next(self.pictures(index))

    @property
    def shares_optics(self) -> bool:
        """Whether the optics are the same in all frames, so that rendering them together pays."""
        drawn = self.scene.drawn(0)
        same = drawn.microscope == self.scene.microscope and drawn.medium == self.scene.medium
        return same and self.views == 1

    def pictures(self, index: int) -> Iterator[LabelledFrame]:
        """Make every picture of one sample.

        Parameters
        ----------
        index : int
            Number of the sample in the dataset, from 0.
        """
        for view, (scene, seed) in enumerate(self._scenes(index)):
            with self._drawing():
                frame = self._renderer.render(scene, seed, self.accuracy)
                labelled = self._labelled(frame, index, view)
            yield labelled

    def together(self, indices: Sequence[int]) -> Iterator[list[LabelledFrame]]:
        """Make the pictures of some samples with what their optics have in common made once.

        Parameters
        ----------
        indices : sequence of int

        Yields
        ------
        list of LabelledFrame
            Every picture of one sample after the other, as `pictures` gives them.
        """
        asked = [list(self._scenes(index)) for index in indices]
        scenes, seeds = zip(*(pair for pairs in asked for pair in pairs), strict=True)
        with self._drawing():
            frames = iter(self._renderer.render_many(scenes, seeds, self.accuracy))
        for index, pairs in zip(indices, asked, strict=True):
            with self._drawing():
                done = [self._labelled(next(frames), index, view) for view in range(len(pairs))]
            yield done

    def _scenes(self, index: int) -> Iterator[tuple[Scene, int]]:
        """Scene and seed of every picture of one sample."""
        base = self.scene.sample(seed_of(self.seed, index))
        for view in range(self.views):
            seed, scene = seed_of(self.seed, index, view), base
            if view:
                drawn = self.scene.drawn(seed)
                scene = base.model_copy(
                    update={
                        name: getattr(drawn, name)
                        for name in ("microscope", "camera", "background")
                    }
                )
            yield scene, seed

    def _drawing(self) -> AbstractContextManager[None]:
        """Draw particles in the way that was chosen for all frames."""
        return drawn_by("wait" if self.compiled else "off")

    def _labelled(self, frame: Frame, index: int, view: int) -> LabelledFrame:
        if self.labels.asks_own_light and self._alone is None:
            self._alone = Renderer(self._renderer.device)
        return labels_of(frame, self.labels, self._alone, index, view)


def labelled(
    scene: Scene,
    seed: int = 0,
    labels: LabelSettings | None = None,
    device: str | torch.device = "auto",
) -> LabelledFrame:
    """Label the frame that ``osog.render(scene, seed=seed)`` gives.

    Parameters
    ----------
    scene : Scene
    seed : int
    labels : LabelSettings, optional
    device : str

    Raises
    ------
    SceneError
        If the scene cannot be rendered, or gives stacks or series.
    """
    _check_single(scene)
    renderer = Renderer(device)
    settings = labels if labels is not None else LabelSettings()
    listed = scene.sample(checked_seed(seed))
    return labels_of(renderer.render(listed, seed), settings, Renderer(device))


def labels_of(
    frame: Frame,
    settings: LabelSettings,
    alone: Renderer | None = None,
    index: int = 0,
    view: int = 0,
) -> LabelledFrame:
    """Label a rendered frame of a scene that lists its particles.

    Parameters
    ----------
    frame : Frame
    settings : LabelSettings
    alone : Renderer, optional
        Renders objects by themselves, where settings ask for their own light.
    index, view : int
        Number of the frame in its dataset.
    """
    scene = frame.scene
    image, white = _pixels(frame, scene)
    silhouettes = Silhouettes(scene, frame.particles, settings)
    lights = None
    if settings.asks_own_light and alone is not None:
        lights = _own_light(frame, silhouettes, alone)
    objects = labelled_objects(silhouettes, settings, lights)
    made = LabelledFrame(
        index=index,
        view=view,
        seed=frame.seed,
        scene=scene,
        image=image,
        white=white,
        frame=frame,
        objects=objects,
        instances=silhouettes.instances(objects.particles),
    )
    return resampled(made, settings) if settings.resamples else made


def _own_light(frame: Frame, silhouettes: Silhouettes, alone: Renderer) -> list[OwnLight]:
    scene = frame.scene
    population = frame.particles.population.tolist()
    first: dict[int, int] = {}
    for number, p in enumerate(population):
        first.setdefault(p, number)
    members = [[(population[k], k - first[population[k]]) for k in m] for m in silhouettes.members]
    focus = float(np.mean(scene.microscope.focus_planes_um))
    z = frame.particles.position[:, 2].double().cpu().numpy()
    defocus = np.array([z[list(m)].mean() - focus for m in silhouettes.members])
    image = frame.image.double().cpu().numpy()
    return own_light(
        alone,
        scene,
        frame.seed,
        members,
        [silhouettes.mask(m) for m in silhouettes.members],
        defocus,
        image.mean(-1) if image.ndim == 3 else image,
    )


def _check_single(scene: Scene) -> None:
    if scene.series.frames > 1 or len(scene.microscope.focus_planes_um) > 1:
        raise SceneError(
            "a dataset is made of single pictures: series.frames must be 1 and "
            "microscope.focus_um one number."
        )


def _pixels(frame: Frame, scene: Scene) -> tuple[NDArray[np.generic], float]:
    """Return the image in the type that holds it, and its white."""
    image = frame.image.cpu().numpy()
    camera = scene.camera
    if camera is None or scene.microscope.modality.measures_phase:
        bright = scene.microscope.modality.backdrop == "bright"
        white = 2.0 if bright else max(float(image.max()), 1e-12)
        return image.astype(np.float32), white
    kind = np.uint8 if camera.white_counts <= 255 else np.uint16
    top = float(camera.white_counts)
    return np.clip(np.round(image), 0, top).astype(kind), top

"""The live loop of one viewer: session → renderer → layers, shared by its panels."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from superqt.utils import qdebounced

from napari_osog import engine
from napari_osog._settings import setting, when_changed
from napari_osog.fields import field_problem
from napari_osog.layers import MAX_OUTLINES, ViewerLayers
from napari_osog.pictures import Failure, Request, picture_worker, single_frame
from napari_osog.problem import listen_for_errors
from napari_osog.session import Session
from napari_osog.viewers import shared, unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_osog.pictures import Picture
    from osog.rendering.cache import WaveInputs
    from osog.scene import Scene

_SLOW_MS = 60.0
_SLOW_WARM_MS = 300.0
_QUICKER = 0.8
"""Share of the time of a full picture above which a preview is not worth its coarseness."""
_IDLE_MS = 250
_HELD_MS = 700
_MORE_POINTS = 4
_MANY = 100
"""Particles above which their rings would hide what they are drawn on."""
_ENOUGH_PERCENT = 1.0
_FINE_MS = 10000.0


class LiveController:
    """Keeps the layers of one viewer in step with its session while a panel is visible.

    Attributes
    ----------
    session : Session
    live : Worker
        Renders the live image.
    stack_renderer : Worker
        Renders whole stacks and series beside the live image.
    viewer_layers : ViewerLayers
    fps : float
        Pictures shown in the last second; 0 at rest.
    panels : WeakSet of Panel
        Those that are docked.
    """

    def __init__(
        self,
        viewer: Any,
        make: Callable[[str], Any] | None = None,
        viewer_layers: Any = None,
        session: Session | None = None,
    ) -> None:
        self.session = session or Session(_first_scene(), device=setting("device"))
        if session is None:
            self.session.preset = FIRST_PRESET
        self.viewer_layers = (
            viewer_layers if viewer_layers is not None else ViewerLayers(viewer, self.session)
        )
        self.live = picture_worker(make, max_rate=setting("max_fps"))
        self.stack_renderer = picture_worker(make)
        self.stack_began = 0.0
        self._stack_scene = self.session.scene
        self.fps = 0.0
        self._visible: set[int] = set()
        self.panels: WeakSet[Any] = WeakSet()
        # Wall times of full renders: with the light through the sample computed anew, and reused.
        self._cold_ms = self._warm_ms = 0.0
        # The first preview of a kind of scene also makes what the next ones reuse.
        self._previews_ms: deque[float] = deque(maxlen=3)
        self._previewed: object = None
        self._wave: WaveInputs | None = None
        self._times: deque[float] = deque(maxlen=120)
        self._stale = True
        self._rest_soon = qdebounced(self._rest, timeout=_IDLE_MS)
        self._refine_soon = qdebounced(self._refine, timeout=_HELD_MS)
        self._coarse = False
        self._drags = 0
        self.live.finished.connect(self._show)
        self.stack_renderer.finished.connect(self._show_sequence)
        for signal, slot in (
            (self.session.scene_changed, self._on_scene),
            (self.session.view.events, self._on_view),
            (self.session.events.target, self._on_target),
            (self.session.events.asked, self._on_asked),
            (self.session.events.sliding, self._on_sliding),
            (self.session.events.device, self._on_scene),
        ):
            signal.connect(slot)
        when_changed(self._on_settings)
        listen_for_errors()
        self._rings = True
        self._shown = self.session.view.shown
        self._extras: tuple[bool, ...] = (False,) * 4

    @classmethod
    def of(cls, viewer: Any) -> LiveController:
        """Return the live controller of this viewer, made on first use."""
        return shared(viewer, lambda: cls(unwrapped(viewer)))

    # --- panels ------------------------------------------------------------------------------

    def enter(self, panel: int) -> None:
        """Count a panel as visible: rendering goes on.

        Parameters
        ----------
        panel : int
            Any number that identifies the panel, such as its ``id``.
        """
        first = not self._visible
        self._visible.add(panel)
        if first:
            self.live.resume()
            if self._stale:
                self.request()

    def leave(self, panel: int) -> None:
        """Count a panel as hidden; without a visible one nothing is rendered."""
        self._visible.discard(panel)
        if not self._visible:
            self.live.pause()

    def stop(self, panel: int) -> None:
        """Forget a panel that is gone; the thread ends with the last visible one."""
        self._visible.discard(panel)
        if not self._visible:
            self._rest_soon.cancel()
            self._refine_soon.cancel()
            self.session.release()
            self._stale = True
            self.live.stop()
            self.stop_sequence()

    # --- the loop ----------------------------------------------------------------------------

    def request(self, preview: bool | None = None) -> None:
        """Ask for a picture of the session as it is now."""
        if not self._visible or self.session.asked is not None:  # nobody sees it
            self._stale = True
            if self._visible:  # until the questions are answered it can be made ready
                engine.load_ahead()
            return
        session, view = self.session, self.session.view
        if preview is None:
            preview = session.sliding and self._is_slow() and bool(setting("preview"))
        self._stale = False
        # Masks and outlines cost more than a preview does, so they follow at rest.
        extras = not preview
        self.live.submit(
            Request(
                scene=session.scene,
                seed=session.seed,
                shown=self._wanted(),
                preview=preview,
                masks=view.masks and extras,
                outlines=view.outlines and extras,
                device=session.device,
                fields=self._fields() if extras else (),
                drag=self._drags if session.sliding else 0,
            )
        )
        self._coarse = preview
        if preview:
            self._refine_soon()
        else:
            self._refine_soon.cancel()

    def _wanted(self) -> str:
        """What the image shows; a scene without a field has no phase or amplitude to show."""
        shown = self.session.view.shown
        field = shown in ("phase", "amplitude")
        return "image" if field and field_problem(self.session.scene) else shown

    def _fields(self) -> tuple[str, ...]:
        """What is wanted of the field behind the image, and can be had."""
        view = self.session.view
        wanted = tuple(name for name in ("phase", "amplitude") if getattr(view, name))
        return () if field_problem(self.session.scene) else wanted

    def _finer(self, picture: Picture) -> Request | None:
        """Request with more source points, when a picture at rest has too few and time allows.

        Four times as many at each step, so that the picture settles while one looks at it; exit
        waves that were interpolated give way to a plain sum over all that it needs.
        """
        light, request = picture.light, picture.request
        if light is None or light.error_percent < _ENOUGH_PERCENT or request.preview:
            return None
        if request.scene is not self.session.scene or request.shown != self._wanted():
            return None
        if self.session.scene.microscope.source_points:  # the user's own number
            return None
        plain = light.source_points == light.exit_waves
        points = min(_MORE_POINTS * light.exit_waves, light.wanted) if plain else light.wanted
        if points <= light.exit_waves:
            return None
        if picture.milliseconds * points / light.exit_waves > _FINE_MS:
            return None
        return replace(request, source_points=points)

    # --- stacks and series -------------------------------------------------------------------

    def render_sequence(self, scene: Scene) -> None:
        """Render all planes and frames of a scene into a layer of their own.

        Parameters
        ----------
        scene : Scene
            With a list of planes in focus, or more than one frame, or both.
        """
        planes, frames = len(scene.microscope.focus_planes_um), scene.series.frames
        words = [f"{frames} frames"] if frames > 1 else []
        words += [f"{planes} planes"] if planes > 1 or not words else []
        session = self.session
        self.stack_began = time.monotonic()
        self._stack_scene = session.scene
        session.sequence_status = f"Rendering {' × '.join(words)}"
        self.stack_renderer.submit(Request(scene, session.seed, device=session.device, whole=True))

    def stop_sequence(self) -> None:
        """Leave the stack or series that is being rendered."""
        self.stack_renderer.stop()
        self.session.sequence_status = ""

    def _show_sequence(self, picture: Picture | Failure) -> None:
        session = self.session
        session.sequence_status = ""
        if isinstance(picture, Failure):
            session.status = picture.error
            return
        present = session.scene is self._stack_scene and session.seed == picture.request.seed
        self.viewer_layers.show_sequence(picture, described(picture), visible=present)

    # --- the live image ----------------------------------------------------------------------

    def _is_slow(self) -> bool:
        """Whether a full render would lag behind the hand.

        While only the optics behind the sample move, the light through it is reused: then the full
        image is about as quick as a preview, which would have to compute that light once more.
        """
        if self._is_warm(self.session.scene, self.session.seed):
            return self._warm_ms > _SLOW_WARM_MS and self._helps(self._warm_ms)
        return self._cold_ms > _SLOW_MS and self._helps(self._cold_ms)

    def _helps(self, full_ms: float) -> bool:
        """Whether previews, of which two were seen, are quicker than the full picture."""
        known = self._previews_ms if self._previewed == _kind(self.session.scene) else ()
        return len(known) < 2 or min(known) < _QUICKER * full_ms

    def _is_warm(self, scene: Scene, seed: int) -> bool:
        """Whether the light behind the sample is that of the last full render."""
        return self._wave is not None and self._wave.same_for(single_frame(scene), seed)

    def _on_scene(self, _: object = None) -> None:
        self.session.status = ""
        self.request()

    def _on_settings(self, event: Any = None) -> None:
        self.live.max_rate = setting("max_fps")
        self.session.device = setting("device")

    def _on_sliding(self, sliding: bool) -> None:
        if sliding:
            self._drags += 1
            self.viewer_layers.render.begin_motion()
            return
        picture = self.session.picture
        if self._coarse or (picture is not None and picture.request.preview):
            self.request(preview=False)

    def _refine(self) -> None:
        """The hand holds still: show the full image even before it lets go."""
        self.request(preview=False)

    def _follow_rings(self) -> None:
        """Show the points of the particles where they are few and nothing is compared.

        What the user chose otherwise stays until it is what would be chosen here.
        """
        view, picture = self.session.view, self.session.picture
        few = picture is None or len(picture.positions_um) <= _MANY
        before, self._rings = self._rings, few and view.compare == "off"
        if view.particles == before != self._rings:
            view.particles = self._rings

    def _on_view(self) -> None:
        view = self.session.view
        self._follow_rings()
        extras = (view.masks, view.outlines, view.phase, view.amplitude)
        needed = any(now and not before for now, before in zip(extras, self._extras, strict=True))
        renewed = view.shown != self._shown
        self._shown, self._extras = view.shown, extras
        self.viewer_layers.apply_view()
        if renewed or needed or view.particles:
            self.request()

    def _on_target(self, _: object) -> None:
        if self.session.target is None:
            self.session.view.update(compare="off", transform=None)
        else:
            self.viewer_layers.apply_view()

    def _on_asked(self, layer: Any) -> None:
        self.viewer_layers.apply_view()
        if layer is None:
            self.request()  # what was hidden is shown with a picture
        else:
            self.viewer_layers.registry.fit_view()

    def _show(self, picture: Picture | Failure) -> None:
        session = self.session
        if isinstance(picture, Failure):
            request = picture.request
            made = request.scene, request.seed, request.shown
            if made == (session.scene, session.seed, self._wanted()):  # else it is out of date
                session.status = picture.error
            return
        if not picture.request.preview and not picture.request.source_points:
            if self._is_warm(picture.request.scene, picture.request.seed):
                self._warm_ms = picture.milliseconds
            else:
                self._cold_ms = picture.milliseconds
            self._wave = picture.wave_inputs
        elif picture.request.preview:
            kind = _kind(picture.request.scene)
            if kind != self._previewed:
                self._previewed = kind
                self._previews_ms.clear()
            self._previews_ms.append(picture.milliseconds)
        self._count()
        with session.events.picture.blocked():  # panels hear of it when the layers show it
            session.picture = picture
        self._follow_rings()
        self.viewer_layers.show(picture)
        session.events.picture.emit(picture)
        if picture.outlines is not None and len(picture.outlines) > MAX_OUTLINES:
            session.status = (
                f"{len(picture.outlines)} outlines are too many to draw; "
                f"they are shown up to {MAX_OUTLINES} particles. Masks show them all."
            )
        self._rest_soon()

    def _count(self) -> None:
        now = time.monotonic()
        self._times.append(now)
        recent = [t for t in self._times if now - t < 1.0]
        span = now - recent[0]
        self.fps = (len(recent) - 1) / span if len(recent) > 2 and span > 0.1 else 0.0

    def _rest(self) -> None:
        picture = self.session.picture
        if picture is None:
            return
        if picture.request.preview or self.session.sliding:
            return
        self.fps = 0.0
        finer = self._finer(picture) if self._visible else None
        if finer is not None:
            self.live.submit(finer)
        self.viewer_layers.rest(described(picture))
        self.session.events.picture.emit(picture)


def _kind(scene: Scene) -> object:
    """What decides how previews and full pictures compare in time."""
    return scene.microscope.modality.kind, scene.grid.shape, scene.numerics


FIRST_PRESET = "lysozyme-dic"
"""What a new viewer shows: striking, and quick on a laptop."""


def _first_scene() -> Any:
    from osog import presets

    return presets.load(FIRST_PRESET)


def described(picture: Picture) -> dict[str, Any]:
    """What a layer's metadata say of its render, so that it can be opened and edited again."""
    from osog import __version__

    return {
        "version": __version__,
        "scene": picture.request.scene.to_dict(),
        "seed": picture.request.seed,
        "shown": picture.request.shown,
        "explain": picture.explain,
        "device": picture.device,
        "milliseconds": round(picture.milliseconds, 1),
    }


__all__ = ["FIRST_PRESET", "LiveController", "described"]

"""What a dataset's labels are: how boxes are drawn, and which objects count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, PositiveInt, field_validator, model_validator

from osog.scene.model import SceneModel

if TYPE_CHECKING:
    from collections.abc import Mapping

MEASURES = (
    "visible_fraction",
    "share_in_frame",
    "defocus_um",
    "defocus_depths",
    "contrast",
    "signal_to_noise",
    "length_px",
    "width_px",
)
"""Numbers of an object that rules may ask for."""
OWN_LIGHT = ("contrast", "signal_to_noise")
"""Those that need each object's own contribution to the image."""


class Rule(SceneModel):
    """Objects whose numbers lie in some ranges get a state.

    ``when`` maps numbers of `MEASURES` to [lowest, highest]; null leaves a side open. Every range
    must hold.
    """

    state: Literal["counted", "difficult", "ignored", "none"]
    when: dict[str, tuple[float | None, float | None]] = Field(min_length=1)

    @field_validator("when")
    @classmethod
    def _of_known_numbers(
        cls, when: dict[str, tuple[float | None, float | None]]
    ) -> dict[str, tuple[float | None, float | None]]:
        for name, (low, high) in when.items():
            if name not in MEASURES:
                raise ValueError(f"when.{name} is not one of {', '.join(MEASURES)}.")
            if low is not None and high is not None and low > high:
                raise ValueError(f"when.{name} = [{low:g}, {high:g}] must be [lowest, highest].")
        return when

    def holds(self, numbers: Mapping[str, float]) -> bool:
        """Whether every range holds; a number that is unknown (NaN) is in none."""
        for name, (low, high) in self.when.items():
            value = numbers[name]
            if value != value or (low is not None and value < low):
                return False
            if high is not None and value > high:
                return False
        return True


class LabelSettings(SceneModel):
    """How objects are boxed, and which of them count.

    Attributes
    ----------
    box : {"geometry", "visible"}
        ``geometry``: the silhouette. ``visible``: as far as the object's own contribution to the
        image stands out, at ``peak_share`` of its peak, along and across its long axis.
    margin_px : float
        Added on every side.
    peak_share : float
        For ``visible``.
    least_share_in_frame : float
        Objects with less of their silhouette inside the frame get no label.
    classes : mapping of str to str
        Class of a population; its own name where it is not listed.
    merge_groups : bool
        One object for particles that grew together.
    rules : tuple of Rule
        The first that holds gives the state; counted where none does.
    own_light : bool
        Measure contrast and signal-to-noise of every object even where nothing else asks for them.
    pixel_size_um : float, optional
        Pictures and labels are brought to this pixel size after the camera; the scene's where it is
        left out. Lengths in rules are then in these pixels; ``margin_px`` stays in the scene's.
    crop : (int, int), optional
        Rows and columns that are cut from the middle, in these pixels. Where the pixel size of the
        scene is a law it makes all pictures alike.
    """

    box: Literal["geometry", "visible"] = "geometry"
    margin_px: float = Field(0.0, ge=-50, le=200)
    peak_share: float = Field(0.25, ge=0.02, le=0.9)
    least_share_in_frame: float = Field(0.3, ge=0.0, le=1.0)
    classes: dict[str, str] = Field(default_factory=dict)
    merge_groups: bool = False
    rules: tuple[Rule, ...] = (Rule(state="difficult", when={"visible_fraction": (None, 0.25)}),)
    own_light: bool = False
    pixel_size_um: float | None = Field(None, gt=0, le=1000)
    crop: tuple[PositiveInt, PositiveInt] | None = None

    @model_validator(mode="after")
    def _class_names_are_words(self) -> LabelSettings:
        for name in self.classes.values():
            if not name.strip() or "\n" in name:
                raise ValueError(f"classes: '{name}' is no name of a class.")
        return self

    @property
    def resamples(self) -> bool:
        """Whether pictures are changed after the camera."""
        return self.pixel_size_um is not None or self.crop is not None

    @property
    def asks_own_light(self) -> bool:
        """Whether each object's own contribution to the image must be known."""
        asked = any(name in OWN_LIGHT for rule in self.rules for name in rule.when)
        return self.own_light or asked or self.box == "visible"

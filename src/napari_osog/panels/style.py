"""What panels look like, in the colours of napari's theme."""

from __future__ import annotations

from typing import Any

STYLE = """
QCollapsible {{ border: none; margin: 0; padding: 0; }}
QPushButton#osog_section {{
    font-weight: bold; text-align: left; padding: 4px; border: none; border-radius: 3px;
    background: {foreground}; color: {text};
}}
QPushButton#osog_minor {{
    text-align: left; padding: 2px; border: none; background: transparent; color: {text};
}}
QPushButton#osog_section:hover, QPushButton#osog_minor:hover {{ background: {primary}; }}
QToolButton#osog_mode {{ padding: 3px 2px; border-radius: 3px; background: {foreground}; }}
QToolButton#osog_mode:hover {{ background: {primary}; }}
QToolButton#osog_mode:checked {{ background: {current}; color: {on_current}; }}
QAbstractSpinBox {{ min-width: 30px; padding: 1px 5px; }}
QLabel#osog_fault {{ color: {fault}; padding: 0 2px 2px 2px; }}
QLabel#osog_note {{ color: {note}; }}
QLabel#osog_explain {{ color: {text}; }}
QToolButton#osog_menu {{ background: {foreground}; border-radius: 2px; padding: 3px; }}
QToolButton#osog_menu:hover, QToolButton#osog_small:hover {{ background: {primary}; }}
QToolButton#osog_menu::menu-indicator {{ image: none; }}
QToolButton#osog_small {{ background: {foreground}; border-radius: 2px; padding: 2px; }}
QToolButton#osog_small:checked {{ background: {current}; color: {on_current}; }}
QLineEdit, QToolButton {{ font-size: {letters}; }}
QLineEdit, QComboBox {{ placeholder-text-color: {placeholder}; }}
QWidget#osog_ring {{ background: transparent; }}
QLabel#osog_explain:hover, QLabel#osog_explain:focus {{ background: {foreground}; }}
QProgressBar#osog_busy {{
    border: none; border-radius: 2px; background: {foreground};
    min-height: 4px; max-height: 4px;
}}
QProgressBar#osog_busy::chunk {{ background: {current}; border-radius: 2px; width: 40px; }}
QFrame#osog_popup {{ background: {background}; border: 1px solid {primary}; }}
QFrame#osog_popup QLabel {{ background: transparent; }}
QFrame#osog_card {{ background: {background}; border: 1px solid {current}; border-radius: 4px; }}
QLabel#osog_card_title {{ color: {text}; }}
QFrame#osog_notice {{
    background: {foreground}; border-left: 3px solid {warning}; border-radius: 2px;
}}
QFrame#osog_notice QLabel {{ background: transparent; }}
QFrame#osog_notice[kind="error"] {{ border-left: 3px solid {error}; }}
"""

_NAMES = ("background", "foreground", "primary", "secondary", "highlight", "text", "warning",
          "error", "current")  # fmt: skip
_OWN = {
    True: {"fault": "#ff8a80", "note": "#b4b9c1", "placeholder": "#c9cdd3", "focus": "#8ab4f8"},
    False: {"fault": "#a8001c", "note": "#50555d", "placeholder": "#40454c", "focus": "#1f4fd8"},
}
"""Colours that themes lack, on dark and on light ground."""


def theme_colours(name: str) -> dict[str, str]:
    """Colours of a theme by their names there, and those that it lacks, as hex.

    Parameters
    ----------
    name : str
        Of a theme of napari.

    Returns
    -------
    dict of str to str
        Beside napari's names: ``fault``, ``note``, ``placeholder`` and ``focus``, and
        ``on_current`` for letters on ``current``.
    """
    from napari.utils.theme import get_theme

    theme = get_theme(name)
    found = {key: getattr(theme, key).as_hex(format="long") for key in _NAMES}
    dark = luminance(found["background"]) < 0.2
    found |= _OWN[dark]
    letters = (found["text"], found["background"])
    found["on_current"] = max(letters, key=lambda colour: contrast(colour, found["current"]))
    return found


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, 0 to 1 (WCAG 2.2)."""
    levels = [int(colour.lstrip("#")[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def letter_size() -> str:
    """Size of letters that the user has chosen in napari, as style sheets have it."""
    from napari.settings import get_settings

    appearance: Any = get_settings().appearance
    return f"{appearance.font_size}pt"


__all__ = ["STYLE", "contrast", "letter_size", "luminance", "theme_colours"]

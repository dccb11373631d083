"""A fit as one page for a lab book: pictures, numbers, doubts, and what it was made with."""

from __future__ import annotations

import base64
import io
import platform
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from osog._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_LEAST_PX = 240
"""Side that pictures are enlarged to."""
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; } th, td { padding: 0.2rem 0.8rem; text-align: left;
  border-bottom: 1px solid #ddd; } td.n { text-align: right; font-variant-numeric: tabular-nums; }
figure { display: inline-block; margin: 0 1rem 1rem 0; } figcaption { color: #555; }
img { image-rendering: pixelated; border: 1px solid #ccc; display: block; }
.good { color: #1b5e20; } .poor { color: #a33000; } .quiet { color: #555; }
pre { background: #f6f6f6; padding: 1rem; overflow-x: auto; font-size: 12px; }
"""


def page(result: Any, title: str) -> str:
    """Write a fit as HTML that needs no other file.

    Parameters
    ----------
    result : FitResult
        Which writes itself by this function, so that its class lies above.
    title : str
        Such as the name of the micrograph.

    Returns
    -------
    str
        Data, model and residual as pictures; values with σ and units; the optics that varied; the
        sentences of warning; how the search went; correlations; the scene; versions and date.
    """
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p class='quiet'>Fit by OSOG {__version__}, {_now()}</p>",
        _verdict(result),
        _pictures(result),
        "<h2>Numbers</h2>",
        _table(("parameter", "value", "σ", "unit", ""), _rows(result)),
    ]
    if result.nuisances:
        varied = [(n, *_shown(v, s), "", "") for n, (v, s) in result.nuisances.items()]
        parts += ["<h2>Optics within their tolerance</h2>"]
        parts += [_table(("parameter", "value", "σ", "", ""), varied)]
    said = [*dict.fromkeys(result.undetermined.values()), *result.warnings]
    if said:
        parts += ["<h2>To keep in mind</h2>", "<ul>"]
        parts += [f"<li>{escape(text)}</li>" for text in said]
        parts += ["</ul>"]
    parts += ["<h2>The search</h2>", _course(result)]
    parts += ["<h2>Residual</h2>", _table(("test", "value"), _tests(result))]
    if len(result.names) > 1:
        parts += ["<h2>Correlations</h2>", _correlations(result)]
    parts += [
        "<h2>Scene</h2>",
        "<p class='quiet'>Load it again with <code>osog.Scene.load</code>.</p>",
        f"<details><summary>YAML</summary><pre>{escape(result.scene.to_yaml())}</pre></details>",
        f"<p class='quiet'>{escape(_versions())}</p>",
    ]
    body = "\n".join(parts)
    return (
        f"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>{escape(title)}"
        f"</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _verdict(result: Any) -> str:
    if result.stopped:
        tone, words = "poor", "Stopped before the end: the best so far."
    elif result.success:
        tone, words = "good", "The model explains the image to its noise."
    elif result.converged:
        tone, words = "poor", "The search converged, but the model does not explain the image."
    else:
        tone, words = "poor", "The fit is doubtful."
    figures = (
        f"χ² per pixel {result.chi2_per_pixel:.3f}, R² {result.r_squared:.4f}, rms "
        f"{result.rms:.4g}, {result.renders} renders in {result.elapsed_s:.1f} s"
    )
    return f"<p><strong class='{tone}'>{words}</strong><br>{figures}</p>"


def _rows(result: Any) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, value in result.values.items():
        known = name not in result.undetermined
        shown = _shown(value, result.sigma[name] if known else float("inf"))
        rows.append((name, *shown, result.units[name], "" if known else "not determined"))
    return rows


def _shown(value: float, sigma: float) -> tuple[str, str]:
    """Value to the second digit of σ, and σ."""
    if not np.isfinite(sigma) or sigma <= 0:
        return f"{value:.6g}", ""
    digits = int(np.clip(1 - np.floor(np.log10(sigma)), 0, 9))
    return f"{value:.{digits}f}", f"{sigma:.2g}"


def _tests(result: Any) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), f"{value:.4g}") for name, value in result.tests.items()]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["<table><tr>", *(f"<th>{escape(cell)}</th>" for cell in head), "</tr>"]
    for row in rows:
        cells = [f"<td class='n'>{escape(c)}</td>" for c in row[1:3]]
        rest = [f"<td>{escape(c)}</td>" for c in row[3:]]
        lines.append(f"<tr><td>{escape(row[0])}</td>{''.join(cells + rest)}</tr>")
    return "\n".join([*lines, "</table>"])


def _pictures(result: Any) -> str:
    data = result.model + result.residual
    low, high = np.nanquantile(data, (0.001, 0.999))
    most = max(float(np.nanquantile(np.abs(result.residual), 0.999)), 1e-30)
    each = (
        ("data", data, low, high, f"{low:.4g} … {high:.4g}"),
        ("model", result.model, low, high, "the same grey levels"),
        ("data − model", result.residual, -most, most, f"± {most:.3g}"),
    )
    figures = [
        f"<figure><img src='data:image/png;base64,{_png(image, a, b)}' alt='{name}' "
        f"width='{_width(image)}'><figcaption>{name}, {words}</figcaption></figure>"
        for name, image, a, b, words in each
    ]
    y0, y1, x0, x1 = result.region
    where = f"Rows {y0} … {y1 - 1}, columns {x0} … {x1 - 1} of the micrograph."
    return "\n".join([*figures, f"<p class='quiet'>{where}</p>"])


def _width(image: Array) -> int:
    return int(image.shape[1] * max(1, _LEAST_PX // max(image.shape)))


def _png(image: Array, low: float, high: float) -> str:
    from PIL import Image

    grey = (np.nan_to_num(image, nan=low) - low) / max(high - low, 1e-30) * 255
    buffer = io.BytesIO()
    Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _course(result: Any) -> str:
    """Rms of every accepted step, on a logarithmic axis."""
    rms = np.array([max(float(step["rms"]), 1e-30) for step in result.history])
    if len(rms) < 2:
        return "<p class='quiet'>It needed no steps.</p>"
    wide, tall, edge = 560, 160, 8
    height = np.log(rms)
    span = max(float(np.ptp(height)), 1e-9)
    x = edge + np.arange(len(rms)) * (wide - 2 * edge) / (len(rms) - 1)
    y = edge + (height.max() - height) / span * (tall - 2 * edge)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return (
        f"<svg viewBox='0 0 {wide} {tall}' width='{wide}' role='img' aria-label='rms by step'>"
        f"<rect width='{wide}' height='{tall}' fill='#f6f6f6'/>"
        f"<polyline points='{points}' fill='none' stroke='#1a5fb4' stroke-width='2'/></svg>"
        f"<p class='quiet'>rms of {len(rms)} accepted steps, {rms.max():.3g} to {rms.min():.3g}, "
        "logarithmic; several starts follow one another.</p>"
    )


def _correlations(result: Any) -> str:
    sigma = np.sqrt(np.clip(np.diag(result.covariance), 1e-300, None))
    matrix = np.clip(result.covariance / sigma[:, None] / sigma[None, :], -1, 1)
    lines = ["<table>"]
    for i, name in enumerate(result.names):
        cells = "".join(
            f"<td class='n' style='background: {_tint(matrix[i, j])}'>{matrix[i, j]:.2f}</td>"
            if np.isfinite(matrix[i, j])
            else "<td></td>"
            for j in range(i)
        )
        lines.append(f"<tr><td>{escape(name)}</td>{cells}</tr>")
    return "\n".join([*lines, "</table>"])


def _tint(value: float) -> str:
    """White at 0, blue and red towards −1 and 1, light enough for black figures."""
    fade = round(255 - 110 * min(abs(float(value)), 1.0))
    return f"rgb(255,{fade},{fade})" if value > 0 else f"rgb({fade},{fade},255)"


def _now() -> str:
    return datetime.now(UTC).astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _versions() -> str:
    import torch

    return f"OSOG {__version__}, torch {torch.__version__}, Python {platform.python_version()}"


__all__ = ["page"]

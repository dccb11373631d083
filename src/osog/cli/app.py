"""The commands, each of them a thin layer over the engine."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osog.cli.console import emit, progress, shorter, show, table, warn
from osog.cli.errors import BAD_INPUT, FAILED, INTERRUPTED, CommandError, one_line
from osog.cli.scenes import load_scene

if TYPE_CHECKING:
    from collections.abc import Sequence


class Accuracy(StrEnum):
    """How finely light is propagated."""

    auto = "auto"
    draft = "draft"
    standard = "standard"
    fine = "fine"


class Start(StrEnum):
    """Where a fit begins."""

    auto = "auto"
    scene = "scene"
    detect = "detect"


class Optics(StrEnum):
    """Whether the stated optics may vary within their tolerance."""

    uncertain = "uncertain"
    exact = "exact"


class Bench(StrEnum):
    """What can be measured."""

    render = "render"
    live = "live"


app = typer.Typer(
    name="osog",
    help="Simulate optical micrographs of particles, and fit scenes to real ones.\n\n"
    "A SCENE is a YAML or JSON file that describes sample, microscope and camera, or the name of "
    "a preset: see 'osog presets' and 'osog schema'.",
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SceneArgument = Annotated[
    str,
    typer.Argument(metavar="SCENE", help="Scene file (YAML or JSON), or the name of a preset."),
]
ImageArgument = Annotated[
    Path, typer.Argument(metavar="IMAGE", help="Micrograph: TIFF, OME-TIFF, PNG or .npy.")
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout; errors are JSON, too.")
]
Seed = Annotated[
    int,
    typer.Option(
        min=0, max=2**32 - 1, help="Draws particles and noise; the same seed, the same image."
    ),
]
Device = Annotated[
    str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps; auto takes CUDA when it is there.")
]
Channel = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER|mean", help="Channel of a colour image, from 0, or the mean of all."
    ),
]
Page = Annotated[int, typer.Option(min=0, help="Plane of a stack, counted from 0.")]


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from osog import __version__

        show(f"osog {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        show(context.get_help())


@app.command()
def render(
    scene: SceneArgument,
    out: Annotated[
        Path,
        typer.Option(help="Image to write; .tif, .ome.tif, .png or .npy says the format."),
    ],
    seed: Seed = 0,
    device: Device = "auto",
    accuracy: Annotated[
        Accuracy | None,
        typer.Option(help="How finely light is propagated; the scene's if not given."),
    ] = None,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels", help="Also write the instance mask (.instances.tif) and boxes (.boxes.csv)."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Render a micrograph of a scene and write it to a file.

    Behind a camera the file holds whole counts (8 or 16 bits), without one the irradiance relative
    to the background as float32. TIFF files carry pixel size and scene. A PNG of float values is
    stretched to 16 bits, and its black and white are stated. A stack or a time series is one TIFF.

    Example: osog render beads-hologram --out beads.tif --seed 1
    """
    import torch

    from osog.cli.picture import (
        axes,
        checked_content,
        checked_target,
        picture,
        save_labels,
        save_picture,
        size_in_words,
    )
    from osog.rendering import Renderer

    checked_target(out)
    described = load_scene(scene)
    checked_content(out, described)
    outputs = ("image", "instances", "boxes") if labels else ("image",)
    with progress(f"Rendering {scene} …"), torch.inference_mode():
        renderer = Renderer(device)
        frame = renderer.render(
            described, seed, accuracy.value if accuracy else None, outputs=outputs
        )
    image = picture(frame)
    written = save_picture(image, out, described, seed)
    files = save_labels(frame, out) if labels else None
    answer = {
        "out": str(out),
        "shape": list(image.shape),
        "axes": axes(described),
        "dtype": written["dtype"],
        "pixel_size_um": described.grid.pixel_size_um,
        "contrast": written["contrast"],
        "labels": files,
        "seed": seed,
        "particles": len(frame.particles),
        "device": frame.device,
        "milliseconds": frame.milliseconds,
        "explain": frame.explain,
        "warnings": [
            {"text": w.text, "remedy": w.remedy} for w in frame.warnings
        ],
    }  # fmt: skip
    for caution in frame.warnings:
        warn(caution.text)
    if as_json:
        emit(answer)
        return
    show(f"{out}  {size_in_words(image, described)}, {written['dtype']}")
    if written["contrast"]:
        low, high = written["contrast"]
        show(f"Contrast: black is {low:.6g}, white is {high:.6g}.")
    for path in (files or {}).values():
        show(path)
    show(frame.explain)


@app.command()
def fit(
    image: ImageArgument,
    scene: SceneArgument,
    free: Annotated[
        str,
        typer.Option(
            metavar="NAME,NAME,…",
            help="Numbers to fit, by dotted name: particles[0].radius_um,microscope.focus_um.",
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the results; made if needed.")
    ],
    start: Annotated[
        Start,
        typer.Option(
            help="scene: begin at the scene's numbers. detect: search the image first. auto: both."
        ),
    ] = Start.auto,
    bound: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=LOW,HIGH", help="Range of a free number; may be repeated."),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(metavar="Y0,Y1,X0,X1", help="Fit only these rows and columns, in pixels."),
    ] = None,
    channel: Channel = None,
    page: Page = 0,
    linear: Annotated[
        str,
        typer.Option(
            help="Brightness solved along: auto, none, or gain, offset, slopes, quadratic joined "
            "by '+'. A phase image of unknown grey scale needs gain+offset+slopes."
        ),
    ] = "auto",
    optics: Annotated[
        Optics,
        typer.Option(
            help="uncertain: NA and aberrations vary within their tolerance. exact: as stated."
        ),
    ] = Optics.uncertain,
    seed: Seed = 0,
    max_iterations: Annotated[int, typer.Option(min=1, help="Most iterations of the search.")] = 40,
    as_json: Json = False,
) -> None:
    """Fit numbers of a scene to a micrograph, and say how well each is known.

    Prints every free number as value ± one standard deviation, what the image does not determine,
    and warnings. Writes fit.json, fit.csv, the fitted scene.yaml, model.tif and residual.tif to
    DIR. Ctrl-C stops the search and keeps the best so far.

    Example: osog fit bead.tif scene.yaml --free particles[0].x_um,particles[0].y_um --out run
    """
    from osog.cli import fitting
    from osog.fitting import fit as fit_image

    if out.exists() and not out.is_dir():
        raise CommandError(f"--out {out} is a file; give a folder.")
    described = load_scene(scene)
    names = tuple(name.strip() for name in free.split(",") if name.strip())
    if not names:
        raise CommandError("--free names no parameter, such as microscope.focus_um.")
    bounds = dict(fitting.parsed_bound(text) for text in bound or ())
    area = fitting.parsed_region(region)
    micrograph, notes = fitting.opened(image, described, channel, page)
    described = fitting.on_grid_of(micrograph, described, notes)
    with progress("Fitting …") as say, fitting.interruptible() as interrupted:
        result = fit_image(
            micrograph.image,
            described,
            names,
            bounds or None,
            callback=fitting.watcher(say, interrupted),
            seed=seed,
            start=start.value,
            linear=linear,
            optics=optics.value,
            region=area,
            max_iterations=max_iterations,
        )
    files = fitting.write_fit(result, out, described.grid.pixel_size_um)
    fitting.say_all(notes)
    for text in result.warnings:
        warn(text)
    if as_json:
        answer = result.to_dict()
        answer.pop("history")
        emit({"image": str(image), "notes": [text for _, text in notes], **answer, "files": files})
    else:
        fitting.show_fit(result, files)
    if interrupted():
        raise typer.Exit(INTERRUPTED)


@app.command()
def detect(
    image: ImageArgument,
    scene: SceneArgument,
    population: Annotated[
        str | None,
        typer.Option(help="Population to look for, by name; the first visible one if not given."),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Largest number of particles.")] = 1000,
    channel: Channel = None,
    page: Page = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the scene with the particles found."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Find the particles of a micrograph, clearest first.

    Templates of the scene's population are matched at several depths and sizes; the numbers are a
    start for 'osog fit', not measurements.

    Example: osog detect beads.tif beads-hologram --out start.yaml
    """
    from osog.cli import fitting
    from osog.detection import detect as find

    if out is not None and not out.absolute().parent.is_dir():
        raise CommandError(f"The folder '{out.parent}' does not exist.")
    described = load_scene(scene)
    micrograph, notes = fitting.opened(image, described, channel, page)
    described = fitting.on_grid_of(micrograph, described, notes)
    with progress(f"Searching {image} …"):
        found = find(micrograph.image, described, population=population, most=most)
    fitting.say_all(notes)
    listed = [particle.model_dump(exclude_unset=True, exclude_none=True) for particle in found]
    if out is not None:
        fitting.listing(described, population, found).save(out)
    if as_json:
        emit(
            {
                "image": str(image),
                "notes": [text for _, text in notes],
                "particles": listed,
                "out": str(out) if out is not None else None,
            }
        )
        return
    if not listed:
        show("No particle found.")
        return
    fields = [name for name in listed[0] if name != "orientation_deg"]
    turned = any("orientation_deg" in row for row in listed)
    columns: list[str | tuple[str, str]] = [("particle", "right")]
    columns += [(name, "right") for name in fields] + ([("azimuth_deg", "right")] if turned else [])
    rows = [
        [k, *(shorter(row[name]) for name in fields)]
        + ([shorter(row.get("orientation_deg", (0.0,))[0])] if turned else [])
        for k, row in enumerate(listed)
    ]
    show(table(columns, rows))
    if out is not None:
        show(str(out))


@app.command()
def presets(
    name: Annotated[
        str | None, typer.Argument(help="Preset to print as YAML; all are listed if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the scenes that come with OSOG, or print one of them as YAML to start from.

    Example: osog presets beads-hologram > scene.yaml
    """
    from osog import presets as stored

    if name is None:
        titles = {known: stored.title(known) for known in stored.names()}
        if as_json:
            emit([{"name": known, "title": title} for known, title in titles.items()])
        else:
            show(table(("preset", "what it shows"), titles.items()))
        return
    scene = stored.load(name)
    if as_json:
        emit({"name": name, "title": stored.title(name), "scene": scene.to_dict()})
    else:
        sys.stdout.write(stored.text(name))


@app.command()
def info(as_json: Json = False) -> None:
    """Say which device OSOG computes on, why a GPU is not used, and the versions of its parts."""
    from osog.cli.machine import machine

    answer = machine()
    if as_json:
        emit(answer)
        return
    gpu = answer["gpu"]
    rows = [
        ("Device", f"{answer['device']} ({answer['device_name']})"),
        ("GPU", ", ".join(gpu["found"]) if gpu["used"] else "not used"),
    ]
    rows += [] if gpu["used"] else [("", gpu["reason"])]
    rows += [("", gpu["hint"])] if gpu["hint"] else []
    plural = "" if answer["threads"] == 1 else "s"
    rows += [
        ("Threads", f"{answer['threads']} thread{plural} on {answer['cores']} cores"),
        ("Waiting", f"GOMP_SPINCOUNT={answer['spin_count'] or 'not set'}"),
        ("System", answer["platform"]),
    ]
    rows += [(name, version or "not installed") for name, version in answer["versions"].items()]
    show(table(("", ""), rows))


@app.command()
def schema(
    as_json: Annotated[bool, typer.Option("--json", help="Print it on one line.")] = False,
) -> None:
    """Print the JSON schema of the scene file, for editors and validators."""
    from osog.scene import Scene

    emit(Scene.model_json_schema(), indent=None if as_json else 1)


@app.command()
def bench(
    kind: Annotated[
        Bench | None,
        typer.Argument(
            help="render: crowded frames against a bare multislice. live: what dragging a slider "
            "costs. Both if not given."
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Repeats; the median is shown.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
    device: Device = "cpu",
    shapes: Annotated[
        bool, typer.Option("--shapes", help="render: also measure 1,000 bodies of every shape.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure how fast this machine renders.

    Times are medians. The ratios compare with a bare multislice of 30 slices (FFT, product, inverse
    FFT, product) of the same 1024 × 1024 frame, measured in turns with the frame itself.
    """
    from osog.cli import bench as measured

    answer: dict[str, Any] = {"threads": threads, "device": device}
    with progress("Measuring …") as say:
        if kind in (None, Bench.render):
            cases = [("sphere", 1000), ("sphere", 40000)]
            cases += (
                [(name, 1000) for name in measured.SHAPES if name != "sphere"] if shapes else []
            )
            answer["render"] = measured.render_cases(
                cases, repeats=repeats, device=device, threads=threads, said=say
            )
        if kind in (None, Bench.live):
            from osog import presets as stored

            answer["live"] = measured.live_cases(
                list(stored.names()), repeats=repeats, device=device, threads=threads, said=say
            )
    if as_json:
        rows = {
            k: [measured.as_dict(c) for c in answer[k]] for k in ("render", "live") if k in answer
        }
        emit({**answer, **rows})
        return
    if "render" in answer:
        show(measured.render_table(answer["render"]))
    if "live" in answer:
        show(measured.live_table(answer["live"]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process when left out.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(_run(given))


def _run(arguments: list[str]) -> int:
    try:
        code = app(arguments, prog_name="osog", standalone_mode=False)
    except Exception as error:
        if os.environ.get("OSOG_DEBUG"):
            raise
        kind, text, code = _diagnosis(error)
        return _fail(kind, text, code, "--json" in arguments)
    except KeyboardInterrupt:
        return _fail("interrupted", "Interrupted.", INTERRUPTED, "--json" in arguments)
    return code if isinstance(code, int) else 0


def _diagnosis(error: Exception) -> tuple[str, str, int]:
    """Kind, sentence and exit code of an error."""
    words = getattr(error, "format_message", None)
    if words is not None:  # an option or argument that typer refused
        return "usage", f"{words().rstrip('.')}. Try 'osog --help'.", BAD_INPUT
    if isinstance(error, typer.Abort):
        return "interrupted", "Interrupted.", INTERRUPTED
    if isinstance(error, CommandError | _input_errors()):
        return _KINDS.get(type(error).__name__, "input"), one_line(str(error)), BAD_INPUT
    if isinstance(error, OSError):
        where = f" '{error.filename}'" if error.filename is not None else ""
        return "file", f"The file{where} cannot be used: {error.strerror or error}.", BAD_INPUT
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        text = "There is not enough memory for this scene; use a smaller frame or accuracy draft."
        return "memory", text, FAILED
    text = one_line(f"OSOG failed: {type(error).__name__}: {error}")
    return "internal", f"{text} Set OSOG_DEBUG=1 to see where.", FAILED


_KINDS = {"SceneError": "scene", "FitError": "fit", "MicrographError": "image"}


def _input_errors() -> Any:
    """Error types of those parts of the engine that were used."""
    from osog.scene import SceneError

    found: Any = SceneError
    for module, name in (("osog.fitting.errors", "FitError"), ("osog.io", "MicrographError")):
        if module in sys.modules:
            found = found | getattr(sys.modules[module], name)
    return found


def _fail(kind: str, text: str, code: int, as_json: bool) -> int:
    sys.stderr.write(f"osog: {text}\n")
    if as_json:
        emit({"error": {"kind": kind, "message": text, "exit_code": code}})
    return code

"""The command ``guess``."""

from __future__ import annotations

from dataclasses import asdict

from osog.cli.console import emit, show, table
from osog.cli.options import Channel, ImageArgument, Json, Page


def guess(
    image: ImageArgument,
    channel: Channel = None,
    page: Page = 0,
    as_json: Json = False,
) -> None:
    """Guess the modality of a micrograph from the picture alone, with reasons.

    The likeliest comes first. Shares order the guesses and are no probabilities. For DIC the
    direction of the shear is told, for brightfield whether most bodies are in focus.

    Example: osog guess needles.png
    """
    from osog.cli.comparing import grey_or_colours
    from osog.cli.errors import CommandError
    from osog.cli.fitting import parsed_channel
    from osog.io import read_micrograph
    from osog.recognition import guess_modality

    wanted = parsed_channel(channel)
    if wanted is None and page == 0:
        _, picture = grey_or_colours(image)
    else:
        picture = read_micrograph(image, channel=wanted, page=page).image
    try:
        found = guess_modality(picture)
    except ValueError as error:
        raise CommandError(f"{image.name}: {error}") from None
    if as_json:
        emit({"image": str(image), "guesses": [asdict(each) for each in found]})
        return
    show(
        table(
            ("modality", ("share", "right"), "why"),
            [(each.title, f"{each.share:.2f}", each.reason) for each in found],
        )
    )

"""What was used last is kept, under the numbers that it was made of."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from osog.waves.recently_used import RecentlyUsed, numbers_in


def test_what_was_not_used_for_longest_is_dropped_first():
    made = []

    def make(name):
        return lambda: made.append(name) or name

    kept = RecentlyUsed(5, len)
    for name in ("aa", "bb", "aa", "cc", "aa", "bb"):
        assert kept.get(name, make(name)) == name
    assert made == ["aa", "bb", "cc", "bb"]
    assert kept.get("all-too-long", make("all-too-long")) == "all-too-long"
    kept.get("bb", make("bb"))
    assert made[-1] == "all-too-long"


@dataclass
class Lens:
    aperture: torch.Tensor
    terms: tuple = ()


def test_a_key_holds_numbers_and_their_type():
    number = torch.tensor(0.5, dtype=torch.float64)
    with torch.no_grad():
        key = numbers_in(Lens(number, ((4, number),)), None)
        assert key == numbers_in(Lens(number.clone(), ((4, number + 0),)), None)
        for other in (Lens(number + 1e-12, ((4, number),)), Lens(number.float(), ((4, number),))):
            assert numbers_in(other, None) != key
        assert numbers_in(Lens(number, ((5, number),)), None) != key


def test_nothing_that_is_followed_is_kept():
    number = torch.tensor(0.5)
    assert numbers_in(number) is None  # a history may be recorded of what is made with it
    with torch.no_grad():
        assert numbers_in(number) is not None
        assert numbers_in(Lens(number.clone().requires_grad_())) is None
        seen = []
        torch.func.jvp(lambda x: (seen.append(numbers_in(x)), x)[1], (number,), (number,))
        assert seen == [None]
    with torch.inference_mode():
        assert numbers_in(number) is None

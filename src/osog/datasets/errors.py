"""Errors of datasets."""


class DatasetError(ValueError):
    """A dataset that cannot be made or gone on with, in one sentence."""

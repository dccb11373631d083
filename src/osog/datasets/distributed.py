"""Shards made by other processes and machines, through dask.distributed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from osog.cancellation import raise_if_cancelled
from osog.datasets.errors import DatasetError
from osog.datasets.shards import make_shard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from osog.datasets.recipe import Recipe

_RETRIES = 3


def made_by_workers(
    recipe: Recipe,
    folder: Path,
    count: int,
    shards: list[int],
    workers: int,
    scheduler: str | None,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Make shards by dask workers; only their records travel.

    Parameters
    ----------
    recipe : Recipe
    folder : Path
        Which every worker must see under this name.
    count : int
        Samples of the whole dataset.
    shards : list of int
    workers : int
        Processes of a cluster on this machine, where there is no scheduler.
    scheduler : str or None
        Address such as ``tcp://host:8786``.

    Yields
    ------
    (int, dict)
        Shard and record, as they come. A worker that dies loses nothing: its shard is made again.

    Raises
    ------
    DatasetError
        If dask.distributed is not installed, or the scheduler does not answer.
    """
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise DatasetError(
            "several workers take dask.distributed: pip install 'napari-osog[distributed]'."
        ) from None
    from distributed import as_completed

    place = folder.absolute()
    with _client(min(workers, len(shards)), scheduler) as client:
        jobs = {
            client.submit(
                _one_threaded, recipe, place, count, k,
                key=f"osog-{recipe.key[:12]}-{count}-{k}", retries=_RETRIES, pure=False,
            ): k
            for k in shards
        }  # fmt: skip
        for job in as_completed(jobs):
            raise_if_cancelled()
            yield jobs[job], job.result()


def _one_threaded(recipe: Recipe, folder: Path, count: int, shard: int) -> dict[str, Any]:
    import torch

    # Processes share the machine: threads of torch beside them only wait for each other.
    torch.set_num_threads(1)
    return make_shard(recipe, folder, count, shard)


@contextmanager
def _client(workers: int, scheduler: str | None) -> Iterator[Any]:
    import dask
    from distributed import Client, LocalCluster

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout="20s")
        except (OSError, ValueError) as error:
            raise DatasetError(f"scheduler = '{scheduler}' does not answer: {error}.") from None
        with client:
            yield client
        return
    # The profiler of the workers keeps the stacks of their last thousand seconds: 0.2 MB a frame.
    with dask.config.set({"distributed.worker.profile.enabled": False}):
        cluster = LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0"
        )
    with cluster, Client(cluster) as client:
        yield client

"""Keeping reports in a folder below NEPHOSCOPE_REPORTS_DIR: all files of a run appear together, the oldest runs go.

Everything is opened relative to its parent and never through a symbolic link, so that nothing lands elsewhere, whatever
somebody puts into the folder meanwhile.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW

MAKING = ".making-"
"""How a run's folder is called until all files are in it."""


@contextmanager
def _opened(path: str | Path, inside: int | None = None, *, make: bool = False) -> Iterator[int]:
    if make:
        with suppress(FileExistsError):
            os.mkdir(path, 0o750, dir_fd=inside)
    # The root is the operator's, who may have put a link there; what is below is not followed.
    number = os.open(path, _DIRECTORY if inside is not None else os.O_RDONLY | os.O_DIRECTORY, dir_fd=inside)
    try:
        yield number
    finally:
        os.close(number)


def store(root: Path, folder: str, name: str, files: Iterable[Path], *, most: int, ours: re.Pattern[str]) -> None:
    """Copy the files into ``root/folder/name`` and leave the newest ``most`` of the runs whose names are ``ours``.

    Names of runs end with a number that counts up.

    :raises OSError: it cannot be written, or the folder is a link or no folder.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _opened(root) as top, _opened(folder, top, make=True) as place:
        making = MAKING + name
        try:
            with _opened(making, place, make=True) as run:
                for file in files:
                    number = os.open(file.name, _NEW, 0o640, dir_fd=run)
                    with file.open("rb") as source, os.fdopen(number, "wb") as copy:
                        shutil.copyfileobj(source, copy)
                        copy.flush()
                        os.fsync(number)
            os.rename(making, name, src_dir_fd=place, dst_dir_fd=place)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True, dir_fd=place)
            raise
        names = os.listdir(place)  # noqa: PTH208 - pathlib knows no descriptors
        known = [each for each in names if ours.fullmatch(each.removeprefix(MAKING))]
        whole = [each for each in known if not each.startswith(MAKING)]
        newest = sorted(whole, key=lambda each: int(each.rpartition("-")[2]))[-most:]
        for each in {*known} - {*newest}:
            shutil.rmtree(each, ignore_errors=True, dir_fd=place)

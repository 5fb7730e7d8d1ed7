"""A Python that lacks some of the packages that are installed here."""

from importlib.metadata import distribution
from pathlib import Path


def site_without(missing: tuple[str, ...], folder: Path) -> Path:
    """Link to everything that is installed, but for some packages: the place of site-packages, for `python -S`."""
    folder.mkdir()
    for place in {Path(str(distribution(name).locate_file(""))).resolve() for name in ("gridsearch", "ray")}:
        for entry in place.iterdir():
            link = folder / entry.name
            if not (entry.name.startswith(missing) or entry.suffix == ".pth" or link.is_symlink()):
                link.symlink_to(entry)
    return folder

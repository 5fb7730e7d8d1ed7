"""The packages that gridsearch asks for, beside those that are installed; and what torch says of itself."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires

from gridsearch.errors import first_line
from gridsearch.installed import installed_version


@dataclass(frozen=True)
class Package:
    """A package with its installed version (empty without one), and what gridsearch needs of it, such as ``>=2.6``."""

    name: str
    version: str
    needs: str
    suits: bool


def packages() -> list[Package]:
    """Compare what is installed with what gridsearch declares; nothing where gridsearch itself is not installed."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return [Package("packaging", "", "", False)]
    try:
        declared = [Requirement(text) for text in requires("gridsearch") or ()]
    except PackageNotFoundError:
        return []
    wanted = [one for one in declared if one.marker is None or one.marker.evaluate({"extra": ""})]
    found = [(one, installed_version(one.name)) for one in wanted]
    return [
        Package(one.name, has, str(one.specifier), bool(has) and one.specifier.contains(has, prereleases=True))
        for one, has in found
    ]


PROCESSORS = "processors alone"


@dataclass(frozen=True)
class Torch:
    """What torch was built for (``CUDA 12.8``, ``processors``), its architectures, or why it cannot be imported."""

    built_for: str
    architectures: list[str]
    fault: str


def torch_build() -> Torch:
    """Import torch, which takes seconds and makes no context on a GPU."""
    try:
        import torch
    except Exception as error:  # a library that lacks, a build for another processor: what is raised differs
        return Torch("", [], first_line(error))
    names = {"CUDA": torch.version.cuda, "ROCm": torch.version.hip}
    built_for = next((f"{name} {version}" for name, version in names.items() if version), PROCESSORS)
    return Torch(built_for, torch.cuda.get_arch_list(), "")

"""The tensors of an encoder's weights, by name. No code in a file is run, and nothing is copied before it is needed."""

import contextlib
import pickletools
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gridsearch.encoders.checkpoint.text_files import head_of, json_in, read_text_file, refuse_stand_in
from gridsearch.errors import RequestError

if TYPE_CHECKING:
    from torch import Tensor

INDEX = ".index.json"
WEIGHTS = (
    "model.safetensors",
    f"model.safetensors{INDEX}",
    "pytorch_model.bin",
    f"pytorch_model.bin{INDEX}",
)
"""What weights are called, the first that is there counts; an index names the files that have them in pieces."""
_ARCHIVE, _PICKLE = b"PK\x03\x04", b"\x80"
_OF_WEIGHTS = ("torch.", "collections.OrderedDict")
"""How the names of those classes begin that a pickle of weights alone needs."""


def weights_file(folder: Path) -> Path:
    """Return the file, or the index of files, that holds the weights."""
    return next(folder / name for name in WEIGHTS if (folder / name).is_file())


def shards_of(weights: Path) -> list[Path]:
    """Return the files that an index names, in alphabetical order; none for weights in one file.

    Raises RequestError for an index that names files that are not there.
    """
    if not weights.name.endswith(INDEX):
        return []
    of_names = json_in(read_text_file(weights), weights).get("weight_map")
    if not isinstance(of_names, dict) or not of_names or not all(_is_beside(name) for name in of_names.values()):
        raise RequestError(f"{weights} does not say which files the weights are in: download it again")
    names = sorted(set(of_names.values()))
    lacking = [name for name in names if not (weights.parent / name).is_file()]
    if lacking:
        raise RequestError(
            f"{weights.parent} lacks {', '.join(lacking)}, of {len(names)} files of weights that {weights.name} names: "
            "download what is missing"
        )
    return [weights.parent / name for name in names]


def _is_beside(name: object) -> bool:
    return isinstance(name, str) and Path(name).name == name


def read_tensors(folder: Path) -> dict[str, "Tensor"]:
    """Map the names of all tensors in a folder's weights to them; their numbers stay in the files until they are used.

    Names of tensors in nested dictionaries are joined by dots. Raises RequestError for what is no whole set of weights.
    """
    weights = weights_file(folder)
    found: dict[str, Tensor] = {}
    for path in shards_of(weights) or [weights]:
        head = head_of(path)
        refuse_stand_in(path, head, "the weights")
        found |= _of_safetensors(path) if path.suffix == ".safetensors" else _of_torch(path, head)
    if not found:
        raise RequestError(f"{weights} holds no weights: take the file that the encoder was published with")
    return found


def _of_safetensors(path: Path) -> dict[str, "Tensor"]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    _refuse_cut_off(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError):
        raise RequestError(f"{path} is damaged, or no safetensors file: download it again") from None


def _refuse_cut_off(path: Path) -> None:
    """Raise RequestError where the header, before which stand 8 bytes of its length, promises more than is there."""
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        n_header = int.from_bytes(file.read(8), "little")
        if 8 + n_header > n_bytes:
            if n_header < 2**32 and file.read(1) == b"{":
                raise RequestError(f"{path} is cut off within its header: download it again")
            raise RequestError(f"{path} is no safetensors file: download it again")
        header = file.read(n_header)
    try:
        entries = json_in(header.decode(), path)
        ends = [entry["data_offsets"][1] for name, entry in entries.items() if name != "__metadata__"]
        n_needed = 8 + n_header + max(ends, default=0)
    except (RequestError, ValueError, KeyError, TypeError, IndexError):
        raise RequestError(f"{path} is no safetensors file: download it again") from None
    if n_bytes < n_needed:
        raise RequestError(f"{path} is cut off: {n_bytes:,} of {n_needed:,} bytes are there; download it again")


def _of_torch(path: Path, head: bytes) -> dict[str, "Tensor"]:
    import torch

    is_archive = zipfile.is_zipfile(path)
    if not is_archive and head.startswith(_ARCHIVE):
        raise RequestError(f"{path} is cut off, or damaged: download it again")
    if not is_archive and not head.startswith(_PICKLE):
        raise RequestError(f"{path} is no file that torch wrote: download it again")
    try:
        with warnings.catch_warnings(action="ignore"):  # about how the file was pickled, which is told below
            content = torch.load(path, map_location="cpu", mmap=True if is_archive else None, weights_only=True)
    except Exception:  # torch has a kind of error for each way in which a file may be broken
        if objects := _objects_in(path, is_archive=is_archive):
            raise RequestError(
                f"{path} is a pickled model, or has other objects in it ({objects[0]}), not a state_dict; to load it "
                "is to run code, which is not done: write model.state_dict() with torch.save, where that code is"
            ) from None
        raise RequestError(f"{path} is damaged, or cut off: download it again") from None
    return dict(_flattened(content))


def _objects_in(path: Path, *, is_archive: bool) -> list[str]:
    """Name the classes and functions that a pickle would have to run, beyond what weights need."""
    from torch.serialization import get_unsafe_globals_in_checkpoint

    if is_archive:
        try:
            return sorted(get_unsafe_globals_in_checkpoint(path))
        except Exception:  # an archive of another make
            return []
    with path.open("rb") as file:
        return sorted({name for name in _named_in(file) if not name.startswith(_OF_WEIGHTS)})


def _named_in(file: IO[bytes]) -> Iterator[str]:
    """Yield the names of classes and functions in the pickles of a file, one after the other, of which none is run.

    torch before 1.6 wrote a magic number, a version, facts of the system, then the weights; pickle alone writes one.
    """
    text = ""
    with contextlib.suppress(Exception):  # the file ends, or is damaged from here on
        for _ in range(4):
            for code, value, _ in pickletools.genops(file):
                if code.name == "GLOBAL":
                    yield str(value).replace(" ", ".")
                elif code.name == "STACK_GLOBAL":
                    yield text
                elif isinstance(value, str):
                    text = value


def _flattened(content: Any, prefix: str = "") -> Iterator[tuple[str, "Tensor"]]:
    """Yield the tensors of nested dictionaries, such as {"state_dict": {...}}."""
    import torch

    if isinstance(content, torch.Tensor):
        yield prefix, content
    elif isinstance(content, Mapping):
        for name, inner in content.items():
            yield from _flattened(inner, f"{prefix}.{name}" if prefix else str(name))

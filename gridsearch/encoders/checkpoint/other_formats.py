"""What a path or a folder is that is no encoder's folder: said with the way from there to one."""

import json
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from gridsearch.encoders.checkpoint.config import CONFIG
from gridsearch.encoders.checkpoint.tensors import WEIGHTS
from gridsearch.errors import RequestError

_CONVERTED = {
    "tf_model.h5": ("TensorFlow", "AutoModel.from_pretrained('{folder}', from_tf=True).save_pretrained('{folder}')"),
    "flax_model.msgpack": ("Flax", "AutoModel.from_pretrained('{folder}', from_flax=True).save_pretrained('{folder}')"),
    "*.ckpt*.index": (
        "TensorFlow",
        "transformers-cli convert --model_type bert --tf_checkpoint {stem} --config {folder}/bert_config.json "
        "--pytorch_dump_output {folder}/pytorch_model.bin",
    ),
}
"""Weights that version 4 of transformers converts, of which program they are, and how."""
_OF_OTHER_PROGRAMS = {
    "*.gguf": "GGUF (for llama.cpp)",
    "*.onnx": "ONNX",
    "onnx/*.onnx": "ONNX",
    "*.tflite": "TFLite",
    "openvino_model.*": "OpenVINO",
    "rust_model.ot": "rust-bert",
}
"""Weights that cannot be trained."""
_OF_TORCH = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")
_PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")


def refuse_file(path: Path, needed: str) -> None:
    """Raise RequestError for a file in place of a folder."""
    if path.suffix.lower() in _PACKED:
        raise RequestError(f"the encoder {path} is a packed file: unpack it, and name the folder")
    inside = f"; if it is one of these, name its folder, {path.parent}" if path.name in (CONFIG, *WEIGHTS) else ""
    raise RequestError(f"the encoder {path} is a file, but an encoder is a folder with {needed}{inside}")


def alike(folder: Path) -> str:
    """Return a hint at a folder beside of nearly the same name; empty without one."""
    try:
        beside = [path.name for path in folder.parent.iterdir() if (path / CONFIG).is_file()]
    except OSError:
        return ""
    near = get_close_matches(folder.name, beside, n=1, cutoff=0.75)
    return f" (did you mean the folder {folder.parent / near[0]}?)" if near else ""


def _broken_link(folder: Path) -> str | None:
    broken = next((path for path in sorted(folder.iterdir()) if path.is_symlink() and not path.exists()), None)
    if broken is None:
        return None
    return f"{broken} is a link to {broken.readlink()}, which is not there: copy the file itself"


def _adapter(folder: Path) -> str | None:
    if not (folder / "adapter_config.json").is_file():
        return None
    base = _read(folder / "adapter_config.json").get("base_model_name_or_path")
    of = f" of {base}" if base else ""
    return (
        f"{folder} is an adapter{of} (LoRA or its like), no whole encoder: load it with peft on that encoder, and save "
        "merge_and_unload() as a folder"
    )


def _in_subfolder(folder: Path) -> str | None:
    """A folder of sentence-transformers keeps its encoder in a folder inside; other folders may have one, too."""
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and (path / CONFIG).is_file()]
    inside = [path for path in inside if any((path / name).is_file() for name in WEIGHTS)]
    if (folder / CONFIG).is_file() or not inside:
        return None
    what = "is a sentence-transformers folder, whose" if (folder / "modules.json").is_file() else "is no encoder; an"
    return f"{folder} {what} encoder lies in {inside[0]}: name that folder"


def _other_weights(folder: Path) -> str | None:
    if any((folder / name).is_file() for name in WEIGHTS):
        return None
    for pattern, (program, how) in _CONVERTED.items():
        if found := next(folder.glob(pattern), None):
            converting = how.format(folder=folder, stem=found.with_suffix(""))
            return (
                f"{folder} has weights for {program} alone ({found.name}); where transformers 4 and {program} are "
                f"installed, this converts them: {converting}"
            )
    for pattern, program in _OF_OTHER_PROGRAMS.items():
        if found := next(folder.glob(pattern), None):
            return (
                f"{folder} has weights in the format {program} alone ({found.name}), which cannot be trained: take the "
                "encoder's model.safetensors or pytorch_model.bin"
            )
    return None


def _other_names(folder: Path) -> str | None:
    """Name files that may be what is lacking, under a name that nobody looks for."""
    found = list(_misnamed(folder))
    return f"the encoder folder {folder} lacks {found[0]}" if found else None


def _misnamed(folder: Path) -> Iterator[str]:
    if not (folder / CONFIG).is_file() and (folder / "bert_config.json").is_file():
        yield f'{CONFIG}: if bert_config.json is the encoder\'s, rename it, and write "model_type": "bert" into it'
    if not any((folder / name).is_file() for name in WEIGHTS):
        others = [path.name for path in sorted(folder.iterdir()) if path.suffix in _OF_TORCH and path.is_file()]
        if others:
            right = "model.safetensors" if others[0].endswith(".safetensors") else "pytorch_model.bin"
            yield f"model.safetensors or pytorch_model.bin: if {others[0]} holds its weights, rename it to {right}"


def _read(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


_REASONS = (_broken_link, _adapter, _in_subfolder, _other_weights, _other_names)


def why_no_encoder(folder: Path) -> str | None:
    """Say what a folder that lacks files of an encoder is instead; None where that is not known."""
    if not folder.is_dir():
        return None
    return next(filter(None, (reason(folder) for reason in _REASONS)), None)

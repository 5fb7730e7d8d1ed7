"""All that loading an encoder would find wrong with its files, found beforehand; of the same files once a machine."""

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gridsearch.cache import cache_folder, keep, kept
from gridsearch.canonical import fingerprint
from gridsearch.encoders.checkpoint.anatomy import Anatomy, anatomy_of
from gridsearch.encoders.checkpoint.casing import casing_note
from gridsearch.encoders.checkpoint.tensors import read_tensors
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer, tokenizer_files
from gridsearch.encoders.families import Family, family_in, family_name
from gridsearch.errors import about

VERSION = 1
"""Of what is looked at: raise it with whatever may find something new in files that were in order."""
_LIBRARIES = ("torch", "transformers", "tokenizers")


@dataclass(frozen=True)
class Inspection:
    """What was found in files that are in order: ``notes`` are sentences that whoever reads results has to know."""

    pooler_is_pretrained: bool
    has_mask_token: bool
    notes: tuple[str, ...]


def inspect(folder: Path, config: Mapping[str, Any], checksums: Mapping[str, str], called: str) -> Inspection:
    """Look at the files of an encoder, which is ``called`` so in sentences; ``checksums`` are those of its files.

    Raises RequestError for what no trial could start from. Libraries are loaded only for files that are new here.
    """
    versions = {name: version(name) for name in _LIBRARIES}
    key = fingerprint({"files": dict(checksums), "called": called, "versions": versions, "version": VERSION})
    place = cache_folder() / "inspected" / f"{key}.json"
    with contextlib.suppress(KeyError, TypeError):
        known = kept(place)
        return Inspection(**{**known, "notes": tuple(known["notes"])})
    found = _inspected(folder, config, called)
    keep(place, asdict(found))
    return found


def _inspected(folder: Path, config: Mapping[str, Any], called: str) -> Inspection:
    anatomy = anatomy_of(read_tensors(folder), config, folder)
    files = tokenizer_files(folder)
    with about(f"the encoder in {folder}"):
        tokenizer = build_tokenizer(files)
    of_family = _tried_note(anatomy, config, folder, called, tokenizer.pad_token_id)
    notes = (of_family, _unused_note(anatomy, called), casing_note(tokenizer, called))
    has_pooler = any(name.startswith("pooler.") for name in anatomy.tensors)
    return Inspection(has_pooler, tokenizer.mask_token_id is not None, tuple(note for note in notes if note))


def _tried_note(anatomy: Anatomy, config: Mapping[str, Any], folder: Path, called: str, pad_id: int) -> str:
    """Say that a family is not known, after the encoder has been run; RequestError where it is unlike an encoder."""
    family = family_in(config, folder)
    if family.is_known:
        return ""
    from gridsearch.encoders.load import weights_of
    from gridsearch.encoders.unknown.tried import refuse_unlike_an_encoder

    refuse_unlike_an_encoder(weights_of(anatomy, config, folder, ""), pad_id, f"the encoder in {folder}")
    return unknown_note(called, family_name(config), family)


def unknown_note(called: str, name: str, family: Family) -> str:
    """Say how the parts of an encoder of no known family were found."""
    return (
        f"the family of {called}, {name}, is not known here: which of its weights are embeddings ({family.embeddings}) "
        f"and layers ({family.layers}) was found by looking at it and running it, and no trick has been tried on it"
    )


def _unused_note(anatomy: Anatomy, called: str) -> str:
    """Say what stands in the encoder and is left out, because its config has no place for it."""
    if not anatomy.unused:
        return ""
    return (
        f"of the weights of {called}, {len(anatomy.unused)} inside the encoder are left out, because its config.json "
        f"has no place for them ({anatomy.unused[0]})"
    )

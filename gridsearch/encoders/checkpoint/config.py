"""``config.json`` of an encoder: read, made into transformers' config, and refused where it describes none."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridsearch.encoders.checkpoint.text_files import json_in, read_text_file
from gridsearch.encoders.families import FAMILIES, family_name
from gridsearch.errors import RequestError, first_line

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

CONFIG = "config.json"
_MODEL_CODE = ("AutoModel", "AutoModelForMaskedLM", "AutoModelForPreTraining")


def read_config(folder: Path) -> dict[str, Any]:
    """Read ``config.json`` of an encoder's folder; a NEZHA says so in it from here on.

    Raises RequestError for one that is not there, cannot be read, or says that the weights are not to be trained as
    they are.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise RequestError(f"the encoder folder {folder} lacks {CONFIG}")
    config = json_in(read_text_file(path), path)
    if family_name(config) == "nezha":
        config["model_type"] = "nezha"
    _refuse_unfit(config, path)
    return config


def _refuse_unfit(config: Mapping[str, Any], path: Path) -> None:
    if not config.get("model_type"):
        raise RequestError(
            f'{path} does not say what family the encoder is of: write "model_type": "bert" into it, or what it is of: '
            f"{', '.join(FAMILIES)}"
        )
    if config.get("quantization_config"):
        raise RequestError(f"{path} has a quantization_config: quantised weights cannot be trained; take the original")
    own_code = config.get("auto_map")
    named = [own_code[name] for name in _MODEL_CODE if name in own_code] if isinstance(own_code, dict) else []
    if named:
        raise RequestError(
            f"{path} names Python code that comes with the encoder (auto_map: {named[0]}), which is not run here; if "
            f"it computes as any {config['model_type']} does, take auto_map out of {CONFIG}"
        )
    if config.get("is_decoder") or config.get("add_cross_attention") or config.get("is_encoder_decoder"):
        raise RequestError(f"{path} describes a decoder, which does not read whole texts: take an encoder")


def model_config(settings: Mapping[str, Any]) -> "PreTrainedConfig":
    """Make transformers' config from the settings of a ``config.json``."""
    from transformers import AutoConfig

    family = FAMILIES.get(settings["model_type"])
    if family is not None and family.own_code:
        import_module(family.own_code)
    others = {key: value for key, value in settings.items() if key != "model_type"}
    others |= family.settings if family is not None else {}
    config: PreTrainedConfig = AutoConfig.for_model(settings["model_type"], **others)
    return config


def empty_model(kind: Any, settings: Mapping[str, Any], where: object) -> "PreTrainedModel":
    """Make a model of one of transformers' auto classes, without any numbers: names and shapes alone.

    Raises RequestError, saying ``where`` the config is, for settings that make none.
    """
    import torch

    try:
        with torch.device("meta"):
            model: PreTrainedModel = kind.from_config(model_config(settings), dtype=torch.float32)
    except RequestError:
        raise
    except Exception as error:  # whatever a setting breaks, in whichever library
        found = _wrong_setting(settings) or f"something is wrong in it ({first_line(error)})"
        what = f"{CONFIG} describes no {settings['model_type']} that can be built"
        raise RequestError(f"{where}: {what}: {found}; mend it, or download it again") from None
    return model


def _wrong_setting(settings: Mapping[str, Any]) -> str | None:
    """Say which setting makes no model, as far as it can be known; types are those of the family's own defaults."""
    from transformers import AutoConfig
    from transformers.activations import ACT2FN

    default = AutoConfig.for_model(settings["model_type"])
    for key, value in settings.items():
        usual = getattr(default, key, None)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(usual, bool) or (value is None and key.endswith("_token_id")):
            continue
        if isinstance(usual, int) and not (is_number and isinstance(value, int)):
            return f"{key} must be a whole number, but is {value!r}"
        if isinstance(usual, int | float) and not is_number:
            return f"{key} must be a number, but is {value!r}"
        if isinstance(usual, int) and usual > 0 and value < 1 and not key.endswith("_token_id"):
            return f"{key} must be 1 or more, but is {value}"
        if isinstance(usual, str) and usual in ACT2FN and not (isinstance(value, str) and value in ACT2FN):
            return f"{key} = {value!r} is no activation that is known"
    asked = {name: settings.get(key, getattr(default, name)) for key, name in _keys(default).items()}
    if asked["hidden_size"] % asked["num_attention_heads"]:
        both = f"{asked['hidden_size']} and {asked['num_attention_heads']}"
        return f"the width must be a multiple of the number of attention heads, but they are {both}"
    n_tokens, padding = settings.get("vocab_size", default.vocab_size), settings.get("pad_token_id")
    if padding is not None and not -n_tokens <= padding < n_tokens:
        return f"pad_token_id must be that of one of {n_tokens} tokens, but is {padding}"
    return None


def _keys(default: "PreTrainedConfig") -> dict[str, str]:
    """Map what a family calls its width and its heads to what others call them."""
    return {default.attribute_map.get(name, name): name for name in ("hidden_size", "num_attention_heads")}

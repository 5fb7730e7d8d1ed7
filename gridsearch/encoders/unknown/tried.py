"""An encoder of a family that is not known here, held against what training takes for granted of every encoder."""

from typing import TYPE_CHECKING, Any

from gridsearch.errors import RequestError, first_line

if TYPE_CHECKING:
    from torch import Tensor

    from gridsearch.encoders.load import EncoderWeights

N_TOKENS, N_PADDING = 9, 7
CLOSE = 1e-3
"""Of states that should be the same, beside their spread: sums over padding are rounded in another order."""


def refuse_unlike_an_encoder(encoder: "EncoderWeights", pad_id: int, where: str) -> None:
    """Run it, and raise RequestError where it is not what its parts look like."""
    import torch

    from gridsearch.encoders.load import build_model

    model = build_model(encoder, None).eval()
    n_words = model.get_input_embeddings().num_embeddings
    row = (torch.arange(N_TOKENS) * 7 + 5) % n_words
    row[row == pad_id] = (pad_id + 1) % n_words
    other_end = row.clone()
    other_end[-1] = (row[-1] + 1 + (row[-1] + 1 == pad_id)) % n_words
    try:
        with torch.inference_mode():
            fault = _fault(model, row, other_end, pad_id)
    except RequestError:
        raise
    except Exception as error:  # the code of any family
        fault = f"it cannot be run ({first_line(error)})"
    if fault:
        raise RequestError(f"{where} is of a family that is not known here, {model.config.model_type}, and {fault}")


def _fault(model: Any, row: "Tensor", other_end: "Tensor", pad_id: int) -> str:
    import torch

    from gridsearch.encoders import surgery

    seen: list[Tensor] = []
    handle = surgery.input_module(model).register_forward_hook(lambda module, given, output: seen.append(output))
    rows = torch.nn.functional.pad(torch.stack([row, other_end]), (0, N_PADDING), value=pad_id)
    mask = (torch.arange(rows.shape[1]) < N_TOKENS).long().expand_as(rows)
    padded = model(input_ids=rows, attention_mask=mask, output_hidden_states=True)
    handle.remove()
    states = padded.last_hidden_state
    alone = model(input_ids=row[None], attention_mask=torch.ones_like(row)[None]).last_hidden_state
    within = CLOSE * float(states.std())
    if len(padded.hidden_states) != len(surgery.layers(model)) + 1 or states.shape[:2] != rows.shape:
        return "it does not give the states of each of its layers"
    if not torch.equal(padded.hidden_states[-1], states):
        return "its last layer's states are not those that it gives"
    if len(seen) != 1 or not torch.equal(seen[0], padded.hidden_states[0]):
        return "something else than its embeddings lies below its first layer"
    if (states[0, :N_TOKENS] - alone[0]).abs().max() > within:
        return "padding changes the states of its tokens, so that a text's result would depend on its batch"
    if (states[0, 0] - states[1, 0]).abs().max() == 0:
        return "a token sees only those before it (causal): take an encoder"
    return ""

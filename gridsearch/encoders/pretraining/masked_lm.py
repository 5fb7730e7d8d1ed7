"""The model of a pretraining: an encoder, and on it the head with which its family was published."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from gridsearch.encoders import surgery
from gridsearch.encoders.checkpoint.config import CONFIG, model_config
from gridsearch.encoders.families import family_in, n_token_types, why_no_next_sentence
from gridsearch.encoders.inputs import mask_of
from gridsearch.encoders.load import EncoderWeights, build_model
from gridsearch.encoders.undrawn import empty
from gridsearch.encoders.unknown.found import family_of
from gridsearch.errors import GridSearchError, RequestError
from gridsearch.randomness import torch_stream

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class MaskedLM(nn.Module):
    """Logits of tokens and labels, and of whether two texts belong together. Heads that are new hold nothing yet.

    ``whole`` is the family's ``...ForMaskedLM``, in which the encoder stands: the modules of its head are used as they
    are, and its output layer is the table of word vectors where its config says so.

    Labels are tokens behind the vocabulary's ``n_tokens``, which no text holds: ``label_tokens`` are their rows of the
    output layer.
    """

    def __init__(self, whole: "PreTrainedModel", *, next_sentence: bool, n_labels: int = 0) -> None:
        super().__init__()
        self.encoder = cast("PreTrainedModel", whole.base_model)
        self.family = family_of(self.encoder)
        self.prefix, self.architecture = whole.base_model_prefix, type(whole).__name__
        self.head = nn.ModuleDict({name: whole.get_submodule(name) for name in self.family.head})
        output = cast(nn.Linear, whole.get_output_embeddings())
        self.n_tokens = output.out_features
        self.label_tokens = empty(lambda: nn.Linear(output.in_features, n_labels)) if n_labels else None
        if self.label_tokens is not None:
            output.register_forward_hook(self._with_labels)
        width = int(self.encoder.config.hidden_size)
        self.next_sentence = empty(lambda: nn.Linear(width, 2)) if next_sentence else None
        if self.family.has_pooler and not next_sentence:
            # Nothing reads it, so it has no gradient; keep it from being decayed.
            self.encoder.get_submodule("pooler").requires_grad_(False)

    @property
    def word_embeddings(self) -> nn.Embedding:
        """The table of token vectors."""
        return surgery.word_embeddings(self.encoder)

    def forward(self, inputs: dict[str, Tensor], positions: Tensor) -> Tensor:
        """Return logits (positions, vocabulary and labels), float32, of the tokens at some positions.

        ``inputs`` are what ``collate`` gives. ``positions``, int64, count through the rows laid end to end: token t of
        row r, of rows of n tokens, is r n + t. Only they go through the head.
        """
        return self._tokens(self._encode(inputs), positions)

    def both(self, inputs: dict[str, Tensor], positions: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of tokens, and those of pairs, (rows, 2), float32: 0 they belong together, 1 they do not.

        One pass of the encoder gives both.
        """
        assert self.next_sentence is not None, "the model was built without it"
        output = self._encode(inputs)
        together: Tensor = self.next_sentence(output.pooler_output)
        return self._tokens(output, positions), together.float()

    def labels(self, inputs: dict[str, Tensor]) -> Tensor:
        """Return logits (rows, labels), float32, of the labels at each row's first token."""
        n_rows, n_columns = inputs["input_ids"].shape
        firsts = torch.arange(0, n_rows * n_columns, n_columns, device=inputs["input_ids"].device)
        logits: Tensor = self(inputs, firsts)
        return logits[:, self.n_tokens :]

    def _with_labels(self, output: nn.Module, given: tuple[Tensor], logits: Tensor) -> Tensor:
        """Put the logits of labels behind those of the vocabulary."""
        assert self.label_tokens is not None
        return torch.cat([logits, self.label_tokens(given[0])], dim=-1)

    def published(self) -> dict[str, nn.Parameter]:
        """Map names that transformers gives the parameters to them; one that serves twice has its first name alone.

        What a family has no published class for has no name.
        """
        names = {"encoder": self.prefix, "head": "", "next_sentence": self.family.next_sentence, "label_tokens": ""}
        found = {}
        for name, parameter in self.named_parameters():
            part, _, inner = name.partition(".")
            if part == "head" or names[part]:
                found[f"{names[part]}.{inner}".removeprefix(".")] = parameter
        return found

    def _encode(self, inputs: dict[str, Tensor]) -> Any:
        if self.family.needs_mask:
            inputs = {**inputs, "attention_mask": mask_of(inputs)}
        return self.encoder(**inputs)

    def _tokens(self, output: Any, positions: Tensor) -> Tensor:
        states: Tensor = output.last_hidden_state.flatten(0, 1).index_select(0, positions)
        for part in self.head.values():
            states = part(states)
        return states.float()


def build_masked_lm(
    base: EncoderWeights, *, dropout: float | None, next_sentence: bool, seed: int, n_labels: int = 0
) -> MaskedLM:
    """Load the encoder and what is published of its head; draw the rest as BERT's was, each from its own stream.

    ``dropout`` replaces that of the encoder's config. Raises RequestError for a next sentence that cannot be told.
    """
    family, name = family_in(base.config, CONFIG), base.config["model_type"]
    reason = why_no_next_sentence(name, family.has_pooler, n_token_types(base.config, CONFIG))
    if next_sentence and reason:
        raise RequestError(reason)
    encoder = build_model(base, dropout)
    standard_deviation = float(getattr(encoder.config, "initializer_range", 0.02))
    if base.missing:
        surgery.reinit_pooler(encoder, standard_deviation, seed)
    whole = around(encoder, base.config)
    head_stream = torch_stream(seed, "mlm head")
    for name in family.head:
        surgery.draw(whole.get_submodule(name).to_empty(device="cpu"), standard_deviation, head_stream)
    whole.tie_weights()  # after all is drawn: from here on the output layer is the encoder's
    _require_tied(whole, encoder)
    model = MaskedLM(whole, next_sentence=next_sentence, n_labels=n_labels)
    if model.label_tokens is not None:
        surgery.draw(model.label_tokens, standard_deviation, torch_stream(seed, "label tokens"))
    if model.next_sentence is not None:
        surgery.draw(model.next_sentence, standard_deviation, torch_stream(seed, "next sentence head"))
    with torch.no_grad():
        for name, parameter in model.published().items():
            if name in base.head:
                parameter.copy_(torch.tensor(base.head[name]))
    return model


def _require_tied(whole: "PreTrainedModel", encoder: "PreTrainedModel") -> None:
    """Be sure of it: transformers has ways to switch tying off for a whole process, and would say nothing."""
    output = cast(Any, whole.get_output_embeddings())
    if whole.config.tie_word_embeddings and output.weight is not surgery.word_embeddings(encoder).weight:
        raise GridSearchError("the output layer of the pretraining is not the table of word vectors that it should be")


def around(encoder: "PreTrainedModel", settings: Mapping[str, Any]) -> "PreTrainedModel":
    """Return the encoder in its family's ``...ForMaskedLM``; nothing else in it has values."""
    from transformers import AutoModelForMaskedLM

    config = model_config({**settings, **family_in(settings, CONFIG).head_settings})
    with torch.device("meta"):
        whole: PreTrainedModel = AutoModelForMaskedLM.from_config(config, dtype=torch.float32)
    setattr(whole, whole.base_model_prefix, encoder)
    return whole

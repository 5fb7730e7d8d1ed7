"""The model of a pretraining computes what transformers' class of its family does, at the places that are asked for."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, gelu, layer_norm
from transformers import AutoModel, AutoModelForMaskedLM, AutoModelForPreTraining, BertForNextSentencePrediction

from gridsearch.encoders import surgery
from gridsearch.encoders.classifier import build_classifier
from gridsearch.encoders.families import FAMILIES, why_no_next_sentence
from gridsearch.encoders.files import minilm_folder
from gridsearch.encoders.load import EncoderWeights
from gridsearch.encoders.pretraining.masked_lm import MaskedLM, build_masked_lm
from gridsearch.encoders.pretraining.published_head import read_base
from gridsearch.errors import GridSearchError, RequestError
from tests.encoders.masked_lm_folders import IDS, POSITIONS, at_positions, inputs_of, save_headed
from tests.fixtures_core import by_family, recipe_of

CLOSE: Mapping[str, float] = {"rtol": 0.0, "atol": 1e-6}
UNTIED = ("eurobert", "rembert")
"""Their output layer is a table of its own, unless a config says otherwise."""
PAIRS = ("bert", "ernie", "nezha")


def built(base: EncoderWeights, **settings: Any) -> MaskedLM:
    return build_masked_lm(base, **{"dropout": None, "next_sentence": False, "seed": 0, **settings}).eval()


def without_head(folder: Path, family: str, kind: Any = AutoModel) -> EncoderWeights:
    save_headed(folder, family, kind)
    return read_base(folder, "x")


def head_of(model: MaskedLM) -> dict[str, Tensor]:
    return {name: p for name, p in model.published().items() if not name.startswith(f"{model.prefix}.")}


@pytest.mark.parametrize("family", by_family())
def test_logits_are_those_of_transformers(tmp_path: Path, family: str) -> None:
    theirs = save_headed(tmp_path, family, AutoModelForMaskedLM)
    inputs = inputs_of(theirs)
    mine = built(read_base(tmp_path, "x"))
    with torch.no_grad():
        if not FAMILIES[family].reads_padding:  # theirs does
            torch.testing.assert_close(mine(inputs, POSITIONS), at_positions(theirs(**inputs).logits), **CLOSE)
        expected = at_positions(theirs(IDS).logits)
        torch.testing.assert_close(mine({"input_ids": IDS}, POSITIONS), expected, **CLOSE)


def test_a_head_of_nezha_by_hand(tmp_path: Path) -> None:
    """Logits are LayerNorm(gelu(W h + b)) E' + c, with E the table of word vectors."""
    save_headed(tmp_path, "nezha", AutoModelForMaskedLM)
    mine = built(read_base(tmp_path, "x"))
    head = head_of(mine)
    part = "cls.predictions.transform"
    with torch.no_grad():
        states = at_positions(mine.encoder(IDS).last_hidden_state)
        inner = gelu(states @ head[f"{part}.dense.weight"].T + head[f"{part}.dense.bias"])
        normed = layer_norm(
            inner, inner.shape[1:], head[f"{part}.LayerNorm.weight"], head[f"{part}.LayerNorm.bias"], eps=1e-12
        )
        expected = normed @ mine.word_embeddings.weight.T + head["cls.predictions.bias"]
        torch.testing.assert_close(mine({"input_ids": IDS}, POSITIONS), expected, **CLOSE)


def test_only_the_asked_tokens_go_through_the_head(tmp_path: Path) -> None:
    mine = built(without_head(tmp_path, "bert"))
    shapes: list[tuple[int, ...]] = []
    mine.head["cls"].register_forward_hook(lambda module, given, logits: shapes.append(tuple(logits.shape)))
    mine({"input_ids": IDS}, POSITIONS)
    assert shapes == [(len(POSITIONS), mine.word_embeddings.num_embeddings)]


@pytest.mark.parametrize("family", by_family(family for family in FAMILIES if family not in UNTIED))
def test_the_table_is_one_parameter_in_two_roles(tmp_path: Path, family: str) -> None:
    """Its gradient is that of transformers' tied model, also at words that no input holds."""
    theirs = save_headed(tmp_path, family, AutoModelForMaskedLM)
    mine = built(read_base(tmp_path, "x"))
    n_rows = mine.word_embeddings.num_embeddings
    wide = [p for p in mine.parameters() if p.dim() == 2 and p.shape[0] == n_rows]
    assert len(wide) == 1
    n_mine, n_theirs = (
        sum(p.numel() for n, p in one.named_parameters() if ".pooler." not in n) for one in (mine, theirs)
    )
    assert n_mine == n_theirs
    labels = IDS.flatten()[POSITIONS]
    cross_entropy(mine({"input_ids": IDS}, POSITIONS), labels).backward()
    cross_entropy(at_positions(theirs(IDS).logits), labels).backward()
    gradient, expected = mine.word_embeddings.weight.grad, theirs.get_input_embeddings().weight.grad
    assert gradient is not None
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-6)
    unseen = torch.ones(n_rows, dtype=torch.bool)
    unseen[IDS.flatten()] = False
    assert gradient[unseen].abs().sum() > 0
    with torch.no_grad():
        before = mine({"input_ids": IDS}, POSITIONS)[:, 40]
        mine.word_embeddings.weight[40] += 1.0
        assert not torch.equal(mine({"input_ids": IDS}, POSITIONS)[:, 40], before)


@pytest.mark.parametrize("family", by_family())
def test_a_new_head_is_drawn_as_berts_was(tmp_path: Path, family: str) -> None:
    base = without_head(tmp_path, family)
    assert base.head == {}
    torch.manual_seed(1)
    mine = built(base)
    for name, parameter in head_of(mine).items():
        if name.endswith("bias"):
            assert parameter.eq(0).all(), name
        elif parameter.dim() == 1:
            assert parameter.eq(1).all(), name
        else:
            assert 0.015 < parameter.std() < 0.025, name
    torch.manual_seed(2)
    assert all(torch.equal(one, other) for one, other in zip(mine.parameters(), built(base).parameters(), strict=True))
    assert not all(
        torch.equal(one, other) for one, other in zip(mine.parameters(), built(base, seed=1).parameters(), strict=True)
    )
    assert torch.equal(mine.word_embeddings.weight, torch.tensor(base.state[f"{FAMILIES[family].words}.weight"]))


def test_a_discriminator_gets_a_new_head(tmp_path: Path) -> None:
    base = without_head(tmp_path, "electra", AutoModelForPreTraining)
    assert base.head == {}
    assert set(head_of(built(base))) == {
        "generator_lm_head.bias",
        *(f"generator_predictions.{part}.{kind}" for part in ("dense", "LayerNorm") for kind in ("weight", "bias")),
    }


def test_minilm_has_no_head() -> None:
    base = read_base(minilm_folder(), "x")
    assert (base.head, base.missing) == ({}, ())


def test_debertas_published_names(tmp_path: Path) -> None:
    """They are those of the class that a config asks for with legacy = false; it computes the same."""

    class Published:
        @staticmethod
        def from_config(config: Any) -> Any:
            config.legacy = False
            return AutoModelForMaskedLM.from_config(config)

    theirs = save_headed(tmp_path, "deberta-v2", Published)
    base = read_base(tmp_path, "x")
    assert {name.rpartition(".")[0] for name in base.head} == {
        "cls.predictions",
        "cls.predictions.transform.dense",
        "cls.predictions.transform.LayerNorm",
    }
    with torch.no_grad():
        expected = at_positions(theirs(IDS).logits)
        torch.testing.assert_close(built(base)({"input_ids": IDS}, POSITIONS), expected, **CLOSE)


def test_an_old_nezha(tmp_path: Path) -> None:
    """Its encoder is called bert, and its tables of distances are in the file."""
    theirs = save_headed(tmp_path, "nezha", AutoModelForPreTraining)
    state = {name.replace("nezha.", "bert."): tensor for name, tensor in theirs.state_dict().items()}
    state["bert.encoder.layer.0.attention.self.relative_positions_encoding.positions_encoding"] = torch.zeros(9, 9, 16)
    (tmp_path / "model.safetensors").unlink()
    torch.save(state, tmp_path / "pytorch_model.bin")
    base = read_base(tmp_path, "x")
    assert base.missing == ()
    with torch.no_grad():
        tokens, together = built(base, next_sentence=True).both({"input_ids": IDS}, POSITIONS)
        expected = theirs(IDS)
        torch.testing.assert_close(tokens, at_positions(expected.prediction_logits), **CLOSE)
        torch.testing.assert_close(together, expected.seq_relationship_logits, **CLOSE)


def test_an_output_layer_that_is_not_tied(tmp_path: Path) -> None:
    def untie(model: Any) -> None:
        model.config.tie_word_embeddings = False
        model.cls.predictions.decoder.weight = nn.Parameter(model.cls.predictions.decoder.weight.detach() + 1.0)
        model.cls.predictions.decoder.bias = nn.Parameter(model.cls.predictions.decoder.bias.detach() + 1.0)

    theirs = save_headed(tmp_path, "bert", AutoModelForMaskedLM, untie)
    with torch.no_grad():
        mine = built(read_base(tmp_path, "x"))({"input_ids": IDS}, POSITIONS)
        torch.testing.assert_close(mine, at_positions(theirs(IDS).logits), **CLOSE)


# --- the next sentence


@pytest.mark.parametrize("family", PAIRS)
def test_pairs_are_told_as_in_transformers(tmp_path: Path, family: str) -> None:
    theirs = save_headed(tmp_path, family, AutoModelForPreTraining)
    inputs, mine = inputs_of(theirs), built(read_base(tmp_path, "x"), next_sentence=True)
    passes: list[int] = []
    mine.encoder.register_forward_hook(lambda *_: passes.append(1))
    with torch.no_grad():
        tokens, together = mine.both(inputs, POSITIONS)
        expected = theirs(**inputs)
    assert len(passes) == 1
    torch.testing.assert_close(tokens, at_positions(expected.prediction_logits), **CLOSE)
    torch.testing.assert_close(together, expected.seq_relationship_logits, **CLOSE)


def test_pairs_are_told_as_in_the_class_for_them(tmp_path: Path) -> None:
    theirs = save_headed(tmp_path, "bert", AutoModelForPreTraining)
    alone = BertForNextSentencePrediction.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        _, together = built(read_base(tmp_path, "x"), next_sentence=True).both(inputs_of(theirs), POSITIONS)
        torch.testing.assert_close(together, alone(**inputs_of(theirs)).logits, **CLOSE)


def test_what_tells_pairs_is_drawn_where_it_is_new(tmp_path: Path) -> None:
    base = without_head(tmp_path, "albert")
    mine = built(base, next_sentence=True)
    assert mine.next_sentence is not None
    assert mine.next_sentence.bias.eq(0).all()
    assert 0.01 < mine.next_sentence.weight.std() < 0.03
    _, together = mine.both({"input_ids": IDS}, POSITIONS)
    assert together.shape == (3, 2)
    # Switching it on changes no other number.
    plain = built(base)
    assert all(torch.equal(p, mine.get_parameter(name)) for name, p in plain.named_parameters())


@pytest.mark.parametrize(
    ("family", "n_types", "reason"),
    [
        ("electra", 2, "has no pooler"),
        ("distilbert", 0, "has no pooler"),
        ("deberta-v2", 0, "has no pooler"),
        ("roberta", 1, "has no second segment"),
        ("xlm-roberta", 1, "has no second segment"),
        ("roberta", 2, None),
        ("bert", 2, None),
        ("ernie", 4, None),
        ("albert", 2, None),
        ("nezha", 2, None),
    ],
)
def test_who_cannot_tell_pairs(family: str, n_types: int, reason: str | None) -> None:
    said = why_no_next_sentence(family, FAMILIES[family].has_pooler, n_types)
    assert said is None if reason is None else reason in str(said)


@pytest.mark.parametrize("family", ["electra", "roberta"])
def test_pairs_that_cannot_be_told_are_refused(tmp_path: Path, family: str) -> None:
    with pytest.raises(RequestError, match="whether two texts belong together"):
        built(without_head(tmp_path, family), next_sentence=True)


# --- what is trained


@pytest.mark.parametrize("next_sentence", [False, True])
def test_a_pooler_is_trained_where_something_reads_it(tmp_path: Path, next_sentence: bool) -> None:
    mine = built(without_head(tmp_path, "bert"), next_sentence=next_sentence)
    still = {name for name, p in mine.named_parameters() if not p.requires_grad}
    poolers = {"encoder.pooler.dense.weight", "encoder.pooler.dense.bias"}
    assert still == (set() if next_sentence else poolers)
    tokens, together = mine.both({"input_ids": IDS}, POSITIONS) if next_sentence else (None, None)
    loss = mine({"input_ids": IDS}, POSITIONS).sum() if together is None else tokens.sum() + together.sum()
    loss.backward()
    assert {name for name, p in mine.named_parameters() if p.grad is None} == still


def test_a_missing_pooler_is_drawn_as_a_trial_draws_it(tmp_path: Path) -> None:
    save_headed(tmp_path, "bert", AutoModelForMaskedLM)
    base = read_base(tmp_path, "x")
    assert base.missing == ("pooler.dense.bias", "pooler.dense.weight")
    mine, trial = built(base, seed=3), build_classifier(recipe_of(pooling="pooler"), base, 2, seed=3)
    drawn = mine.encoder.get_parameter("pooler.dense.weight")
    assert torch.equal(drawn, trial.encoder.get_parameter("pooler.dense.weight"))


@pytest.mark.parametrize("family", by_family())
def test_dropout(tmp_path: Path, family: str) -> None:
    base = without_head(tmp_path, family)
    for given, expected in ((None, {0.1}), (0.0, {0.0}), (0.25, {0.25})):
        model = build_masked_lm(base, dropout=given, next_sentence=False, seed=0)
        own = {module.p for module in model.modules() if isinstance(module, nn.Dropout)}
        assert (
            own
            or {
                module.attention_dropout
                for module in surgery.layers(model.encoder)[0].children()
                if hasattr(module, "attention_dropout")
            }
        ) == expected


def test_logits_are_float32_in_half_precision(tmp_path: Path) -> None:
    mine = built(without_head(tmp_path, "bert"), next_sentence=True)
    with torch.autocast("cpu", torch.bfloat16):
        tokens, together = mine.both({"input_ids": IDS}, POSITIONS)
    assert tokens.dtype == together.dtype == torch.float32


def test_the_weights_in_memory_stay(tmp_path: Path) -> None:
    save_headed(tmp_path, "bert", AutoModelForMaskedLM)
    base = read_base(tmp_path, "x")
    frozen = {name: array.copy() for name, array in {**base.state, **base.head}.items()}
    for array in frozen.values():
        array.flags.writeable = False
    # As Ray hands them out.
    model = built(replace(base, state={n: frozen[n] for n in base.state}, head={n: frozen[n] for n in base.head}))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert all(np.array_equal(frozen[name], array) for name, array in {**base.state, **base.head}.items())


def test_tying_that_transformers_leaves_out_is_noticed(bert_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has ways to switch tying off for a whole process: an output layer of its own would be trained unseen."""
    base = read_base(bert_folder, "bert")
    monkeypatch.setattr("transformers.PreTrainedModel.tie_weights", lambda *_, **__: None)
    with pytest.raises(GridSearchError, match="is not the table of word vectors"):
        build_masked_lm(base, dropout=None, next_sentence=False, seed=0)

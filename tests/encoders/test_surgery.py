"""Draw anew, freeze: exactly what was asked, and nothing beside it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModel

from gridsearch.encoders import surgery
from gridsearch.encoders.classifier import Classifier, build_classifier
from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.load import EncoderWeights, build_model
from tests.fixtures_core import (
    N_LAYERS,
    QUICK_FAMILIES,
    bert_config,
    by_family,
    encoder_in,
    family_config,
    recipe_of,
    save_encoder,
    slow,
)

Parameters = dict[str, Tensor]


def parameters_of(model: nn.Module) -> Parameters:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def changed(before: Parameters, after: Parameters) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def frozen_in(model: nn.Module) -> set[str]:
    return {name for name, parameter in model.named_parameters() if not parameter.requires_grad}


def below(model: nn.Module, *prefixes: str) -> set[str]:
    return {name for name, _ in model.named_parameters() if name.startswith(prefixes)}


@pytest.fixture(scope="module")
def deep_encoder(tmp_path_factory: pytest.TempPathFactory, vocabulary: list[str]) -> EncoderWeights:
    """Return a BERT of 12 layers, so that layer.1 is the start of other names."""
    from transformers import BertModel

    model = BertModel(bert_config(len(vocabulary), num_hidden_layers=12, hidden_size=8, intermediate_size=8))
    return encoder_in(save_encoder(model, tmp_path_factory.mktemp("deep") / "bert", vocabulary))


@pytest.mark.parametrize("count", range(N_LAYERS + 1))
def test_exactly_the_top_layers_are_drawn(encoder: EncoderWeights, count: int) -> None:
    model = build_model(encoder, None)
    before = parameters_of(model)
    surgery.reinit_layers(model, count, 0.02, seed=0)
    drawn = tuple(f"encoder.layer.{index}." for index in range(N_LAYERS - count, N_LAYERS))
    assert changed(before, parameters_of(model)) == (below(model, *drawn) if drawn else set())


def test_drawn_layers_are_as_before_pretraining(encoder: EncoderWeights) -> None:
    model = build_model(encoder, None)
    surgery.reinit_layers(model, 2, 0.05, seed=0)
    for layer in surgery.layers(model)[-2:]:
        for module in layer.modules():
            if isinstance(module, nn.Linear):
                assert float(module.weight.detach().std()) == pytest.approx(0.05, rel=0.1)
                assert abs(float(module.weight.detach().mean())) < 0.005
                assert not module.bias.any()
            if isinstance(module, nn.LayerNorm):
                assert torch.equal(module.weight, torch.ones_like(module.weight))
                assert not module.bias.any()


def test_the_spread_is_the_initializer_range_of_the_config(encoder: EncoderWeights) -> None:
    assert encoder.config["initializer_range"] == 0.02
    model = build_classifier(recipe_of(reinit_layers=1), encoder, 3, seed=0)
    assert float(model.encoder.encoder.layer[-1].output.dense.weight.detach().std()) == pytest.approx(0.02, rel=0.1)


def test_a_layers_numbers_do_not_depend_on_how_many_are_drawn(encoder: EncoderWeights) -> None:
    def top_two(count: int) -> Parameters:
        model = build_model(encoder, None)
        surgery.reinit_layers(model, count, 0.02, seed=3)
        return parameters_of(surgery.layers(model)[-2:])

    assert changed(top_two(2), top_two(4)) == set()


def test_no_two_drawn_layers_are_alike(encoder: EncoderWeights) -> None:
    model = build_model(encoder, None)
    surgery.reinit_layers(model, 2, 0.02, seed=0)
    third, fourth = (layer.output.dense.weight for layer in surgery.layers(model)[-2:])
    assert not torch.equal(third, fourth)


@pytest.mark.parametrize("draw", [surgery.reinit_pooler, lambda m, s, seed: surgery.reinit_layers(m, 1, s, seed)])
def test_the_seed_decides_what_is_drawn(encoder: EncoderWeights, draw: Callable[..., None]) -> None:
    def drawn(seed: int) -> Parameters:
        model = build_model(encoder, None)
        draw(model, 0.02, seed)
        return parameters_of(model)

    assert changed(drawn(0), drawn(0)) == set()
    assert changed(drawn(0), drawn(1))


def test_reinit_pooler_draws_the_pooler_alone(encoder: EncoderWeights) -> None:
    model = build_model(encoder, None)
    before = parameters_of(model)
    surgery.reinit_pooler(model, 0.02, seed=0)
    assert changed(before, parameters_of(model)) == {"pooler.dense.weight", "pooler.dense.bias"}
    assert float(model.pooler.dense.weight.detach().std()) == pytest.approx(0.02, rel=0.1)
    assert not model.pooler.dense.bias.any()


@pytest.mark.parametrize(
    ("frozen_layers", "prefixes"),
    [
        ("embeddings", ["embeddings."]),
        (1, ["embeddings.", "encoder.layer.0."]),
        (2, ["embeddings.", "encoder.layer.0.", "encoder.layer.1."]),
        (11, ["embeddings.", *(f"encoder.layer.{index}." for index in range(11))]),
        (12, ["embeddings.", *(f"encoder.layer.{index}." for index in range(12))]),
    ],
)
def test_exactly_the_embeddings_and_bottom_layers_are_frozen(
    deep_encoder: EncoderWeights, frozen_layers: int | str, prefixes: list[str]
) -> None:
    model = build_model(deep_encoder, None)
    surgery.freeze(model, frozen_layers)
    assert frozen_in(model) == below(model, *prefixes)


def test_nothing_is_frozen_by_none(encoder: EncoderWeights) -> None:
    model = build_model(encoder, None)
    assert surgery.freeze(model, 0) == []
    assert frozen_in(model) == set()


def states_twice(model: Classifier, n_states: int) -> list[bool]:
    """Tell for the embeddings' and each layer's states whether two passes in training mode give the same."""
    model.train()
    ids = torch.arange(5, 25).reshape(2, 10)
    passes = [model.encoder(ids, output_hidden_states=True).hidden_states for _ in range(2)]
    return [torch.equal(passes[0][i], passes[1][i]) for i in range(n_states)]


@pytest.mark.parametrize(
    ("frozen_layers", "frozen_dropout", "expected"),
    [
        (0, False, [False] * 5),
        ("embeddings", False, [True, False, False, False, False]),
        (2, False, [True, True, True, False, False]),
        (2, True, [False] * 5),
        (4, False, [True] * 5),
    ],
)
def test_the_frozen_part_runs_without_dropout(
    encoder: EncoderWeights, frozen_layers: int | str, frozen_dropout: bool, expected: list[bool]
) -> None:
    recipe = recipe_of(frozen_layers=frozen_layers, frozen_dropout=frozen_dropout)
    assert states_twice(build_classifier(recipe, encoder, 3, seed=0), N_LAYERS + 1) == expected


def test_dropout_stays_off_in_the_frozen_part_after_an_evaluation(encoder: EncoderWeights) -> None:
    model = build_classifier(recipe_of(frozen_layers=2), encoder, 3, seed=0)
    model.train()
    model.eval()
    assert states_twice(model, 4) == [True, True, True, False]


def test_what_is_frozen_can_be_drawn_before(encoder: EncoderWeights) -> None:
    """Re-initialised layers train, and frozen ones keep the checkpoint's values."""
    model = build_classifier(recipe_of(frozen_layers=2, reinit_layers=2), encoder, 3, seed=0)
    plain = build_model(encoder, None)
    moved = changed(parameters_of(plain), parameters_of(model.encoder))
    assert moved == below(plain, "encoder.layer.2.", "encoder.layer.3.")
    assert moved.isdisjoint(frozen_in(model.encoder))


# --- every family, against its names as transformers prints them

LAYERS = {family: [(f"{FAMILIES[family].layers}.{index}.",) for index in range(3)] for family in FAMILIES} | {
    "distilbert": [(f"transformer.layer.{index}.",) for index in range(3)],
    "albert": [("encoder.albert_layer_groups.0.albert_layers.0.",)],
    "deberta-v2": [("encoder.layer.0.", "encoder.conv."), ("encoder.layer.1.",), ("encoder.layer.2.",)],
}
EMBEDDINGS = dict.fromkeys(FAMILIES, ("embeddings.",)) | {
    "electra": ("embeddings.", "embeddings_project."),
    "albert": ("embeddings.", "encoder.embedding_hidden_mapping_in."),
    "deberta-v2": ("embeddings.", "encoder.rel_embeddings.", "encoder.LayerNorm."),
    "deberta": ("embeddings.", "encoder.rel_embeddings."),
    "eurobert": ("embed_tokens.",),
    "roformer": ("embeddings.", "embeddings_project."),
    "mpnet": ("embeddings.", "encoder.relative_attention_bias."),
    "convbert": ("embeddings.", "embeddings_project."),
    "rembert": ("embeddings.", "encoder.embedding_hidden_mapping_in."),
}
FINAL_NORM = {
    "modernbert": "final_norm.",
    "eurobert": "norm.",
    "xlm-roberta-xl": "encoder.LayerNorm.",
    "roberta-prelayernorm": "LayerNorm.",
    "megatron-bert": "encoder.ln.",
}
NARROW = ("electra", "albert", "roformer", "convbert", "rembert")
NEVER_TRAINED = {"encoder.embed_positions.weight"}
"""RoFormer's table of sines has no gradient in transformers."""
LAYER_COUNTS = [(family, count) for family in FAMILIES for count in ((0, 3) if family == "albert" else range(4))]
EMBEDDINGS_TOO = [*LAYER_COUNTS, *((family, "embeddings") for family in FAMILIES)]


def quickly(cases: Sequence[tuple[str, int | str]]) -> list[Any]:
    return [one if one[0] in QUICK_FAMILIES else slow(*one) for one in cases]


@pytest.fixture
def model_of(family_folders: dict[str, Path]) -> Callable[[str], Any]:
    return lambda family: build_model(encoder_in(family_folders[family]), None)


def norm_of(family: str) -> tuple[str, ...]:
    return (FINAL_NORM[family],) if family in FINAL_NORM else ()


def names_of_layers(family: str, part: slice) -> tuple[str, ...]:
    return tuple(prefix for prefixes in LAYERS[family][part] for prefix in prefixes)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_is_in_one_part(model_of: Callable[[str], Any], family: str) -> None:
    model = model_of(family)
    prefixes = [*EMBEDDINGS[family], *names_of_layers(family, slice(None)), *norm_of(family), "pooler."]
    for name, _ in model.named_parameters():
        if name in NEVER_TRAINED:
            continue
        assert sum(name.startswith(prefix) for prefix in prefixes) == 1, name
    with_parameters = [prefix for prefix in prefixes if below(model, prefix)]
    assert ("pooler." in with_parameters) == FAMILIES[family].has_pooler
    assert len(with_parameters) == len(prefixes) - (not FAMILIES[family].has_pooler)


@pytest.mark.parametrize(("family", "count"), quickly(LAYER_COUNTS))
def test_exactly_the_top_layers_of_every_family_are_drawn(
    model_of: Callable[[str], Any], family: str, count: int
) -> None:
    model = model_of(family)
    before = parameters_of(model)
    surgery.reinit_layers(model, count, 0.03, seed=0)
    part = slice(len(LAYERS[family]) - count if family != "albert" else 0, None)
    drawn = below(model, *names_of_layers(family, part), *norm_of(family))
    # Every tensor shows it: no bias of these checkpoints is 0, and no norm is 1.
    assert changed(before, parameters_of(model)) == (drawn if count else set())


@pytest.mark.parametrize("family", by_family())
def test_drawn_layers_of_every_family_are_as_before_pretraining(model_of: Callable[[str], Any], family: str) -> None:
    model = model_of(family)
    surgery.reinit_layers(model, 3, 0.03, seed=0)
    parts = dict(model.named_modules())
    for name in below(model, *names_of_layers(family, slice(None)), *norm_of(family)):
        owner, kind = name.rsplit(".", 1)
        value = model.get_parameter(name).detach()
        if kind in ("bias", "q_bias", "v_bias"):
            assert not value.any(), name
        elif "norm" in type(parts[owner]).__name__.lower():
            assert (value == 1).all(), name
        else:
            assert float(value.std()) == pytest.approx(0.03, rel=max(0.1, 3 / value.numel() ** 0.5)), name
            assert abs(float(value.mean())) < max(0.004, 4 * 0.03 / value.numel() ** 0.5), name


@pytest.mark.parametrize("family", [family for family in FAMILIES if FAMILIES[family].has_pooler])
def test_the_pooler_of_every_family_is_drawn_alone(model_of: Callable[[str], Any], family: str) -> None:
    model = model_of(family)
    before = parameters_of(model)
    surgery.reinit_pooler(model, 0.03, seed=0)
    drawn = below(model, "pooler.")
    assert changed(before, parameters_of(model)) == drawn
    weight, bias = (model.get_parameter(name).detach() for name in sorted(drawn, reverse=True))
    assert float(weight.std()) == pytest.approx(0.03, rel=0.1)
    assert not bias.any()


@pytest.mark.parametrize("family", by_family())
def test_transformers_own_initialisation_changes_no_layer_of_any_family(
    family_folders: dict[str, Path], family: str
) -> None:
    """The trap that our own drawing is for. If this fails, transformers has changed, and surgery.py may be shorter."""
    model = AutoModel.from_pretrained(family_folders[family])
    before = parameters_of(model)
    for layer in surgery.layers(model):
        layer.apply(model._init_weights)
    assert changed(before, parameters_of(model)) == set()


@pytest.mark.parametrize(("family", "count"), quickly(EMBEDDINGS_TOO))
def test_exactly_the_bottom_of_every_family_is_frozen(
    model_of: Callable[[str], Any], family: str, count: int | str
) -> None:
    model = model_of(family)
    frozen = surgery.freeze(model, count)
    n_layers = 0 if count == "embeddings" else int(count)
    expected = below(model, *EMBEDDINGS[family], *names_of_layers(family, slice(n_layers))) if count else set()
    assert frozen_in(model) - NEVER_TRAINED == expected
    found = [id(parameter) for module in frozen for parameter in module.parameters()]
    still = (p for name, p in model.named_parameters() if not p.requires_grad and name not in NEVER_TRAINED)
    assert sorted(found) == sorted(map(id, still))


@pytest.mark.parametrize(("family", "count"), quickly(EMBEDDINGS_TOO))
def test_what_is_frozen_holds_all_dropout_below(model_of: Callable[[str], Any], family: str, count: int | str) -> None:
    model = model_of(family)
    model.train()
    for module in surgery.freeze(model, count):
        module.eval()
    ids = torch.arange(5, 25).reshape(2, 10)
    one, other = (model(ids, output_hidden_states=True).hidden_states for _ in range(2))
    drops_words = family != "eurobert"
    n_still = int(not drops_words) if count == 0 else 1 + (0 if count == "embeddings" else int(count))
    assert [torch.equal(one[i], other[i]) for i in range(4)] == [True] * n_still + [False] * (4 - n_still)


@pytest.mark.parametrize("family", by_family())
def test_depths(model_of: Callable[[str], Any], family: str) -> None:
    model = model_of(family)
    n_layers = len(LAYERS[family])
    expected = dict.fromkeys(below(model, "pooler.", *norm_of(family), *NEVER_TRAINED), 0) | dict.fromkeys(
        below(model, *EMBEDDINGS[family]), n_layers + 1
    )
    for index, prefixes in enumerate(LAYERS[family]):
        expected |= dict.fromkeys(below(model, *prefixes), n_layers - index)
    depths = surgery.depths(model)
    assert len(depths) == len(list(model.parameters()))
    assert {name: depths[parameter] for name, parameter in model.named_parameters()} == expected


@pytest.mark.parametrize("family", by_family())
def test_what_is_added_to_the_input_reaches_the_first_layer(model_of: Callable[[str], Any], family: str) -> None:
    model = model_of(family).eval()
    ids, shift = torch.arange(5, 25).reshape(2, 10), torch.zeros(2, 10, 32)
    shift[0, 3] = 1.0
    with torch.no_grad():
        plain = model(ids, output_hidden_states=True).hidden_states
        handle = surgery.input_module(model).register_forward_hook(lambda module, args, output: output + shift)
        shifted = model(ids, output_hidden_states=True).hidden_states
        handle.remove()
    torch.testing.assert_close(shifted[0], plain[0] + shift)
    assert not torch.allclose(shifted[1][0], plain[1][0])
    torch.testing.assert_close(shifted[1][1], plain[1][1])


@pytest.mark.parametrize("family", by_family())
def test_the_word_embeddings(model_of: Callable[[str], Any], family: str) -> None:
    model = model_of(family)
    table = surgery.word_embeddings(model)
    assert table is model.get_input_embeddings()
    assert table.weight.shape == (model.config.vocab_size, 16 if family in NARROW else 32)


def test_electra_without_a_projection() -> None:
    model = AutoModel.from_config(family_config("electra", embedding_size=256, num_hidden_layers=1))
    assert surgery.embedding_modules(model) == [model.embeddings]
    assert surgery.input_module(model) is model.embeddings


def test_a_part_of_alberts_one_layer_is_no_part(model_of: Callable[[str], Any]) -> None:
    model = model_of("albert")
    for change in (lambda: surgery.reinit_layers(model, 1, 0.02, seed=0), lambda: surgery.freeze(model, 2)):
        with pytest.raises(AssertionError, match="one shared layer"):
            change()


@pytest.mark.parametrize("family", by_family())
def test_other_families_drop_as_told(family_folders: dict[str, Path], family: str) -> None:
    weights = encoder_in(family_folders[family])

    def twice(**knobs: Any) -> list[bool]:
        return states_twice(build_classifier(recipe_of(**knobs), weights, 3, seed=0), 4)

    assert twice(frozen_layers="embeddings") == [True, False, False, False]
    assert twice(encoder_dropout=0.0) == [True] * 4

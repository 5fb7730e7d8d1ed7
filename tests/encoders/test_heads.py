from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import gelu

from gridsearch.encoders.classifier import Classifier, build_classifier
from gridsearch.encoders.dropout import Whole, drop
from gridsearch.encoders.heads import LabelAttention, Samples
from gridsearch.encoders.load import EncoderWeights
from tests.fixtures_core import STILL, recipe_of

IDS = torch.arange(5, 17).reshape(2, 6)
BATCH = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}


def built(encoder: EncoderWeights, **knobs: Any) -> Classifier:
    return build_classifier(recipe_of(**knobs), encoder, 3, seed=0)


def kept(samples: Tensor) -> list[float]:
    """Return the share of ones that each sample keeps."""
    return [float((sample != 0).float().mean()) for sample in samples]


def test_one_sample_is_ordinary_dropout() -> None:
    """The same numbers from the same random state."""
    features = torch.randn(4, 50)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        expected = drop(features, 0.3)
        torch.manual_seed(0)
        found = Samples(0.3, 1, chained=False)(features)
    assert torch.equal(found, expected.unsqueeze(0))


def test_independent_samples_keep_alike_and_differ() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        samples = Samples(0.2, 8, chained=False)(torch.ones(100, 400))
    assert kept(samples) == pytest.approx([0.8] * 8, abs=0.01)
    assert not torch.equal(samples[0], samples[1])


def test_chained_samples_keep_less_and_less() -> None:
    """Seed 002's code: the i-th keeps 0.8^i, on average .42 of 8 samples, scaled up so that the mean stays 1."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        samples = Samples(0.2, 8, chained=True)(torch.ones(100, 400))
    assert kept(samples) == pytest.approx([0.8**number for number in range(1, 9)], abs=0.01)
    assert sum(kept(samples)) / 8 == pytest.approx(0.416, abs=0.01)
    assert [float(sample.mean()) for sample in samples] == pytest.approx([1.0] * 8, abs=0.05)


@pytest.mark.parametrize("mode", ["independent", "chained"])
def test_the_samples_share_one_classifier_and_evaluation_has_one(encoder: EncoderWeights, mode: str) -> None:
    model = built(encoder, multi_sample_dropout=5, multi_sample_mode=mode, classifier_dropout=0.5).train()
    assert model(BATCH).shape == (5, 2, 3)
    assert model.eval()(BATCH).shape == (1, 2, 3)
    plain = built(encoder).eval()
    assert torch.equal(model(BATCH), plain(BATCH))


@pytest.mark.parametrize(
    ("activation", "function"),
    [("gelu", gelu), ("relu", torch.relu), ("tanh", torch.tanh), ("none", lambda features: features)],
)
def test_the_hidden_layer(encoder: EncoderWeights, activation: str, function: Any) -> None:
    model = built(encoder, head="mlp", head_width=70, head_activation=activation).eval()
    with torch.no_grad():
        pooled = model.pooling(model.encoder(**BATCH), BATCH["attention_mask"])
        hidden = function(pooled @ model.hidden.linear.weight.T + model.hidden.linear.bias)
        expected = hidden @ model.classifier.weight.T + model.classifier.bias
        torch.testing.assert_close(model(BATCH)[0], expected)
    assert hidden.shape == (2, 70)


@pytest.mark.parametrize("head", ["linear", "mlp"])
def test_logits_are_whole_floats_of_the_shared_last_map(encoder: EncoderWeights, head: str) -> None:
    model = built(encoder, head=head, multi_sample_dropout=4, classifier_dropout=0.3).train()
    seen: list[Tensor] = []
    model.samples.register_forward_hook(lambda module, arguments, output: seen.append(output))
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(BATCH)
        expected = [model.classifier(sample).float() for sample in seen[0]]
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, torch.stack(expected))


def test_the_hidden_layer_is_2048_wide_by_default_and_dropout_follows_it(encoder: EncoderWeights) -> None:
    model = built(encoder, head="mlp", **(STILL | {"classifier_dropout": 0.5})).train()
    seen: list[Tensor] = []
    model.samples.register_forward_hook(lambda module, arguments, output: seen.append(arguments[0]))
    model(BATCH)
    assert seen[0].shape == (2, 2048)
    assert float(model.hidden.linear.weight.detach().std()) == pytest.approx(0.02, rel=0.05)


def test_label_attention_adds_the_logits_of_its_slots_by_their_weights(encoder: EncoderWeights) -> None:
    """Written out slot by slot, as in net.py of github.com/rogerrojur/tianchi-multi-task-nlp."""
    model = built(encoder, head="label_attention", head_slots=5).eval()
    head: Any = model.classifier
    with torch.no_grad():
        pooled = model.pooling(model.encoder(**BATCH), BATCH["attention_mask"])
        weights = torch.softmax(pooled @ head.attention.weight.T + head.attention.bias, dim=1)
        values = (pooled @ head.values.weight.T + head.values.bias).view(-1, 5, 3)
        expected = sum(weights[:, slot, None] * values[:, slot] for slot in range(5))
        torch.testing.assert_close(model(BATCH)[0], expected)


def test_label_attention_has_16_slots_and_drops_a_fifth_of_their_weights_by_default(encoder: EncoderWeights) -> None:
    model = built(encoder, head="label_attention", classifier_dropout=0.5, multi_sample_dropout=3).train()
    seen: list[tuple[Tensor, Tensor]] = []
    head: Any = model.classifier
    head.dropout.register_forward_hook(lambda module, given, output: seen.append((given[0], output)))
    assert model(BATCH).shape == (3, 2, 3)
    ((weights, dropped),) = seen
    assert weights.shape == (2, 3, 16)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3))
    torch.testing.assert_close(dropped[dropped > 0], weights[dropped > 0] / 0.8, rtol=1e-4, atol=0)
    assert 0 < int((dropped == 0).sum()) < dropped.numel() / 2
    names = {name for name, _ in model.named_parameters() if not name.startswith("encoder.")}
    assert names == {f"classifier.{part}.{kind}" for part in ("attention", "values") for kind in ("weight", "bias")}


@pytest.mark.parametrize("n_samples", [1, 2])
def test_a_batch_in_parts_drops_the_weights_that_it_would_drop_at_once(n_samples: int) -> None:
    """With as many samples as a part has rows, too."""
    head, features = LabelAttention(6, 3, 4, dropout=0.5).train(), torch.randn(n_samples, 8, 6)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        expected = head(features)
        torch.manual_seed(0)
        whole, found = Whole(8), []
        for start in range(0, 8, 2):
            with whole.cut_to(slice(start, start + 2)):
                found.append(head(features[:, start : start + 2]))
    torch.testing.assert_close(torch.cat(found, dim=1), expected)


def test_a_hidden_layer_does_not_shift_the_numbers_of_the_pooling(encoder: EncoderWeights) -> None:
    one, other = built(encoder, pooling="attention"), built(encoder, pooling="attention", head="mlp")
    assert torch.equal(one.pooling.score.weight, other.pooling.score.weight)


def test_the_linear_head_is_where_it_was(encoder: EncoderWeights) -> None:
    names = {name for name, _ in built(encoder).named_parameters() if not name.startswith("encoder.")}
    assert names == {"classifier.weight", "classifier.bias"}

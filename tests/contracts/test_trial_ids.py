"""Contract: a trial's id is a hash of its content, and of nothing else."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.canonical import canonical_json
from gridsearch.encoders.ids.vocabulary import ids_vocabulary
from gridsearch.recipe.knob import NO_NEUTRAL
from gridsearch.recipe.prefixes import VOCABULARY
from gridsearch.recipe.pretraining.knobs import PREFIX, PretrainingRecipe
from gridsearch.recipe.recipe import Recipe, knobs, parse_recipe, set_knobs
from gridsearch.recipe.vocabulary.knobs import VocabularyRecipe
from gridsearch.repetition import Division
from gridsearch.stage import Stage, make_stage
from gridsearch.trial import make_trial

TASK, ENCODER = "0" * 32, "files-" + "1" * 32


def trial_id(
    seed: int = 0,
    fold: int = 0,
    task: str = TASK,
    encoder: str = ENCODER,
    division: Division | None = None,
    **values: object,
) -> str:
    recipe = parse_recipe(values, "test")
    return make_trial(recipe, seed=seed, fold=fold, task=task, encoder=encoder, division=division).id


# An old study stays valid only as long as these do not change. To change one is to orphan every ledger there is.
# fmt: off
GOLDEN = [
    ({}, "c42b124bc311515ae651f16c8d480be9"),
    (
        {"bert_adam": True, "weight_decay": 0.01, "reinit_pooler": True, "reinit_layers": 6, "frozen_layers": 6,
         "warmup_proportion": 0.1, "pooling": "pooler"},
        "3833379e72d923b2758938c53a87b177",
    ),
    (
        {"class_weights": [1, 1.3], "epochs": 5, "learning_rate": 2e-5, "seed": 7, "fold": 2},
        "b3ae0118094ccf4d80b5f108f3adf665",
    ),
    (
        {"decay_exclude": "none", "weight_decay": 0.01, "adam_epsilon": 1e-6, "clip_norm": 1.0, "encoder_dropout": 0.2,
         "frozen_layers": "embeddings", "gradient_accumulation": 2, "precision": "bf16", "selection": "last",
         "frozen_dropout": True},
        "2f3a2cf429e96bd1cbc4151d8f9b585a",
    ),
    (
        {"token_types": "zeros", "cooccurrence": "embedding", "multi_sample_dropout": 8, "multi_sample_mode": "chained",
         "pooling": "cls_cat", "pooling_layers": 4, "head": "mlp", "head_width": 256, "head_activation": "tanh",
         "label_smoothing": 0.1, "focal_gamma": 2.0, "r_drop": 1.0},
        "55922d9c6a6a157f2ed10bbbcb51fef3",
    ),
    ({"score_loss": "huber", "huber_delta": 0.5, "label_thresholds": "dev"}, "4e6a9718c928cb7cb72cf5c6ba5378a5"),
    (
        {"adversarial": "freelb", "adversarial_epsilon": 0.3, "adversarial_alpha": 0.1, "adversarial_steps": 4,
         "adversarial_norm": "normalized", "adversarial_start": 2, "freelb_init": 0.1,
         "optimizer": "original_bert_adam", "layer_decay": 0.95, "schedule": "cosine", "lookahead_steps": 5,
         "lookahead_alpha": 0.8, "ema_decay": 0.999, "swa_start": 0.5, "swa_every": 10, "swa_learning_rate": 1e-5,
         "patience": 2},
        "03049d612360e1936360110aa260fe86",
    ),
    ({"mixout": 0.5}, "78736ddf38310e8c8b5eb8ff1c2b66ae"),
    ({"pooling": "segments"}, "480dfafded438085f8eaedf3fc4f1806"),
    ({"head": "label_attention"}, "5d0ad10c735f7588d6faa31c41a485b8"),
    ({"head": "label_attention", "head_slots": 8, "head_attention_dropout": 0.0}, "a2c5d526d673947d97f04021c5a7a5e8"),
    ({"class_weights": "log_counts"}, "608d6de40f1bb540440d1b268325e2e9"),
    ({"checkpoints": 3}, "e6ba58170cd808ca403f2b406032f699"),
    ({"prediction_order": "both"}, "c0c8c060d28dcf41385bd1271d97c66a"),
    ({"pooling": "segments", "prediction_order": "both"}, "2e29e094a72b0e53202eaee48ccab7a5"),
    ({"pair_swap": "both"}, "877eacc0e81f8d528d553304ead84470"),
    ({"pair_swap": "random"}, "caac95929f31117a53c4320dd7e4f0ea"),
    ({"closure": "positives"}, "095276adb70d1bb6d4d063b50018c00f"),
    ({"closure": "both", "closure_cap": 5, "closure_ratio": "kept", "outside_pairs": "negative"},
     "a212f017cbde5508125b34f27e531f9d"),
    ({"parts.training": "separate"},
     "1661f545fb0fb95365fc795214057405"),
    ({"parts.batches": "mixed", "parts.sampling": "square_root", "parts.loss_weights": "given"},
     "a4aead2bcadff4f93cb9e0d45dc0aa4e"),
    ({"parts.sampling": 4.0, "parts.order": "alternating", "parts.loss_weights": "dynamic_priority",
      "parts.priority_gamma": 2.0},
     "26df36f136dd86224642dd24279dcc0d"),
    ({"parts.sampling": "equal", "parts.loss_weights": "uncertainty"},
     "83d13e12266f79c82a517e1aa8dfecf0"),
    ({"fold": 0, "division": Division(3)}, "f976ab15af9d2db9532893252f5a7631"),
    ({"fold": 4, "division": Division(5, 7), "seed": 1}, "cb0016a632f12268875c5eb6bba94763"),
]
# fmt: on


def test_no_two_ways_to_divide_the_rows_share_an_id() -> None:
    divisions = [
        None,
        *(Division(n_folds, seed) for n_folds in (2, 3, 5) for seed in (0, 1)),
        Division(3, 0, "another"),
    ]
    ids = [trial_id(fold=fold, division=one) for one in divisions for fold in range(one.n_folds if one else 1)]
    assert len(set(ids)) == len(ids)
    assert trial_id(fold=0) == GOLDEN[0][1], "without folds, an id is what it was before there were any"


# fmt: off
GOLDEN_STAGES: list[tuple[dict[str, Any], int, str, str, str]] = [
    # knobs, the trial's seed, precision; the ids of the stage and of its run
    ({}, 0, "fp32", "a21fe676eb612810fe9374f8fe59a3db",
     "a21fe676eb612810fe9374f8fe59a3db"),
    ({"base": "scratch", "family": "nezha", "layers": 4, "width": 128, "heads": 2, "corpus": "all+files",
      "form": "pairs", "pair_order": "random", "max_length": 64, "token_types": "zeros", "next_sentence": True},
     0, "fp32", "610787d29b27b63aa6e48a494b2440af",
     "610787d29b27b63aa6e48a494b2440af"),
    ({"mask": "bernoulli", "rate": 0.3, "mask_share": 1.0, "random_share": 0.0, "steps": 100, "epochs": "none",
      "checkpoint": 40, "seed": "trial"}, 7, "bf16", "7f1f63ec067f55633d978a9cac0181f2",
     "b734139f31f964747ec9e2ac4d860a8f"),
    ({"batch_size": 64, "learning_rate": 1.5e-3, "schedule": "cosine", "warmup_proportion": 0.1, "weight_decay": 0.01,
      "adam_beta2": 0.98, "clip_norm": 1.0, "lookahead_steps": 6, "lookahead_alpha": 0.8, "dropout": 0.0},
     0, "fp32", "819370106f65a3d4d7400bca382c35c6",
     "819370106f65a3d4d7400bca382c35c6"),
    ({"take_layers": (1, 3, 5)}, 0, "fp32", "3261fdce6ef3166d447d0be19458ea38",
     "3261fdce6ef3166d447d0be19458ea38"),
    ({"mask": "ngram", "ngram": "rank18", "rate_is": "realised"}, 0, "fp32", "267672fbdb2d072cc20d4eeec49d48bb",
     "267672fbdb2d072cc20d4eeec49d48bb"),
    ({"objective": "mlm_label", "form": "pairs", "steps": 100}, 0, "fp32", "df62f0d1d92d593d1714a1037b7d249d",
     "df62f0d1d92d593d1714a1037b7d249d"),
]
# fmt: on


GOLDEN_VOCABULARIES: list[tuple[dict[str, Any], str]] = [
    # knobs; the identity of the encoder of ids that is made with them
    ({}, "82420f72aa1827149f09ff5f8cc9ed98"),
    ({"min_count": 2, "align": "special"}, "bed7d9c9d781514950496cb8a044491d"),
    ({"align": "frequency"}, "2464950e2ea75d283ae1ba11cb5e47e1"),
    ({"align": "order", "start": "你"}, "072dc7a449b4adabd904e9ad49132747"),
]


@pytest.mark.parametrize(("values", "expected"), GOLDEN_VOCABULARIES)
def test_golden_encoders_of_ids(values: dict[str, Any], expected: str) -> None:
    """A trial on ids is known by the encoder that reads them, whose identity tells of all that it is made from."""
    ids = ids_vocabulary({"7": 5, "12": 9, "3": 2}, VocabularyRecipe(**values), {"的": 30, "[CLS]": 4})
    assert ids.identity(ENCODER) == f"ids-{expected}"


def stage_of(knobs_of: dict[str, Any], trial_seed: int = 0, precision: str = "fp32", **others: Any) -> Stage:
    recipe = PretrainingRecipe(**{"objective": "mlm", **knobs_of})
    labels = "6" * 32 if recipe.objective == "mlm_label" else ""
    about = {"base": ENCODER, "corpus": "4" * 32, "n_rows": 1000, "labels": labels, **others}
    return make_stage(recipe, trial_seed=trial_seed, precision=precision, **about)


@pytest.mark.parametrize(("values", "seed", "precision", "made", "run"), GOLDEN_STAGES)
def test_golden_stages(values: dict[str, Any], seed: int, precision: str, made: str, run: str) -> None:
    stage = stage_of(values, seed, precision)
    assert (stage.id, stage.run) == (f"pretrained-{made}", run)


def test_a_trial_is_known_by_the_encoder_that_its_stage_makes() -> None:
    stage = stage_of({})
    recipe = parse_recipe({"pretraining.objective": "mlm"}, "test")
    trial = make_trial(recipe, seed=0, task=TASK, encoder=ENCODER, stage=stage)
    assert trial.encoder == stage.id
    assert trial.id == trial_id(encoder=stage.id), "how it was made is in the encoder's identity, and nowhere else"


@pytest.mark.parametrize(
    "change",
    [
        {"trial_seed": 1, "knobs_of": {"seed": "trial"}},
        {"knobs_of": {"seed": 1}},
        {"precision": "bf16"},
        {"base": "files-" + "3" * 32},
        {"corpus": "5" * 32},
        {"labels": "7" * 32},
        {"knobs_of": {"objective": "mlm_label"}, "labels": ""},
        {"knobs_of": {"rate": 0.2}},
    ],
)
def test_whatever_changes_a_pretraining_changes_its_id(change: dict[str, Any]) -> None:
    first, second = stage_of({}), stage_of(**({"knobs_of": {}} | change))
    assert first.id != second.id
    assert first.run != second.run


def test_trials_of_all_seeds_share_a_stage_unless_they_are_to_have_their_own() -> None:
    assert stage_of({}, 0) == stage_of({}, 1)
    assert stage_of({"seed": "trial"}, 3).id == stage_of({"seed": 3}, 0).id


def test_checkpoints_are_encoders_of_one_run() -> None:
    last, early = stage_of({"steps": 100}), stage_of({"steps": 100, "checkpoint": 40})
    assert last.run == early.run
    assert last.id != early.id
    assert (early.last_step, early.total_steps, last.last_step) == (40, 100, 100)


def test_set_knobs_of_the_default_recipe_are_those_without_a_neutral_value() -> None:
    assert set_knobs(Recipe()) == {
        name: getattr(Recipe(), name)
        for name, knob in knobs().items()
        if knob.neutral is NO_NEUTRAL and name != "encoder"
    }


@pytest.mark.parametrize(("values", "expected"), GOLDEN)
def test_golden_ids(values: dict[str, object], expected: str) -> None:
    assert trial_id(**values) == expected


def test_canonical_text_of_a_trial() -> None:
    recipe = parse_recipe({"weight_decay": 0.01, "class_weights": [1, 1.3], "bert_adam": True}, "test")
    assert canonical_json(set_knobs(recipe)) == (
        '{"adam_epsilon":1e-08,"batch_size":32,"bert_adam":true,"class_weights":[1.0,1.3],"classifier_dropout":0.1,'
        '"epochs":3,"learning_rate":5e-05,"max_length":128,"pooling":"cls","weight_decay":0.01}'
    )


def test_id_is_the_same_in_another_process() -> None:
    code = (
        "from gridsearch.trial import make_trial; from gridsearch.recipe.recipe import Recipe; "
        f"print(make_trial(Recipe(), seed=0, task={TASK!r}, encoder={ENCODER!r}).id)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == trial_id()


@pytest.mark.parametrize("spelling", ["1e-5", "0.00001", "1E-05", "10e-6"])
def test_a_number_has_one_id_however_it_is_spelled(spelling: str) -> None:
    assert trial_id(learning_rate=float(spelling)) == trial_id(learning_rate=1e-5)


def test_a_whole_number_is_a_float_where_the_knob_is_one() -> None:
    assert trial_id(weight_decay=0) == trial_id(weight_decay=0.0) == trial_id()
    assert trial_id(learning_rate=1) == trial_id(learning_rate=1.0)


def test_a_neutral_value_is_as_good_as_none() -> None:
    neutral = {name: knob.neutral for name, knob in knobs().items() if knob.neutral is not NO_NEUTRAL}
    assert trial_id(**neutral) == trial_id()


def test_neutral_values_are_the_published_ones() -> None:
    """A neutral value may never change its meaning: ids leave it out, so old and new trials would be mixed up."""
    published = {
        "gradient_accumulation": 1,
        "bert_adam": False,
        "weight_decay": 0.0,
        "decay_exclude": "bias_and_norm",
        "reinit_pooler": False,
        "reinit_layers": 0,
        "frozen_layers": 0,
        "frozen_dropout": False,
        "warmup_proportion": 0.0,
        "class_weights": "none",
        "encoder_dropout": "checkpoint",
        "clip_norm": "none",
        "selection": "best",
        "precision": "fp32",
    }
    assert published.items() <= {name: knob.neutral for name, knob in knobs().items()}.items()


def test_every_default_without_neutral_value_is_part_of_the_id() -> None:
    """So that another default one day does not silently give old ids to new trials."""
    assert set(set_knobs(Recipe())) == {
        "epochs", "learning_rate", "batch_size", "max_length", "adam_epsilon", "classifier_dropout", "pooling",
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"fold": 1},
        {"task": "2" * 32},
        {"encoder": "files-" + "3" * 32},
        {"bert_adam": True},
        {"reinit_layers": 6},
        {"class_weights": [1.0, 1.3]},
        {"class_weights": [1.3, 1.0]},
        {"learning_rate": 1e-5},
    ],
)
def test_whatever_changes_the_outcome_changes_the_id(change: dict[str, object]) -> None:
    assert trial_id(**change) != trial_id()


def test_the_encoders_name_is_not_part_of_the_id() -> None:
    assert (
        trial_id(encoder=ENCODER)
        == make_trial(parse_recipe({"encoder": "a/folder/somewhere"}, "test"), seed=0, task=TASK, encoder=ENCODER).id
    )


@given(st.integers(0, 2**31 - 1), st.floats(1e-7, 1.0), st.integers(0, 12), st.booleans())
def test_equal_recipes_have_equal_ids_and_survive_the_ledger(seed: int, rate: float, layers: int, adam: bool) -> None:
    recipe = parse_recipe({"learning_rate": rate, "reinit_layers": layers, "bert_adam": adam}, "test")
    again = Recipe.model_validate_json(canonical_json(recipe.model_dump()))
    assert make_trial(again, seed=seed, task=TASK, encoder=ENCODER) == make_trial(
        recipe, seed=seed, task=TASK, encoder=ENCODER
    )


def test_every_knob_is_in_a_golden_id() -> None:
    """An id that nobody wrote down can change unseen."""
    named = {name for values, _ in GOLDEN for name in values}
    named |= {PREFIX + name for values, *_ in GOLDEN_STAGES for name in values} | {PREFIX + "objective"}
    named |= {VOCABULARY + name for values, _ in GOLDEN_VOCABULARIES for name in values}
    always = {name for name, knob in knobs().items() if knob.neutral is NO_NEUTRAL}
    assert knobs().keys() - named - always == set()

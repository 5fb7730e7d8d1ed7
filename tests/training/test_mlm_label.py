"""Labels that a pretraining learns beside hidden tokens: their loss, whose labels they are, and what it says of dev."""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel, AutoModelForMaskedLM

from gridsearch.encoders.pretraining import made
from gridsearch.encoders.pretraining.masked_lm import build_masked_lm
from gridsearch.encoders.pretraining.masked_lm_files import encoder_files_of, read_labelling
from gridsearch.encoders.pretraining.published_head import read_base
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.stage import Stage, StageOutcome
from gridsearch.tasks.batches import collate
from gridsearch.tasks.corpus import EncodedCorpus, corpus_of, encode_corpus
from gridsearch.tasks.encode import UNLABELLED
from gridsearch.tasks.metrics import score
from gridsearch.tasks.task import Split, Task
from gridsearch.training.execution import Execution, computing, to_the_end
from gridsearch.training.masking import IS_RANDOM, masked_rows
from gridsearch.training.pretraining import Run, pretraining
from gridsearch.training.stage_timing import measuring_stage
from tests.fixtures_core import ON_CPU, by_family
from tests.training.pretraining_bench import PretrainingBench, with_corpus

LABELLED: dict[str, Any] = {"objective": "mlm_label"}
PAIRS: dict[str, Any] = {**LABELLED, "form": "pairs"}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def single(bert_folder: Path, task: Task) -> PretrainingBench:
    return PretrainingBench(bert_folder, task)


@pytest.fixture(scope="module")
def pairs(bert_folder: Path, task: Task) -> PretrainingBench:
    return PretrainingBench(bert_folder, with_corpus(task))


def run(bench: PretrainingBench, stage: Stage, execution: Execution = ON_CPU) -> StageOutcome:
    return to_the_end(pretraining(stage, bench.corpus(stage), bench.base, execution), lambda point: None)


def delete(stage: Stage) -> None:
    for path in made.folder_of(stage.id).iterdir():
        path.unlink()


def relabelled(task: Task, part: str, seed: int = 0) -> Task:
    """Permute the labels of a part of a task."""
    split: Split = getattr(task, part)
    assert split.labels is not None
    order = np.random.default_rng(seed).permutation(len(split))
    labels = tuple(split.labels[row] for row in order)
    assert labels != split.labels
    return replace(task, **{part: replace(split, labels=labels)})


# --- which rows have a label


def told(corpus: EncodedCorpus, tokenizer: Any) -> list[tuple[str, int]]:
    read = corpus.read(corpus.row_texts).rows
    bounds = zip(read.starts[:-1], read.starts[1:], corpus.labels_of(np.arange(len(corpus))), strict=True)
    return [(" ".join(tokenizer.convert_ids_to_tokens(read.ids[one:end])), int(label)) for one, end, label in bounds]


OF_PAIRS = Task(
    name="pairs",
    kind="pair",
    metric="accuracy",
    label_names=("no", "yes"),
    train=Split(("the", "index", " "), (1, 0, 1), ("map", "the", "")),
    dev=Split(("map",), (1,), ("map",)),
    test=Split(("index",), (0,), ("index",)),
    corpus_files=(Split(("the",), None), Split(("the",), (1,), ("map",))),
)
JOINED = [("[CLS] index [SEP] the [SEP]", 0), ("[CLS] the [SEP] map [SEP]", 1)]
TURNED = [("[CLS] the [SEP] index [SEP]", 0), ("[CLS] map [SEP] the [SEP]", 1)]
OTHERS = [("[CLS] index [SEP] index [SEP]", UNLABELLED), ("[CLS] map [SEP] map [SEP]", UNLABELLED)]


def rows(tokenizer: Any, task: Task, which: str, **knobs: Any) -> list[tuple[str, int]]:
    corpus = corpus_of(task, which, labelled=True)
    return told(encode_corpus(corpus, PretrainingRecipe(**{"form": "pairs", **knobs}), tokenizer), tokenizer)


def test_a_training_pair_has_its_label_in_either_order_and_no_other_row_has_one(tokenizer: Any) -> None:
    assert rows(tokenizer, OF_PAIRS, "train") == JOINED
    assert rows(tokenizer, OF_PAIRS, "train", pair_order="both") == JOINED + TURNED
    alone = [(f"[CLS] {text} [SEP]", UNLABELLED) for text in ("index", "the", "the", "map")]
    assert rows(tokenizer, OF_PAIRS, "train", form="both") == alone + JOINED
    assert rows(tokenizer, OF_PAIRS, "train", form="single") == alone
    assert sorted(rows(tokenizer, OF_PAIRS, "all")) == sorted(JOINED + OTHERS)
    # The further pair reads as a training row does, and has no label for all that.
    further = [("[CLS] the [SEP]", UNLABELLED), ("[CLS] the [SEP] map [SEP]", UNLABELLED)]
    assert rows(tokenizer, OF_PAIRS, "files") == further
    assert sorted(rows(tokenizer, OF_PAIRS, "all+files")) == sorted(JOINED + OTHERS + further)


def test_a_single_text_has_its_label(tokenizer: Any) -> None:
    split = Split(("the map", "index", "index"), (1, 1, 0), None)
    task = replace(OF_PAIRS, kind="single", train=split, dev=Split(("map",), (0,)), test=None, corpus_files=())
    expected = [("[CLS] index [SEP]", 0), ("[CLS] index [SEP]", 1), ("[CLS] the map [SEP]", 1)]
    assert rows(tokenizer, task, "train") == expected
    assert sorted(rows(tokenizer, task, "all")) == sorted([*expected, ("[CLS] map [SEP]", UNLABELLED)])


def test_labels_change_no_text_and_no_fingerprint_of_texts() -> None:
    for which in ("train", "all", "files", "train+files", "all+files"):
        bare, labelled = corpus_of(OF_PAIRS, which), corpus_of(OF_PAIRS, which, labelled=True)
        assert bare.labels is None
        assert replace(labelled, labels=None) == bare
        assert bare.fingerprint == labelled.fingerprint


def test_the_order_of_rows_is_no_part_of_the_labels(task: Task) -> None:
    order = np.random.default_rng(3).permutation(len(task.train))
    split = task.train
    assert split.labels is not None
    moved = Split(tuple(split.texts[row] for row in order), tuple(split.labels[row] for row in order))
    one, other = (corpus_of(some, "train", labelled=True) for some in (task, replace(task, train=moved)))
    assert one == other


@pytest.mark.parametrize("order", ["as_is", "both", "random"])
def test_a_broken_pair_loses_its_label(pairs: PretrainingBench, order: str) -> None:
    stage = pairs.stage(**{**PAIRS, "next_sentence": True, "pair_order": order})
    corpus = pairs.corpus(stage)
    every = np.arange(len(corpus))
    n_broken = 0
    for step in range(20):
        hidden = masked_rows(corpus, every, stage.recipe, seed=0, step=step)
        assert hidden.follows is not None
        is_broken = hidden.follows == IS_RANDOM
        assert (hidden.labels[is_broken] == UNLABELLED).all()
        assert np.array_equal(hidden.labels[~is_broken], corpus.labels_of(every)[~is_broken])
        n_broken += int((is_broken & (corpus.labels_of(every) != UNLABELLED)).sum())
    assert n_broken


# --- the loss


class Extended(nn.Module):
    """transformers' BERT whose vocabulary has a token for each label more."""

    def __init__(self, folder: Path, rows: dict[str, Tensor]) -> None:
        super().__init__()
        none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        whole = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager", **none)
        whole.requires_grad_(True)
        self.bert, self.transform = whole.bert, whole.cls.predictions.transform
        self.n_tokens = whole.config.vocab_size
        table = torch.cat([whole.bert.embeddings.word_embeddings.weight, rows["weight"]]).detach()
        self.bert.embeddings.word_embeddings = nn.Embedding.from_pretrained(table, freeze=False, padding_idx=None)
        self.bias = nn.Parameter(torch.cat([whole.cls.predictions.bias, rows["bias"]]).detach())

    def forward(self, targets: Tensor, **inputs: Tensor) -> Tensor:
        """Return the mean loss over all targets that are not -100."""
        states = self.transform(self.bert(**inputs).last_hidden_state)
        logits = states @ self.bert.embeddings.word_embeddings.weight.T + self.bias
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


def batches_of(
    stage: Stage, corpus: EncodedCorpus, started: Run, n_tokens: int
) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield what each step reads and is to tell, and how many labels are among that."""
    for step in range(stage.total_steps):
        epoch, place = divmod(step, started.objective.n_steps_per_epoch)
        _, rows = started.objective.batches(epoch + 1)[place]
        hidden = masked_rows(corpus, rows, stage.recipe, seed=stage.seed, step=step)
        inputs = collate(hidden.rows, np.arange(len(rows)), corpus.pad_id, torch.device("cpu"))
        targets = torch.full_like(inputs["input_ids"], -100)
        for row, label in enumerate(hidden.labels.tolist()):
            tokens = slice(hidden.rows.starts[row], hidden.rows.starts[row + 1])
            chosen = torch.from_numpy(hidden.chosen[tokens])
            targets[row, : len(chosen)][chosen] = torch.from_numpy(hidden.originals[tokens])[chosen]
            if label != UNLABELLED:
                assert not chosen[0]
                targets[row, 0] = n_tokens + label
        yield {**inputs, "targets": targets}, int((targets[:, 0] >= n_tokens).sum())


SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "single texts": ("single", {"corpus": "all"}),
    "pairs": ("pairs", {"form": "both", "pair_order": "both", "corpus": "all+files"}),
}


@pytest.mark.slow  # 2 s
@pytest.mark.parametrize(("kind", "knobs"), SETTINGS.values(), ids=SETTINGS)
def test_steps_are_those_of_a_vocabulary_with_a_token_for_each_label(
    kind: str, knobs: dict[str, Any], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bench: PretrainingBench = request.getfixturevalue(kind)
    stage = bench.stage(**{**LABELLED, "steps": 20, "dropout": 0.0, "weight_decay": 0.01, "clip_norm": 1.0, **knobs})
    corpus = bench.corpus(stage)
    with computing(ON_CPU):
        started = Run(stage, corpus, bench.base, ON_CPU)
        assert started.model.label_tokens is not None
        for name, content in encoder_files_of(started.model, started.base).items():
            (tmp_path / name).write_bytes(content)
        theirs = Extended(tmp_path, dict(started.model.label_tokens.named_parameters()))
        decayed = [p for name, p in theirs.named_parameters() if "bias" not in name and "LayerNorm" not in name]
        others = [p for name, p in theirs.named_parameters() if "bias" in name or "LayerNorm" in name]
        groups = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=stage.recipe.learning_rate)
        expected, n_labelled = [], 0
        for step, (batch, n_labels) in enumerate(batches_of(stage, corpus, started, theirs.n_tokens)):
            optimizer.zero_grad()
            loss = theirs(**batch)
            loss.backward()
            trained = [p for p in theirs.parameters() if p.grad is not None]
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            for group in optimizer.param_groups:
                group["lr"] = stage.recipe.learning_rate * (1 - step / stage.total_steps)
            optimizer.step()
            expected.append(loss.item())
            n_labelled += n_labels
        ours = [point.loss for point in started.points(lambda: None)]
    assert n_labelled > 20
    np.testing.assert_allclose(ours, expected, atol=1e-5, rtol=0)
    assert ours[-1] < ours[0] - 1, "something was learned, or nothing was compared"


@pytest.mark.parametrize("family", by_family())
def test_every_family_tells_labels_behind_its_vocabulary(
    family: str, family_folders: dict[str, Path], tmp_path: Path
) -> None:
    """What is drawn is what a written folder gives back, and no other weight or logit of a token changes by it."""
    base = read_base(family_folders[family], "x")
    settings: dict[str, Any] = {"dropout": None, "next_sentence": False, "seed": 0}
    plain = build_masked_lm(base, **settings).eval()
    labelling = build_masked_lm(base, **settings, n_labels=3).eval()
    inputs = {"input_ids": torch.tensor([[2, 7, 9, 3], [2, 8, 5, 3]])}
    places = torch.tensor([0, 2, 4])
    with torch.no_grad():
        tokens, both = plain(inputs, places), labelling(inputs, places)
        assert both.shape == (3, plain.n_tokens + 3)
        assert torch.equal(both[:, : plain.n_tokens], tokens)
        assert torch.equal(labelling.labels(inputs), both[[0, 2], plain.n_tokens :])
        for name, content in encoder_files_of(labelling, base).items():
            (tmp_path / name).write_bytes(content)
        again = read_labelling(tmp_path, "y", 3)
        assert torch.equal(again(inputs, places), both)
    without, with_them = encoder_files_of(plain, base), encoder_files_of(labelling, base)
    assert with_them.pop(made.LABEL_TOKENS)
    assert with_them == without


# --- whose labels they are


@pytest.mark.slow  # 2 s
def test_labels_of_training_rows_make_the_encoder_and_those_of_dev_do_not(bert_folder: Path, task: Task) -> None:
    paired = with_corpus(task)
    bench = PretrainingBench(bert_folder, paired)
    knobs = {**PAIRS, "corpus": "all"}
    stage = bench.stage(**knobs)
    first = run(bench, stage)
    weights = {name: (made.folder_of(stage.id) / name).read_bytes() for name in (made.MODEL, made.LABEL_TOKENS)}
    delete(stage)

    permuted = PretrainingBench(bert_folder, relabelled(paired, "dev"))
    assert permuted.task.fingerprint != paired.fingerprint
    assert permuted.stage(**knobs) == stage
    other = run(permuted, stage)
    assert weights == {name: (made.folder_of(stage.id) / name).read_bytes() for name in weights}
    assert [point.loss for point in other.log] == [point.loss for point in first.log]
    assert other.zero_shot != first.zero_shot

    taught = PretrainingBench(bert_folder, relabelled(paired, "train"))
    assert taught.stage(**knobs).run != stage.run
    assert taught.stage(form="pairs", corpus="all") == bench.stage(form="pairs", corpus="all")
    assert run(taught, taught.stage(**knobs)).checksum != first.checksum


# --- what it says by itself


def with_and_without(split: Split, word: str, n_each: int) -> Split:
    """Return as many texts with a word as without it, and label them by that."""
    has = [word in text.lower().split() for text in split.texts]
    rows = [row for kind in (True, False) for row in [at for at, one in enumerate(has) if one is kind][:n_each]]
    return Split(tuple(split.texts[row] for row in rows), tuple(int(has[row]) for row in rows))


@pytest.mark.slow  # 16 s
def test_what_is_learned_is_told_of_dev(bert_folder: Path, docstrings_task: Task) -> None:
    """Whether a word is in a text, half of the rows: told where labels say so, and not where they are permuted."""
    train, dev = docstrings_task.train, docstrings_task.dev
    task = Task(
        "word", "single", "auc", ("no", "yes"), with_and_without(train, "the", 200), with_and_without(dev, "the", 80)
    )
    scratch = {"base": "scratch", "layers": 1, "width": 32, "heads": 2}
    knobs = {**LABELLED, **scratch, "steps": 300, "learning_rate": 2e-3, "max_length": 24, "dropout": 0.0}
    scores = []
    for some in (task, relabelled(task, "train")):
        bench = PretrainingBench(bert_folder, some)
        scores.append(run(bench, bench.stage(**knobs)).zero_shot or {})
    assert scores[0]["accuracy"] > 0.8
    assert scores[0]["auc"] > 0.85
    assert scores[1]["accuracy"] < 0.65


def test_a_made_encoder_that_is_found_says_the_same(pairs: PretrainingBench) -> None:
    stage = pairs.stage(**PAIRS)
    first = run(pairs, stage)
    again = run(pairs, stage)
    assert (first.found, again.found) == (False, True)
    assert first.zero_shot == again.zero_shot
    assert first.zero_shot is not None
    assert {"accuracy", "f1_macro", "log_loss"} <= first.zero_shot.keys()
    plain = run(pairs, pairs.stage(form="pairs"))
    assert plain.zero_shot is None


@pytest.mark.parametrize("token_types", ["segments", "zeros"])
def test_dev_is_read_as_training_pairs_are(pairs: PretrainingBench, tokenizer: Any, token_types: str) -> None:
    """By the tokenizer's own rows, one at a time, with the model that the folder holds."""
    stage = pairs.stage(**PAIRS, token_types=token_types, max_length=12, pair_order="random")
    outcome = run(pairs, stage)
    model = read_labelling(made.folder_of(stage.id), stage.id, len(pairs.task.label_names))
    dev, logits = pairs.task.dev, []
    assert dev.pairs is not None
    for first, second in zip(dev.texts, dev.pairs, strict=True):
        row = tokenizer(first, second, truncation="longest_first", max_length=12, return_tensors="pt")
        types = row["token_type_ids"] * (token_types == "segments")
        with torch.no_grad():
            logits.append(model.labels({"input_ids": row["input_ids"], "token_type_ids": types})[0].numpy())
    expected = score(np.asarray(dev.labels), np.stack(logits))
    assert outcome.zero_shot == pytest.approx(expected, abs=1e-6)


def test_a_folder_without_its_labels_is_made_anew(pairs: PretrainingBench) -> None:
    stage = pairs.stage(**PAIRS)
    first = run(pairs, stage)
    file = made.folder_of(stage.id) / made.LABEL_TOKENS
    file.write_bytes(file.read_bytes()[:-4] + b"1234")
    assert made.find(stage.id) is None
    file.unlink()
    assert made.find(stage.id) is None
    repaired = run(pairs, stage)
    assert not repaired.found
    assert (repaired.checksum, repaired.zero_shot) == (first.checksum, first.zero_shot)


def test_the_folder_is_one_for_transformers(pairs: PretrainingBench) -> None:
    stage = pairs.stage(**PAIRS)
    run(pairs, stage)
    for kind in (AutoModel, AutoModelForMaskedLM):
        _, info = kind.from_pretrained(made.folder_of(stage.id), output_loading_info=True)
        assert not any(info[key] for key in ("missing_keys", "mismatched_keys"))
        assert all(".pooler." in name or kind is AutoModel for name in info["unexpected_keys"])


@pytest.mark.slow  # 1.5 s
def test_each_checkpoint_says_its_own(pairs: PretrainingBench) -> None:
    early, late = (pairs.stage(**PAIRS, steps=10, checkpoint=step) for step in (3, "last"))
    one, other = run(pairs, early), run(pairs, late)
    assert early.run == late.run
    assert one.zero_shot != other.zero_shot
    delete(late)
    assert run(pairs, late).zero_shot == other.zero_shot


# --- as any other pretraining

KILLED = """
import pickle, sys
from pathlib import Path
from gridsearch.training.execution import Execution
from gridsearch.training.pretraining import pretraining
stage, corpus, base = pickle.loads(Path(sys.argv[1]).read_bytes())
for point in pretraining(stage, corpus, base, Execution(device="cpu", save_seconds=0.0)):
    print(point.step, flush=True)
"""


@pytest.mark.slow  # a process to start, which is killed
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_killed_on_the_way_it_is_what_it_would_have_been(
    pairs: PretrainingBench, tmp_path: Path, precision: str
) -> None:
    knobs = {**PAIRS, "steps": 12, "dropout": 0.3, "lookahead_steps": 3, "pair_order": "random", "next_sentence": True}
    stage = pairs.stage(**knobs, precision=precision)
    whole = run(pairs, stage)
    labels = (made.folder_of(stage.id) / made.LABEL_TOKENS).read_bytes()
    delete(stage)
    handed = tmp_path / "work.pickle"
    handed.write_bytes(pickle.dumps((stage, pairs.corpus(stage), pairs.base)))
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(handed)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 5:
            os.kill(process.pid, signal.SIGKILL)
            break
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    events = pretraining(stage, pairs.corpus(stage), pairs.base, ON_CPU)
    assert next(events).step > 1
    outcome = to_the_end(events, lambda point: None)
    assert (outcome.checksum, outcome.zero_shot) == (whole.checksum, whole.zero_shot)
    assert (made.folder_of(stage.id) / made.LABEL_TOKENS).read_bytes() == labels
    assert [point.loss for point in outcome.log] == [point.loss for point in whole.log]


@pytest.mark.parametrize("divisor", [2, 3])
def test_a_batch_in_parts_is_the_batch(pairs: PretrainingBench, divisor: int) -> None:
    stage = pairs.stage(**{**LABELLED, "form": "both", "next_sentence": True, "pair_order": "random", "dropout": 0.2})
    corpus = pairs.corpus(stage)
    losses = [
        [point.loss for point in Run(stage, corpus, pairs.base, execution).points(lambda: None)]
        for execution in (ON_CPU, Execution(device="cpu", micro_batch_divisor=divisor))
    ]
    np.testing.assert_allclose(*losses, rtol=2e-5)


def test_its_price_holds_that_of_judging(pairs: PretrainingBench) -> None:
    stage = pairs.stage(**PAIRS, steps=40)
    with pytest.raises(StopIteration) as stop:
        next(measuring_stage(stage, pairs.corpus(stage), pairs.base, ON_CPU, seconds=0.2))
    assert stop.value.value.setup_seconds > 0
    assert made.find(stage.id) is None


def test_texts_without_labels_teach_none(bert_folder: Path, task: Task) -> None:
    assert task.train.labels is not None
    bare = replace(task, label_names=("text",), train=replace(task.train, labels=(0,) * len(task.train)))
    bench = PretrainingBench(bert_folder, bare)
    assert "needs labelled rows, and the texts have no labels" in bench.is_refused(**LABELLED)
    assert not bench.is_refused(**LABELLED, steps=0)

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoTokenizer, BertModel

from gridsearch.encoders.tiny import tiny
from gridsearch.encoders.tiny.weights import TinyRecipe
from gridsearch.encoders.vocabulary import SPECIAL_TOKENS, build_vocabulary
from gridsearch.tasks.built_in import docstrings
from gridsearch.tasks.task import Task

SMALL = TinyRecipe(n_layers=3, hidden_width=16, intermediate_width=16, n_tokens_most=200, n_gathering_layers=2)
TOPICS = (
    (("cat", "dog", "cow"), ("sleeps", "runs", "eats"), ("house", "field", "wood")),
    (("star", "moon", "comet"), ("shines", "rises", "sets"), ("sky", "orbit", "night")),
)
TEXTS = tuple(f"the {who} {does} in the {where}" for topic in TOPICS for who, does, where in product(*topic))
TITLES = Path(__file__).parents[2].parent / "shared" / "data" / "thucnews10" / "train_first45k.txt"
MAKE = """
import sys, torch
from test_tiny_inputs import RECIPE, TEXTS
from gridsearch.encoders.tiny import tiny
torch.set_num_threads(int(sys.argv[1]))
said = []
print(tiny.folder(TEXTS, RECIPE, said.append), len(said))
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path))
    return tmp_path


def start_maker(cache: Path, inputs: Path, n_threads: int) -> "subprocess.Popen[str]":
    inputs.mkdir(exist_ok=True)
    (inputs / "test_tiny_inputs.py").write_text(
        f"from gridsearch.encoders.tiny.weights import TinyRecipe\nRECIPE = {SMALL!r}\nTEXTS = {TEXTS!r}\n"
    )
    paths = os.pathsep.join([str(inputs), str(Path(__file__).parents[2])])
    environment = os.environ | {
        "GRIDSEARCH_CACHE": str(cache),
        "PYTHONPATH": paths,
        "PYTHONHASHSEED": str(n_threads),
        "OMP_NUM_THREADS": str(n_threads),
    }
    return subprocess.Popen(
        [sys.executable, "-c", MAKE, str(n_threads)], env=environment, text=True, stdout=subprocess.PIPE
    )


def finish(process: "subprocess.Popen[str]") -> tuple[Path, int]:
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    place, n_said = output.rsplit(maxsplit=1)
    return Path(place), int(n_said)


def digests(place: Path) -> dict[str, str]:
    return {name: hashlib.sha256((place / name).read_bytes()).hexdigest() for name in tiny.FILES}


@pytest.mark.slow  # processes that import torch
def test_processes_that_make_it_apart_make_the_same_bytes(cache: Path, tmp_path: Path) -> None:
    """This one, and one of more threads."""
    there, _ = finish(start_maker(tmp_path / "another cache", tmp_path / "inputs", torch.get_num_threads() + 1))
    here = tiny.folder(TEXTS, SMALL)
    assert here != there
    assert digests(here) == digests(there)


@pytest.mark.slow  # processes that import torch
def test_of_processes_that_ask_at_once_one_makes_it(tmp_path: Path) -> None:
    makers = [start_maker(tmp_path / "cache", tmp_path / "inputs", 1) for _ in range(2)]
    (first, n_first), (second, n_second) = (finish(maker) for maker in makers)
    assert first == second
    assert sorted([n_first, n_second]) == [0, 1]
    assert sorted(path.name for path in first.parent.iterdir()) == [first.name, f"{first.name}.lock"]


def test_a_half_made_folder_is_replaced(cache: Path) -> None:
    place = cache / "encoders" / tiny.identity(TEXTS, SMALL)
    place.mkdir(parents=True)
    (place / "config.json").write_text("{")
    killed = cache / "encoders" / f"{place.name}.draft-killed"
    killed.mkdir()
    assert tiny.folder(TEXTS, SMALL) == place
    assert tiny.is_whole(place)
    assert not killed.exists()
    AutoModel.from_pretrained(place)


def test_asking_again_makes_nothing(cache: Path) -> None:
    said: list[str] = []
    place = tiny.folder(TEXTS, SMALL, said.append)
    assert len(said) == 1
    assert tiny.folder(TEXTS, SMALL, said.append) == place
    assert len(said) == 1


def test_leaves_the_random_state_and_the_threads_alone(cache: Path) -> None:
    state, n_threads = torch.get_rng_state(), torch.get_num_threads()
    tiny.folder(TEXTS, SMALL)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == n_threads


def test_identity_depends_on_texts_and_recipe_and_needs_no_building(cache: Path) -> None:
    identities = {
        tiny.identity(TEXTS, SMALL),
        tiny.identity(TEXTS[:-1], SMALL),
        tiny.identity(TEXTS, replace(SMALL, seed=1)),
        tiny.identity(TEXTS, replace(SMALL, version=SMALL.version + 1)),
    }
    assert len(identities) == 4
    assert tiny.card(TEXTS, SMALL).n_layers == 3
    assert list(cache.iterdir()) == []


def test_loads_as_a_bert_with_its_pooler(cache: Path) -> None:
    place = tiny.folder(TEXTS, SMALL)
    model, info = AutoModel.from_pretrained(place, output_loading_info=True)
    assert isinstance(model, BertModel)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    tokenizer = AutoTokenizer.from_pretrained(place)
    vocabulary = (place / "vocab.txt").read_text(encoding="utf-8").splitlines()
    assert tokenizer.convert_ids_to_tokens(list(range(len(vocabulary)))) == vocabulary
    assert tokenizer.tokenize("The cat runs") == ["the", "cat", "runs"]
    assert tokenizer("cat", "dog")["token_type_ids"] == [0, 0, 0, 1, 1]


def test_cls_holds_a_summary_of_the_text(cache: Path) -> None:
    place = tiny.folder(TEXTS, SMALL)
    model, tokenizer = AutoModel.from_pretrained(place), AutoTokenizer.from_pretrained(place)
    texts = ["the cat sleeps in the house", "the house in the cat sleeps", "the moon rises in the night"]
    with torch.inference_mode():
        pooled = model(**tokenizer(texts, return_tensors="pt")).pooler_output
    same_words, other_words = (pooled[0] - pooled[1:]).norm(dim=1)
    assert same_words < other_words / 3


def test_every_layer_is_trained_and_no_embedding(cache: Path) -> None:
    before, after = (
        AutoModel.from_pretrained(tiny.folder(TEXTS, replace(SMALL, n_steps_most=n_steps))).state_dict()
        for n_steps in (0, 6)
    )
    changed = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert not {name for name in changed if name.startswith("embeddings.")}
    for n in range(SMALL.n_layers):
        of_layer = {name for name in after if name.startswith(f"encoder.layer.{n}.")}
        # In the last layer nothing but [CLS] is read; a bias of all keys shifts every score alike.
        assert {name for name in of_layer - changed if not name.endswith("key.bias")} == set()


@pytest.mark.slow  # reads many texts with tiny
def test_the_pooler_gives_all_that_differs_between_texts_one_scale(cache: Path, docstrings_task: Task) -> None:
    texts = docstrings_task.train.texts[:300]
    place = tiny.folder(texts, SMALL)
    model, tokenizer = AutoModel.from_pretrained(place), AutoTokenizer.from_pretrained(place)
    with torch.inference_mode():
        rows = tokenizer(list(texts), return_tensors="pt", padding=True, truncation=True, max_length=50)
        states = model(**rows).last_hidden_state[:, 0]
        spread = model.pooler.dense(states)
        before, after = (torch.linalg.eigvalsh(those.T.cov()) for those in (states, spread))
    assert spread.mean(dim=0).abs().max() < 0.01
    assert after.max() < 1.05
    assert after.sort().values[-8] > 0.8  # the eighth of 16
    assert before.sort().values[-8] < 0.2 * before.max()


@pytest.mark.parametrize("texts", [["one text"], ["", "one text"], ["one text " * 500] * 3])
def test_few_blank_and_long_texts_are_enough(cache: Path, texts: list[str]) -> None:
    weights = AutoModel.from_pretrained(tiny.folder(texts, SMALL)).state_dict()
    assert all(tensor.isfinite().all() for tensor in weights.values())


def test_a_vocabulary_covers_rarer_words_by_their_parts() -> None:
    vocabulary = build_vocabulary(["call caller calling"] * 3 + ["calls", "walls"] * 2, 60)
    assert vocabulary[:5] == list(SPECIAL_TOKENS)
    assert len(vocabulary) == len(set(vocabulary))
    assert {"call", "caller", "walls"} <= set(vocabulary)
    assert len(build_vocabulary(["call caller calling"] * 3, 9)) <= 9


@pytest.mark.slow  # makes tiny of other texts
@pytest.mark.skipif(not TITLES.exists(), reason="the Chinese titles are not beside the repository")
def test_chinese_titles(cache: Path) -> None:
    titles = [line.split("\t")[0] for line in TITLES.read_text(encoding="utf-8").splitlines()[:2000]]
    place = tiny.folder(titles, replace(SMALL, n_tokens_most=3000))
    tokenizer = AutoTokenizer.from_pretrained(place)
    tokens = [token for title in titles for token in tokenizer.tokenize(title)]
    assert tokens.count("[UNK]") < 0.03 * len(tokens)
    assert tokenizer.tokenize("中国女子") == ["中", "国", "女", "子"]


@pytest.mark.slow  # makes the whole encoder and trains it; the small one's summary is tested above
def test_learns_the_docstrings_from_cls_through_the_pooler(cache: Path) -> None:
    task = docstrings.load()
    place = tiny.folder(task.corpus)
    assert macro_f1_after_training(place, task) > 0.68  # TF-IDF + logistic regression: .72; chance is .17


def macro_f1_after_training(place: Path, task: Task) -> float:
    """Fine-tune three epochs with plain AdamW and return the macro-F1 on dev."""
    from sklearn.metrics import f1_score

    torch.manual_seed(0)
    model, tokenizer = AutoModel.from_pretrained(place), AutoTokenizer.from_pretrained(place)
    head = torch.nn.Linear(model.config.hidden_size, len(task.label_names))
    parameters = [*model.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=5e-4, weight_decay=0.0)
    options = {"padding": True, "truncation": True, "max_length": 32, "return_tensors": "pt"}
    labels = torch.tensor(task.train.labels)
    batches = [batch for _ in range(3) for batch in torch.randperm(len(labels)).split(32)]
    model.train()
    for step, batch in enumerate(batches):
        optimizer.param_groups[0]["lr"] = 5e-4 * (1 - step / len(batches))
        inputs = tokenizer([task.train.texts[index] for index in batch.tolist()], **options)
        loss = torch.nn.functional.cross_entropy(head(model(**inputs).pooler_output), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
    model.eval()
    with torch.inference_mode():
        predictions = head(model(**tokenizer(list(task.dev.texts), **options)).pooler_output).argmax(dim=-1)
    return float(f1_score(task.dev.labels, predictions.numpy(), average="macro"))

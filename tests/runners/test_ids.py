"""Studies on anonymised ids as a user runs them: every alignment, every runner, further use of what was trained."""

import json
import math
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from gridsearch.encoders.files import read_card
from gridsearch.encoders.pretraining.made import folder_of
from gridsearch.study.study import Study
from runners.cli import main
from tests.encoder_of_vocabulary import encoder_of
from tests.runners.staging import numbers, rows

pytestmark = pytest.mark.usefixtures("project")

TASK = """name = "numbers"
kind = "pair"
metric = "accuracy"
ids = true
[files]
train = "ids.tsv"
dev = 0.25
[columns]
header = false
text = 0
pair = 1
label = 2
[vocabulary]
counts = "counts.json"
"""
ALIGN = """
[recipe]
epochs = 1
learning_rate = 3e-3
batch_size = 16
max_length = 24
vocabulary.min_count = 2
{recipe}
[factors.align.levels]
none = {{ vocabulary.align = "none" }}
special = {{ vocabulary.align = "special" }}
frequency = {{ vocabulary.align = "frequency" }}
order = {{ vocabulary.align = "order", vocabulary.start = "the" }}
"""
PRETRAINED = """
pretraining.objective = "mlm"
pretraining.steps = 4
pretraining.batch_size = 8
pretraining.max_length = 16
"""
SCRATCH = '\npretraining.base = "scratch"\npretraining.layers = 1\npretraining.width = 16\npretraining.heads = 2\n'
ORDINARY = "epochs = [1, 2]"


@pytest.fixture(autouse=True)
def _ids(project: Path) -> None:
    """Write a task of ids, and what is known of the words of the encoder's vocabulary."""
    draw = random.Random(0)
    texts = [" ".join(str(draw.randint(1, 40)) for _ in range(draw.randint(2, 6))) for _ in range(192)]
    texts[50], texts[60] = "777 12", "500 500 500"  # rare ones
    lines = [f"{texts[n]}\t{texts[n + 96]}\t{n % 2}\n" for n in range(96)]
    (project / "ids.tsv").write_text("".join(lines))
    (project / "ids.toml").write_text(TASK)
    (project / "counts.json").write_text(json.dumps({"the": 900, "of": 500, "a": 700, "##s": 600, "nowhere": 5000}))
    (project / "align.toml").write_text(ALIGN.format(recipe=""))


def run(*words: object, code: int = 0) -> None:
    assert main([str(word) for word in words]) == code


def with_set(*settings: str) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


def asked(encoder: object, *more: object, space: str = "align.toml") -> list[object]:
    return [space, "--task", "ids.toml", "--model", encoder, "--study", "study", *more]


def encoders(study: str = "study") -> list[str]:
    return [encoder for (encoder,) in rows("SELECT DISTINCT encoder FROM trials", study)]


def test_each_alignment_is_an_encoder_of_its_own_and_the_page_shows_what_they_do(
    encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("plan", *asked(encoder_folder))
    told = " ".join(capsys.readouterr().out.split())
    assert "of 42 ids, the 41 that occur 3 times or more are tokens of their own" in told
    run("sweep", *asked(encoder_folder, "--runner", "serial", "--keep", "best"))
    assert "complete: 4 planned, 4 finished" in capsys.readouterr().out
    assert len(encoders()) == 4
    assert all(identity.startswith("ids-") for identity in encoders())
    assert len({logits for _, logits in numbers()["trials"].values()}) == 4
    run("verify", "study")
    run("report", "study", "--format", "md,json", "-o", "out")
    page = json.loads(Path("out/page.json").read_text())
    assert [cell["levels"]["align"] for cell in page["cells"]] == ["none", "special", "frequency", "order"]
    again = [(cell["recipe"]["encoder"], cell["recipe"]["vocabulary.align"]) for cell in page["cells"]]
    assert again == [(str(encoder_folder), name) for name in ("none", "special", "frequency", "order")]
    capsys.readouterr()
    for cell in page["cells"]:
        run("rerun", "study", "--trial", cell["replicates"][0]["trial"])
        assert "equal to the ledger's, to the last bit" in capsys.readouterr().out


@pytest.mark.slow  # predicts by retraining
def test_new_ids_are_labelled_from_kept_weights_and_from_retrained_ones(
    encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("sweep", *asked(encoder_folder, "--runner", "serial", "--keep", "best"))
    Path("new.tsv").write_text("1 2 3\t4 5\n99 98\t7\n")
    capsys.readouterr()
    run("predict", "study", "new.tsv")
    first = capsys.readouterr().out
    assert first.splitlines()[1].startswith("1 2 3,4 5,")
    shutil.rmtree("study/weights")
    run("predict", "study", "new.tsv")
    again = capsys.readouterr()
    assert "training it again" in again.err
    assert again.out == first
    Path("new.tsv").write_text("1 2 3\tfour\n")
    run("predict", "study", "new.tsv", code=2)
    assert "new.tsv row 1: with ids = true every text is whole numbers" in capsys.readouterr().err


@pytest.mark.slow  # 18 s; test_contract holds them to the same bits
def test_in_processes_the_numbers_are_the_same(encoder_folder: Path) -> None:
    Path("align.toml").write_text(ALIGN.format(recipe=PRETRAINED))
    run("sweep", *asked(encoder_folder, "--runner", "serial"))
    known = numbers()
    shutil.rmtree("study")
    shutil.rmtree(folder_of("x").parent)
    run("sweep", *asked(encoder_folder, "--runner", "processes", "--workers", "1"))
    assert numbers() == known
    assert len(known["trials"]) == 4


@pytest.mark.slow  # 4 s
def test_pretrained_further_each_alignment_is_a_start_of_its_own(
    encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("align.toml").write_text(ALIGN.format(recipe=PRETRAINED))
    run("sweep", *asked(encoder_folder, "--runner", "serial"))
    assert "4 pretrainings, 4 finished" in capsys.readouterr().out
    bases = [base for (base,) in rows("SELECT DISTINCT base FROM stages")]
    assert len(bases) == 4
    assert all(base.startswith("ids-") for base in bases)
    page = Path("study/page.md").read_text()
    assert "vocabulary.align" in page, "the table of pretrainings tells them apart"
    assert all(base not in page for base in bases), "people know encoders by their names"
    (trial, *_) = [trial for (trial,) in rows("SELECT id FROM trials")]
    shutil.rmtree(folder_of("x").parent)
    run("rerun", "study", "--trial", trial)
    assert "equal to the ledger's, to the last bit" in capsys.readouterr().out


@pytest.mark.slow  # 2 s
def test_from_scratch_only_the_vocabulary_acts(encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("align.toml").write_text(ALIGN.format(recipe=PRETRAINED + SCRATCH))
    run("sweep", *asked(encoder_folder, "--runner", "serial"), code=2)
    why = "cell align = special: vocabulary.align cannot act: pretraining.base = 'scratch' takes no row of the encoder"
    assert why in capsys.readouterr().err
    counts = ALIGN.format(recipe=PRETRAINED + SCRATCH).split("[factors")[0].replace("vocabulary.min_count = 2", "")
    Path("counts.toml").write_text(counts + '[factors]\n"vocabulary.min_count" = [1, 12]\n')
    run("sweep", *asked(encoder_folder, "--runner", "serial", space="counts.toml"))
    assert "2 pretrainings, 2 finished" in capsys.readouterr().out


@pytest.mark.slow  # 3 s
def test_from_its_stage_and_from_the_exported_folder_a_trial_is_the_same(encoder_folder: Path) -> None:
    """The folder's own vocabulary is one of ids, and is kept: else its word vectors would be drawn anew."""
    space = ALIGN.format(recipe=PRETRAINED).split("[factors")[0] + f"[factors]\n{ORDINARY}\n"
    Path("align.toml").write_text(space.replace("epochs = 1\n", 'vocabulary.align = "frequency"\n'))
    run("sweep", *asked(encoder_folder, "--runner", "serial"))
    (made,) = encoders()
    shutil.copytree(folder_of(made), "exported")
    assert read_card("exported", Path("exported")).knows_ids
    alone = "".join(line for line in space.splitlines(keepends=True) if not line.startswith(("pretraining.", "vocab")))
    Path("alone.toml").write_text(alone.replace("epochs = 1\n", ""))
    known = numbers()["trials"]
    shutil.rmtree("study")
    run("sweep", *asked("exported", "--runner", "serial", space="alone.toml"))
    again = numbers()["trials"]
    assert sorted(logits for _, logits in again.values()) == sorted(logits for _, logits in known.values())


def test_pretrain_makes_a_folder_for_it(encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sets = ["vocabulary.align=special", "vocabulary.min_count=2", "pretraining.steps=2", "pretraining.max_length=16"]
    run("pretrain", "ids.toml", "--model", encoder_folder, *with_set(*sets), "-o", "x")
    assert read_card("x", Path("x")).knows_ids
    run("plan", *asked("x"), code=2)
    why = "vocabulary.min_count is set, but cannot act in any cell: the encoder's own vocabulary is one of ids, and is"
    assert why in capsys.readouterr().err
    run("plan", "align.toml", "--task", "task.toml", "--model", "x", code=2)
    assert "the encoder's vocabulary is one of ids, and the task's texts are no ids" in capsys.readouterr().err


@pytest.mark.slow  # makes tiny of other texts
def test_tiny_is_made_of_the_ids_that_are_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    Path("counts.toml").write_text(
        '[recipe]\nepochs = 1\nmax_length = 24\n[factors]\n"vocabulary.min_count" = [1, 12]\n'
    )
    run("sweep", *asked("tiny", "--runner", "serial", space="counts.toml"))
    assert len(encoders()) == 2
    assert len({logits for _, logits in numbers()["trials"].values()}) == 2
    vocabularies = [set(path.read_text().split("\n")) for path in folder_of("x").parent.glob("tiny-*/vocab.txt")]
    assert sorted("777" in words for words in vocabularies) == [False, True]
    assert all(not any(word.startswith("##") for word in words) for words in vocabularies)
    capsys.readouterr()
    run("plan", *asked("tiny"), code=2)
    why = "vocabulary.align cannot act: the encoder is made from the same ids, so there are no rows of other tokens to"
    assert why in capsys.readouterr().err


@pytest.mark.slow  # 2 s
def test_an_optimiser_proposes_alignments(encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("optimize", *asked(encoder_folder, "--trials", "4", "--runner", "serial"))
    assert "complete: 4 planned, 4 finished" in capsys.readouterr().out
    assert len(encoders()) == 4


@pytest.mark.slow  # 4 s
def test_a_study_grows_by_an_alignment(encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = ALIGN.format(recipe="")
    Path("align.toml").write_text("".join(line for line in text.splitlines(keepends=True) if "order" not in line))
    run("sweep", *asked(encoder_folder, "--runner", "serial"))
    Path("align.toml").write_text(text)
    run("sweep", *asked(encoder_folder, "--runner", "serial"))
    assert "3 of 4 trials are finished already" in capsys.readouterr().out
    Path("counts.json").write_text('{"the": 1, "of": 2}')
    run("sweep", *asked(encoder_folder, "--runner", "serial"), code=2)
    assert "the ids of the task's further files, or its token counts, have changed" in capsys.readouterr().err
    with Study(Path("study")).open() as ledger:
        names = ledger.trials_manifest().encoders_of_ids
    (trial,) = rows(f"SELECT id FROM trials WHERE encoder = '{encoder_with(names, 'frequency')}'")
    run("rerun", "study", "--trial", trial[0], code=2)
    assert "the ids of the task, or its token counts, are no longer those" in capsys.readouterr().err


def encoder_with(names: Any, align: str) -> str:
    return next(identity for identity, said in names.items() if said["vocabulary.align"] == align)


@pytest.mark.parametrize(
    ("setting", "task", "sentence"),
    [
        ("vocabulary.align=order vocabulary.start=你", "ids.toml", "'你' is none of it"),
        ("vocabulary.min_count=500", "ids.toml", "vocabulary.min_count = 500 leaves no id: the most frequent one"),
        ("vocabulary.align=frequency", "bare.toml", "needs to know how often the encoder's tokens occur: name a file"),
        (
            "vocabulary.align=frequency",
            "task.toml",
            "vocabulary.align is set, but cannot act in any cell: the texts are",
        ),
        ("vocabulary.alin=frequency", "ids.toml", "did you mean 'vocabulary.align'?"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    setting: str, task: str, sentence: str, encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bare.toml").write_text(TASK.split("[vocabulary]")[0])
    Path("small.toml").write_text(f"[recipe]\nmax_length = 24\n[factors]\n{ORDINARY}\n")
    run("plan", "small.toml", "--task", task, "--model", encoder_folder, *with_set(*setting.split()), code=2)
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.strip().splitlines()) == 1


def test_counts_that_keep_the_same_ids_are_one_recipe(encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("counts.toml").write_text('[recipe]\nmax_length = 24\n[factors]\n"vocabulary.min_count" = [2, 3]\n')
    run("plan", *asked(encoder_folder, space="counts.toml"), code=2)
    assert "are the same recipe: vocabulary.min_count = 2 and" in capsys.readouterr().err


def test_lengths_that_cut_no_text_of_ids_are_refused(encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("lengths.toml").write_text("[factors]\nmax_length = [20, 40]\n")
    run("plan", *asked(encoder_folder, space="lengths.toml"), code=2)
    assert "the longest text has 15 tokens, and neither max_length cuts it" in capsys.readouterr().err


@pytest.mark.slow  # 500 steps: a minute and a half
def test_a_small_nezha_learns_gaiics_ids(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From scratch the loss begins at that of an even guess, ln(V), and falls."""
    folder = encoder_of(shared_data / "vocab" / "bert-base-chinese.vocab.txt", Path("chinese"))
    gaiic = shared_data / "gaiic2021_track3"
    lines = (gaiic / "gaiic_track3_round1_testA_20210228.tsv").read_text().splitlines()
    # Nobody's labels: nothing reads them here.
    Path("ids.tsv").write_text("".join(f"{line}\t{n % 2}\n" for n, line in enumerate(lines[:100])))
    Path("ids.toml").write_text(
        TASK.replace("counts.json", str(gaiic / "bert_token_counts.json"))
        + f'[corpus]\nfiles = ["{gaiic}/gaiic_track3_round1_testA_20210228.tsv"]\n'
    )
    sets = {
        "base": "scratch", "family": "nezha", "layers": 2, "width": 128, "heads": 2, "corpus": "files", "form": "pairs",
        "max_length": 32, "steps": 500, "learning_rate": 1e-3, "warmup_proportion": 0.1,
    }  # fmt: skip
    settings = [f"pretraining.{name}={value}" for name, value in sets.items()]
    run("pretrain", "ids.toml", "--model", folder, *with_set(*settings), "-o", "nezha")
    log = json.loads(Path("nezha/trainer_state.json").read_text())["log_history"]
    n_tokens = json.loads(Path("nezha/config.json").read_text())["vocab_size"]
    assert abs(log[0]["loss"] - math.log(n_tokens)) < 0.3
    assert log[-1]["loss"] < math.log(n_tokens) - 2

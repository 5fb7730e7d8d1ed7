"""The page in Chinese: every sentence has its own, and no English is left outside of code and of what users wrote."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
import wcwidth

import gridsearch
import reports
from gridsearch.errors import RequestError
from gridsearch.planning.texts_read import TextsRead
from gridsearch.recipe import dead_knobs
from gridsearch.recipe.pretraining import dead_knobs as pretraining_dead_knobs
from gridsearch.recipe.recipe import knobs
from gridsearch.space.design import Design, design_text
from gridsearch.study.stages import StageCoverage
from gridsearch.study.study import Study
from gridsearch.study.survey import Coverage
from gridsearch.tasks import learned
from gridsearch.tasks.judging import guesses
from gridsearch.tasks.learned import guess_on, why_below
from gridsearch.tasks.splits import SAME_PAIRS
from gridsearch.trial import FAILURE_KINDS, Failure
from reports.figures.figure import Picture
from reports.importing.imported import store
from reports.importing.logs import read_log
from reports.language import chinese
from reports.language.say import LANGUAGES, retold, say, speaking
from reports.page import make_page, write_reports
from reports.study.read import read_study
from reports.study.view import StudyRows
from runners.cli import main
from tests.fixtures_core import slow
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan
from tests.reports.folded import FoldWriter, folded_plan
from tests.reports.pages import (
    THREE,
    filled,
    golden_page,
    import_table,
    read,
    sixty_four_cells,
    small_page,
    small_study,
)
from tests.reports.parted import FOLDS as PARTS_IN_FOLDS
from tests.reports.parted import joint_study, joint_task
from tests.reports.seed64 import POOLER
from tests.reports.staged import OWN_SEEDS, STEPS, StageWriter, finish_all, pretrained, staged_plan

GOLDEN = Path(__file__).with_name("small_page.zh.md")

ENGLISH = re.compile(r"(?:[A-Za-z][A-Za-z'-]*[,;:]? ){2,}[A-Za-z]+")
"""Three words or more in a row."""
WRITTEN_BY_USERS = (
    "Do bertadam and freezing help?",
    "Does pretraining help?",
    "Which of six BERT fine-tuning tricks help?",
    "2 rows occur twice.",
    "the attack has nothing to act on",
)


def english_in(markdown: str) -> list[str]:
    """Find English outside of code, addresses and what users wrote."""
    prose = re.sub(r"^(`{3,}).*?^\1$", "", markdown, flags=re.DOTALL | re.MULTILINE)
    prose = re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)|\]\([^)]*\)|https?://\S+", "", prose, flags=re.DOTALL)
    prose = prose.replace("\n  ", " ").replace("\n", " ")
    for text in WRITTEN_BY_USERS:
        prose = prose.replace(text, "")
    return ENGLISH.findall(prose)


class Strict(dict[str, str]):
    """A catalogue that refuses a sentence that it does not have."""

    def get(self, template: str, default: object = None) -> str:  # type: ignore[override]
        return self[template]


@pytest.fixture
def in_chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(LANGUAGES, "zh", Strict(chinese.SENTENCES))  # type: ignore[arg-type]
    with speaking("zh"):
        yield


# The catalogue.


def places(template: str) -> set[str]:
    return {name for _, name, *_ in Formatter().parse(template) if name is not None}


def trees(package: Path) -> Iterator[ast.AST]:
    for path in package.rglob("*.py"):
        if "chinese" not in path.parts:
            yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def said() -> set[str]:
    """All templates that stand as such in a call of `say`, and what `plural` and `listed` make of a noun."""
    found = set()
    for node in trees(Path(reports.__path__[0])):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("say", "plural"):
            last = node.args[-1]
            if isinstance(last, ast.Constant):
                found.add(last.value if node.func.id == "say" else f"{{n}} {last.value}")
    return found


def constants(package: Path) -> set[str]:
    return {node.value for node in trees(package) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_sentence_is_in_the_catalogue() -> None:
    templates = said()
    assert len(templates) > 300
    assert sorted(templates - chinese.SENTENCES.keys()) == []


def test_both_languages_fill_in_the_same_places() -> None:
    for english, other in (chinese.SENTENCES | chinese.TEXTS).items():
        assert places(english) == places(other), english


def test_the_catalogue_has_nothing_that_is_never_said() -> None:
    known = constants(Path(reports.__path__[0]))
    assert (
        sorted(text for text in chinese.SENTENCES if text not in known and text.removeprefix("{n} ") not in known) == []
    )


def test_the_catalogue_has_no_sentence_twice() -> None:
    parts = [chinese.PAGE, chinese.FINDINGS, chinese.COMPARISONS, chinese.IMPORTED, chinese.SEARCHES, chinese.HALVED]
    parts += [chinese.FIGURES, chinese.ANSWER, chinese.FOLDS, chinese.PARTS, chinese.ENSEMBLES, chinese.TEXTS_READ]
    parts += [chinese.LABELS_AND_NUMBERS, chinese.OWN_METRIC]
    assert sum(map(len, parts)) == len(chinese.SENTENCES)
    texts = [chinese.REASONS, chinese.KNOBS, chinese.NOTES_OF_ENCODERS]
    assert sum(map(len, texts)) == len(chinese.TEXTS)


def test_texts_of_the_core_are_those_that_it_writes() -> None:
    """Every piece between the places of a template stands in the core's own sources."""
    known = "\n".join(constants(Path(gridsearch.__path__[0])))
    for template in chinese.TEXTS:
        for piece, *_ in Formatter().parse(template):
            assert piece.strip(" ,;:()=") in known, template


def test_chinese_has_full_width_punctuation_and_blanks_around_latin() -> None:
    for text in (*chinese.SENTENCES.values(), *chinese.TEXTS.values()):
        assert not re.search(r"[一-龥][A-Za-z0-9]|[A-Za-z0-9][一-龥]", re.sub(r"\d+ ?%", "%", text)), text
        assert not re.search(r"[一-龥][,;:?!]|[,;:?!][一-龥]", text), text
        assert not re.search(r"[，。；：、！？）]\*\*", text), text


@pytest.mark.parametrize("name", knobs())
def test_every_knob_is_told_in_chinese(name: str) -> None:
    knob = knobs()[name]
    with speaking("zh"):
        assert knob.meaning in chinese.KNOBS
        assert ENGLISH.findall(retold(knob.source)) == []


def texts_returned(function: Callable[..., object]) -> Iterator[str]:
    """What a function may return, with a 1 in every place of it."""
    tree = ast.parse(inspect.getsource(function))
    for node in ast.walk(tree):
        if isinstance(node, ast.Return):
            for part in ast.walk(node):
                if isinstance(part, ast.JoinedStr):
                    yield "".join(str(piece.value) if isinstance(piece, ast.Constant) else "1" for piece in part.values)
                    break
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and " " in part.value:
                    yield part.value


REASONS = [
    text
    for module in (dead_knobs, pretraining_dead_knobs)
    for _, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__
    for text in texts_returned(function)
]


DESIGNS = [design_text(kind, 4) for kind in get_args(Design.model_fields["kind"].annotation)]


@pytest.mark.parametrize(
    "reason",
    [
        *REASONS,
        *texts_returned(learned.why_not_learned),
        *texts_returned(learned.same_label),
        *texts_returned(guesses.same_labels),
        *texts_returned(guesses.same_number),
        why_below({"task": guess_on("accuracy", (3, 5))}),
        why_below({"topic": guess_on("accuracy", (3, 5)), "mood": guess_on("f1_macro", (3, 5))}),
        *FAILURE_KINDS,
        *DESIGNS,
    ],
)
def test_reasons_are_told_in_chinese(reason: str) -> None:
    with speaking("zh"):
        told = retold(reason)
    assert re.search("[一-龥]", told)
    assert ENGLISH.findall(told) == []


def test_reasons_were_found() -> None:
    assert len(REASONS) >= 38


def test_what_fills_a_place_is_told_too() -> None:
    with speaking("zh"):
        assert retold(str(Coverage(10, 7, 1, 1, 0, 2, 1))) == (
            "尚未跑完：计划 10 个试验，完成 7 个，失败 1 个，待运行 0 个，1 个已剪枝，1 个运行中，2 个完成了不止一次"
        )
        stages = StageCoverage(planned=6, finished=2, failed=1, running=1, pending=2, found=1, repeated=0)
        assert retold(str(Coverage(1, 1, 0, 0, 0, 0, stages=stages))).endswith(
            "待运行 0 个；6 个预训练，完成 2 个（其中 1 个此前已有），失败 1 个，1 个运行中，待运行 2 个"
        )
        one = StageCoverage(planned=1, finished=1, failed=0, running=0, pending=0, found=0, repeated=0)
        assert retold(str(Coverage(1, 1, 0, 0, 0, 0, stages=one))).endswith("待运行 0 个；1 个预训练，完成 1 个")
        notes = "duplicates among 9 training rows: 3 also in dev, 2 repeated; drop_duplicates = true under [files] "
        assert retold(f"{notes}leaves them out").startswith(
            "9 条训练数据中有重复：3 条也在验证集中，2 条重复；在 [files]"
        )
        assert retold(SAME_PAIRS).endswith("或空白上不同的文本视为相同，交换次序的文本对也视为相同")
        assert retold("what a user wrote") == "what a user wrote"
    assert retold("head = 'linear' has no hidden layer") == "head = 'linear' has no hidden layer"


def test_a_sentence_that_is_missing_is_english() -> None:
    with speaking("zh"):
        assert say("{n} of something new", n=1) == "1 of something new"


# The pages.


def test_the_page_of_a_small_study(study: Study, in_chinese: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written out in full beside this file."""
    names = ("learning_rate", "bert_adam", "frozen_layers", "selection")
    monkeypatch.setattr("reports.sections.design.knobs", lambda: {name: knobs()[name] for name in names})
    writer = small_study(study)
    assert small_page(study) == golden_page(GOLDEN, writer.plan)


def small(study: Study) -> StudyRows:
    return read(small_study(study).study)


def hardly_read(study: Study) -> StudyRows:
    """Two encoders, one of ids: most is cut for the one, and the other knows little."""
    lengths = tuple((length, 900 if length == 8 else 100) for length in range(8, 80, 8))
    texts = [
        TextsRead("tiny", part, 1000, 20_000, n_unknown, "[UNK]", of_ids, lengths, (56, 50), {"p80": 16, "p91": 24})
        for part, n_unknown, of_ids in (("task", 9_000, False), ("other", 2_000, True))
    ]
    writer = Writer(study, replace(small_plan(), texts=tuple(texts)))
    writer.yardstick(0.7, 0.71)
    writer.finish(1, outcome(0.80, 0.79))
    return read(study)


def sixty_four(study: Study) -> StudyRows:
    return read(sixty_four_cells(study))


def found(study: Study) -> StudyRows:
    """A main effect and an interaction."""

    def value(levels: Mapping[str, str]) -> float:
        harm = levels["bert_adam"] == "1" and levels["frozen_layers"] == "0"
        return 0.8 - 0.02 * harm + 0.01 * (levels["reinit_layers"] == "1")

    return filled(study, value)


def nothing_found(study: Study) -> StudyRows:
    return filled(study, lambda _: 0.8, metric="log_loss")


def three_levels(study: Study) -> StudyRows:
    levels = "[factors.reinit_layers]\nlevels = [0, 1, 2]\n[design]\nseeds = [0, 1, 2]\n"
    return filled(study, lambda levels: 0.8 + 0.02 * int(levels["reinit_layers"]), SMALL_SPACE + levels)


def unfinished(study: Study) -> StudyRows:
    """No test, failures of every kind, replicates that are missing, rules."""
    rules = (
        '[[rules]]\nskip = "bert_adam and frozen_layers == 6"\nwhy = "the attack has nothing to act on"\n'
        "[design]\nseeds = [0, 1]\n"
    )
    writer = Writer(study, small_plan(SMALL_SPACE + rules, has_test=False))
    for kind in FAILURE_KINDS:
        failure = Failure(kind, "x")
        writer.run(lambda ledger, attempt, failure=failure: ledger.fail(attempt, failure, final=False), 2)  # type: ignore[misc]
    writer.run(lambda ledger, attempt: None, 3)
    writer.finish(1, outcome(0.8))
    return read(study)


def nothing_done(study: Study) -> StudyRows:
    Writer(study, small_plan())
    return read(study)


def not_learned(study: Study) -> StudyRows:
    writer = Writer(study, small_plan(THREE))
    for cell in range(1, 9):
        for replicate in range(4):
            reason = "the training loss never fell below that of an even guess, 0.693" if cell > 2 else ""
            writer.finish(cell, outcome(0.5 + cell / 100 + replicate / 1000, 0.5, not_learned=reason), replicate)
    return read(study)


def listed(study: Study) -> StudyRows:
    rows = (
        '[design]\nkind = "list"\nseeds = [0, 1, 2, 3]\n'
        'rows = [{ row = "a", bert_adam = true }, { row = "a2", bert_adam = true }, { row = "b", frozen_layers = 6 }]\n'
    )
    return filled(study, lambda levels: 0.8 - 0.05 * (levels["frozen_layers"] == "6"), SMALL_SPACE + rows)


def fraction(study: Study) -> StudyRows:
    third = '[factors.reinit_layers]\nlevels = [0, 1]\n[design]\nkind = "fraction"\nresolution = 3\nseeds = [0, 1, 2]\n'
    return filled(study, lambda levels: 0.8 + 0.02 * (levels["bert_adam"] == "1"), SMALL_SPACE + third)


def random_cells(study: Study) -> StudyRows:
    third = '[factors.reinit_layers]\nlevels = [0, 1, 2]\n[design]\nkind = "random"\ncells = 9\n'
    return filled(study, lambda levels: 0.8 + 0.02 * (levels["bert_adam"] == "1"), SMALL_SPACE + third)


def dead(study: Study) -> StudyRows:
    space = (
        SMALL_SPACE.replace("epochs = 2", 'epochs = 2\npooling = "mean"')
        + "[factors.reinit_pooler]\nlabel = 'pooler'\nlevels = [false, true]\n"
        + "[factors.reinit_layers]\nlevels = [0, 1]\n[design]\non_dead = 'replicate'\n"
    )
    return filled(study, lambda levels: 0.8 + 0.02 * (levels["bert_adam"] == "1"), space)


def one_at_a_time(study: Study) -> StudyRows:
    return filled(study, lambda _: 0.8, SMALL_SPACE + '[design]\nkind = "one-at-a-time"\n')


def pretrained_in_every_way(study: Study) -> StudyRows:
    """One made before, one that failed for good, one that failed at first, steps of one training."""
    space = STEPS.replace("[factors]", '[factors]\n"pretraining.checkpoint" = [1000, "last"]').replace(
        "0, 1500", "1500"
    )
    writer = StageWriter(study, staged_plan(space))
    writer.fail_stage(0, Failure("out_of_memory", "x"), final=False)
    writer.make(0)
    writer.make(1, found=True)
    writer.fail_stage(2, Failure("code_error", "x"), final=True)
    writer.resources = {"gpus": 1}
    finish_all(writer)
    return read(study)


def pretrained_alone(study: Study) -> StudyRows:
    return pretrained(
        study, SMALL_SPACE.replace("epochs = 2", 'epochs = 2\n"pretraining.objective" = "mlm"\n"pretraining.steps" = 9')
    )


def pretrained_for_each_seed(study: Study) -> StudyRows:
    return pretrained(study, OWN_SEEDS.replace("[0, 1]", "[0, 1, 2]"))


def folded(study: Study) -> StudyRows:
    """Runs on scales of their own, and test."""
    return _in_folds(study, seeds="[0, 1]", metric="auc", has_test=True)


def folded_once(study: Study) -> StudyRows:
    return _in_folds(study, folds=4)


def _in_folds(study: Study, **about: object) -> StudyRows:
    writer = FoldWriter(study, folded_plan(**about), offset=6.0)  # type: ignore[arg-type]
    writer.yardstick(0.7, None)
    writer.finish_all()
    return read(study)


def of_parts(study: Study) -> StudyRows:
    """Some parts with a labelled test, some without; a part that was not learned."""
    return read(joint_study(study, joint_task(test={"ocnli": "labelled"})).study)


def of_one_part(study: Study) -> StudyRows:
    """The page of a part, over folds."""
    with joint_study(study, space=PARTS_IN_FOLDS).study.open() as ledger:
        return read_study(ledger, "tnews")


def of_one_part_that_counts(study: Study) -> StudyRows:
    return read(joint_study(study, joint_task(selected=("tnews",))).study)


STUDIES = [
    of_parts,
    of_one_part,
    of_one_part_that_counts,
    folded,
    folded_once,
    pretrained,
    pretrained_in_every_way,
    pretrained_alone,
    pretrained_for_each_seed,
    small,
    hardly_read,
    sixty_four,
    found,
    nothing_found,
    three_levels,
    unfinished,
    nothing_done,
    not_learned,
    listed,
    fraction,
    random_cells,
    dead,
    one_at_a_time,
]
OF_MORE_ROWS = (listed, sixty_four, of_one_part, of_one_part_that_counts, found, three_levels, folded, nothing_found)
"""A page of each takes seconds; what they say, smaller ones say too, or test_page.py."""


@pytest.mark.parametrize("make", [slow(make) if make in OF_MORE_ROWS else make for make in STUDIES])
@pytest.mark.usefixtures("in_chinese")
def test_no_english_is_left(study: Study, make: Callable[[Study], StudyRows]) -> None:
    with speaking("en"):
        rows = make(study)
    assert_chinese(rows)


@pytest.mark.usefixtures("in_chinese")
@pytest.mark.parametrize("inert", [pytest.param((), marks=pytest.mark.slow), POOLER])
def test_no_english_is_left_of_a_published_table(seeds: Path, study: Study, inert: tuple[str, ...]) -> None:
    import_table(seeds / "003_finetune64.md", None, study, inert)
    assert_chinese(read(study))


@pytest.mark.usefixtures("in_chinese")
@pytest.mark.parametrize("n_points", [2, 90])
def test_no_english_is_left_of_a_log(tmp_path: Path, study: Study, n_points: int) -> None:
    steps = [*range(n_points), *range(n_points // 2, n_points), 5 * n_points]
    losses = "".join(f"{step},{2 / (step + 1)}\n" for step in steps)
    (tmp_path / "log.csv").write_text(f"step,loss\n{losses}{6 * n_points},nan\n")
    store(read_log(tmp_path / "log.csv", "step", None), study)
    assert_chinese(read(study))


@pytest.mark.usefixtures("in_chinese")
def test_no_english_is_left_of_rows_that_were_picked(tmp_path: Path, study: Study) -> None:
    rows = ("a,1e-5,0.1 (old)", "b,2e-5,0.2?", "a,3e-5,0.3", "b,4e-5,0.4", "a,5e-5,-", "b,6e-5,0.6", "b,7e-5,0.5")
    (tmp_path / "picked.csv").write_text("trick,rate,result\n" + "\n".join(rows))
    import_table(tmp_path / "picked.csv", None, study)
    assert_chinese(read(study))


def assert_chinese(rows: StudyRows) -> None:
    page = make_page(rows, illustrated=True)
    text = page.format()
    _, _, body = text.partition("\n")
    assert english_in(body) == []
    assert max(map(wcwidth.width, prose_lines(body)), default=0) <= 80
    assert english_in(html_texts(page.html())) == []
    for picture in page.pictures:
        assert english_in(svg_texts(picture)) == [], picture.name


def prose_lines(markdown: str) -> list[str]:
    """Lines that could be shorter: no tables, no code, no addresses."""
    lines = re.sub(r"^(`{3,}).*?^\1$", "", markdown, flags=re.DOTALL | re.MULTILINE).split("\n")
    return [line for line in lines if not line.startswith("|") and "`" not in line and "](" not in line]


def html_texts(html: str) -> str:
    """What a reader sees or hears of a page, code and user's title apart."""
    html = re.sub(r"<(style|script|code|title|h1)\b.*?</\1>", "", html, flags=re.DOTALL)
    spoken = re.findall(r'(?:aria-label|alt|data-count)="([^"]*)"', html)
    return " | ".join([*spoken, re.sub("<[^>]*>", " | ", html)])


def svg_texts(picture: Picture) -> str:
    return " | ".join([picture.title, picture.alt, *re.findall(r"<text[^>]*>([^<]*)", picture.svg)])


def test_html_joins_chinese_lines_without_a_blank(study: Study) -> None:
    with speaking("zh"):
        paragraphs = re.findall("<p>(.*?)</p>", make_page(small(study)).html(), re.DOTALL)
    assert len(paragraphs) > 10
    for text in paragraphs:
        assert "**" not in text
        assert not re.search(r"[一-龥]\n[一-龥]|[，。；：、）]\n", text), text


def test_programs_read_english(study: Study) -> None:
    small_study(study)
    english = [path.read_text() for path in write_reports(study, Path("en"), ["csv", "json", "md"])]
    other = [path.read_text() for path in write_reports(study, Path("zh"), ["csv", "json", "md"], "zh")]
    assert english[:2] == other[:2]
    assert english[2] != other[2]


def test_the_command_takes_a_language(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    small_study(study)
    assert main(["report", "study", "--lang", "zh", "--format", "md,html,latex"]) == 0
    assert "\n## 结果\n" in Path("study/page.md").read_text()
    assert '<html lang="zh-Hans">' in Path("study/page.html").read_text()
    assert r"\usepackage{ctex}" in Path("study/page.latex").read_text()
    capsys.readouterr()
    assert main(["report", "study", "--lang", "de", "--format", "csv"]) == 2
    assert capsys.readouterr().err == "gridsearch report: --lang: unknown language 'de'; known: en, zh\n"
    assert not Path("study/page.csv").exists()


def test_a_sweep_refuses_an_unknown_language_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", "finetune64", "--lang", "zk", "--study", "s"]) == 2
    assert "--lang: unknown language 'zk'" in capsys.readouterr().err
    assert not Path("s").exists()


def test_the_language_ends_with_the_page() -> None:
    with pytest.raises(ZeroDivisionError), speaking("zh"):
        raise ZeroDivisionError
    assert say("Results") == "Results"
    with pytest.raises(RequestError, match="unknown language 'fr'"), speaking("fr"):
        pass

"""What the documents show has to work."""

import re
from pathlib import Path

import pytest

from gridsearch.space.space import load_space, parse_space
from gridsearch.tasks.parts.joint_file import JointFile
from gridsearch.tasks.taskfile import parse_task_file
from reports.knob_page import recipe_page
from runners.cli import build_parser
from search_spaces import names_of_spaces

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "reports" / "published"
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md"), *PUBLISHED.glob("**/*.md")]
)


def blocks(language: str, document: str = "README.md") -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)


def test_the_readmes_spaces_are_such() -> None:
    text, ranging, pretraining, _, pairs = blocks("toml")
    assert len(list(parse_space(text, "readme").cells())) == 8
    drawn = next(parse_space(f'{ranging}[design]\nkind = "random"\ncells = 1\n', "readme").cells())
    assert 1e-5 <= drawn.recipe.learning_rate <= 1e-4
    steps = [cell.recipe.pretraining.steps for cell in parse_space(pretraining, "readme").cells()]
    assert steps == [0, 1500, 3000]
    recipe = next(parse_space(f"{pairs}[factors]\nbert_adam = [false, true]\n", "readme").cells()).recipe
    assert (recipe.pair_swap, recipe.closure, recipe.outside_pairs) == ("both", "both", "positive")


def test_the_readmes_task_is_one() -> None:
    *_, ids, _ = blocks("toml")
    first, section = ids.split("[vocabulary]")
    rest = '[files]\ntrain = "a.tsv"\ndev = 0.1\n[columns]\ntext = 0\nlabel = 1\n'
    file = parse_task_file(
        f'name = "x"\nkind = "single"\nmetric = "accuracy"\n{first}{rest}[vocabulary]{section}', "readme"
    )
    assert file.ids
    assert file.vocabulary is not None


def test_what_the_page_on_ids_shows_is_understood() -> None:
    task, space = blocks("toml", "docs/ids.md")
    assert parse_task_file(task, "gaiic").ids
    cells = list(parse_space(space, "align").cells())
    assert [cell.recipe.vocabulary.align for cell in cells] == ["none", "special", "frequency", "order"]
    (commands,) = blocks("sh", "docs/ids.md")
    for line in commands.replace("\\\n", " ").splitlines():
        if line.startswith("gridsearch"):
            build_parser().parse_args(line.split()[1:])


def test_what_the_page_on_parts_shows_is_understood() -> None:
    (toml, space), (commands,) = blocks("toml", "docs/parts.md"), blocks("sh", "docs/parts.md")
    assert len(list(parse_space(space, "parts").cells())) == 6
    file = parse_task_file(toml, "films.toml")
    assert isinstance(file, JointFile)
    assert (list(file.parts), file.target.name) == (["genre", "follows"], "mean f1_macro and accuracy")
    for line in commands.splitlines():
        build_parser().parse_args(line.split()[1:])


def test_the_readmes_commands_are_understood() -> None:
    lines = [line.split("#")[0].split() for block in blocks("sh") for line in block.splitlines()]
    commands = [words[1:] for words in lines if words[:1] == ["gridsearch"]]
    told = {"init", "plan", "sweep", "report", "predict", "optimize", "dashboard", "pretrain", "ensemble"}
    assert {words[0] for words in commands} == told
    for words in commands:
        build_parser().parse_args(words)


def test_the_commands_of_the_page_on_ensembles_are_understood() -> None:
    lines = [line.split("#")[0].split() for block in blocks("sh", "docs/ensembles.md") for line in block.splitlines()]
    for words in lines:
        assert words[:2] == ["gridsearch", "ensemble"]
        build_parser().parse_args(words[1:])


def test_every_command_is_in_the_readme() -> None:
    known = re.findall(r"^    (\w+) ", build_parser().format_help(), re.MULTILINE)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in known if f"| `{name} " not in text] == []


def test_every_space_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in names_of_spaces() if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("question", sorted(PUBLISHED.glob("*/*.toml")), ids=lambda path: path.parent.name)
def test_a_published_question_is_one(question: Path) -> None:
    assert len(list(load_space(question).cells())) in (32, 64)
    assert f"]({question.relative_to(PUBLISHED).as_posix()})" in (PUBLISHED / "README.md").read_text(encoding="utf-8")


def test_every_published_study_is_in_the_list() -> None:
    text = (PUBLISHED / "README.md").read_text(encoding="utf-8")
    assert [page for page in PUBLISHED.glob("*/page.md") if f"]({page.parent.name}/page.md)" not in text] == []


def test_the_page_of_the_knobs_is_that_of_the_recipe() -> None:
    found = (ROOT / "docs" / "recipe.md").read_text(encoding="utf-8")
    assert found == recipe_page(), "docs/recipe.md is stale: run `make docs`"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_link_is_dead(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "AGENTS.md"])
def test_every_path_that_is_named_exists(name: str) -> None:
    spans = re.findall(r"`([^`\n]+)`", (ROOT / name).read_text(encoding="utf-8"))
    paths = [span for span in spans if re.fullmatch(r"[\w./-]+(/|\.(py|sql|md|toml|cfg|txt))", span)]
    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_room_is_on_the_map() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = [path.parent for top in ("gridsearch", "runners", "reports") for path in (ROOT / top).glob("*/__init__.py")]
    assert [room.name for room in rooms if f"{room.name}/" not in text] == []


def test_every_promise_of_the_page_on_reliability_has_its_test() -> None:
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "| promise"))]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        assert named, f"no test is named for: {row}"
        for file, test in named:
            assert f"\ndef {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), f"{file} has no {test}"

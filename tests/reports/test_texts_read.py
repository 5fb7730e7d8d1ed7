"""How much of the texts is read, as plan, sweep and page say it."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from gridsearch.planning.texts_read import TextsRead, percent
from gridsearch.study.ledger import Ledger
from gridsearch.study.manifest import TrialsManifest, manifest_of, read_manifest
from gridsearch.study.study import Study
from reports.language.say import speaking
from reports.page import make_page
from reports.study.read import read_study
from reports.texts_read import read_lines, text_cautions, with_lengths
from tests.reports.conftest import Writer, outcome, small_plan

READ = TextsRead("models/mine", "task", 1000, 20_000, 3, "[UNK]", False, ((32, 200), (64, 10)), (48, 50), {"p80": 32})


def read(n_cut: int = 0, n_unknown: int = 0, **changes: object) -> TextsRead:
    return replace(READ, cut=((32, n_cut),), n_unknown=n_unknown, **changes)


def test_everything_is_told_in_a_line() -> None:
    assert read_lines([READ]) == [
        "of the training rows, mine cuts 20 % at max_length 32 (the 80th percentile of their lengths), 1 % at "
        "max_length 64; of their tokens, 0.01 % are [UNK]"
    ]
    (without,) = read_lines([replace(READ, unknown="", percentiles={}, part="a"), replace(READ, part="b")])[:1]
    assert without == "of the training rows of a, mine cuts 20 % at max_length 32, 1 % at max_length 64"
    (capped,) = read_lines([read(300)])
    assert "cuts 30 % at max_length 32 (the 80th percentile of their lengths would be more)" in capped
    many = replace(READ, cut=tuple((length, 0) for length in range(8, 80, 8)))
    assert read_lines([many])[0].count("at max_length") == 6
    assert ", less at longer ones" in read_lines([many])[0]


@pytest.mark.parametrize(("name", "ordinal"), [("p1", "1st"), ("p11", "11th"), ("p92", "92nd"), ("p93", "93rd")])
def test_percentiles_are_spelled(name: str, ordinal: str) -> None:
    assert f"(the {ordinal} percentile of their lengths)" in read_lines([read(percentiles={name: 32})])[0]


@pytest.mark.parametrize(
    ("n_cut", "mild", "severe"), [(0, 0, 0), (54, 0, 0), (60, 1, 0), (204, 1, 0), (206, 0, 1), (1000, 0, 1)]
)
def test_how_strong_a_caution_is(n_cut: int, mild: int, severe: int) -> None:
    """What is told as 5 % or 20 % is not above it. The same share of unknown tokens counts as much."""
    for one in (read(n_cut), read(0, 20 * n_cut)):
        assert [len(text_cautions([one], strength)) for strength in ("mild", "severe")] == [mild, severe]


def test_cautions_say_what_to_do() -> None:
    assert text_cautions([read(950, 12_400)], "severe") == [
        'mine cuts 95 % of the training rows, which have more tokens than max_length = 32; max_length = "p95", which '
        "is 48 tokens, would cut 5 %",
        "62 % of the tokens of the training rows are [UNK]: mine does not know them; choose an encoder whose "
        "vocabulary is of the language of these texts",
    ]
    (cut,) = text_cautions([read(950, enough=(256, 700))], "severe")
    assert cut.endswith('max_length = "p95", which is 256 tokens with mine and not more, would cut 70 %')
    (cut,) = text_cautions([read(950, enough=(32, 950), percentiles={})], "severe")
    assert cut.endswith("max_length = 32")
    (cut,) = text_cautions([read(950, enough=(32, 950), percentiles={"p80": 32})], "severe")
    assert cut.endswith("max_length = 32; no percentile of their lengths gives mine more")
    (ids,) = text_cautions([read(0, 12_400, of_ids=True)], "severe")
    assert ids.endswith("vocabulary.min_count says how often an id has to occur to be a token")


def test_settings_tell_the_number_where_there_is_one() -> None:
    settings = {"max_length": "p80", "epochs": 3, "encoder": "p80"}
    assert with_lengths(settings, [READ]) == settings | {"max_length": 32}
    assert with_lengths(settings, [READ, replace(READ, percentiles={"p80": 40})]) == settings
    assert with_lengths(settings, []) == settings


def test_nothing_but_all_is_all() -> None:
    assert [percent(n, 1000) for n in (0, 4, 6, 994, 999, 1000)] == [0, 0, 1, 99, 99, 100]


def study_of(folder: Path, *texts: TextsRead) -> Ledger:
    writer = Writer(Study(folder), replace(small_plan(), texts=texts))
    writer.finish(1, outcome(0.80, 0.79))
    return Study(folder).open()


def test_the_page_says_first_what_is_hardly_read(tmp_path: Path) -> None:
    with study_of(tmp_path, read(950)) as ledger:
        rows = read_study(ledger)
    text = make_page(rows).format()
    first = text.splitlines()[2]
    assert first.startswith("**Caution: mine cuts 95 % of the training rows")
    assert " ".join(text.split()).count("cuts 95 %") == 2
    with speaking("zh"):
        assert make_page(rows).format().splitlines()[2].startswith("**注意：训练数据中有 95 %")


def test_a_mild_one_stands_among_what_is_read_with_care(tmp_path: Path) -> None:
    with study_of(tmp_path, read(100)) as ledger:
        page = make_page(read_study(ledger))
    assert "Caution" not in page.format()
    (told,) = [text for text in page.numbers()["cautions"] if "training rows" in text]
    assert told.startswith("Mine cuts 10 % of the training rows")
    assert page.numbers()["study"]["texts"] == [asdict(read(100))]


def test_the_manifest_keeps_it_and_older_ones_lack_it(tmp_path: Path) -> None:
    plan = replace(small_plan(), texts=(READ,))
    with Study(tmp_path).driven() as ledger:
        ledger.adopt(plan, {"space": "small", "encoders": {}})
        kept = ledger.manifest()
    assert isinstance(kept, TrialsManifest)
    assert list(kept.texts) == [READ]
    old = manifest_of(small_plan(), {}).to_json()
    assert "texts" not in old
    found = read_manifest(old)
    assert isinstance(found, TrialsManifest)
    assert list(found.texts) == []

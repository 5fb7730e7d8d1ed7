import csv
import shutil
import subprocess
from pathlib import Path

import pytest

from gridsearch.study.study import Study
from reports.formats.latex import latex, latex_text
from reports.page import write_reports
from reports.study.read import read_study
from tests.reports.conftest import Writer, outcome, small_plan
from tests.reports.pages import import_table


def text(study: Study) -> str:
    with study.open() as ledger:
        return latex_text(read_study(ledger))


def test_the_rows_of_the_comparison_table(study: Study) -> None:
    writer = Writer(study, small_plan(has_test=False))
    writer.finish(1, outcome(0.8))
    writer.finish(2, outcome(0.5, not_learned="every dev row gets the same label"))
    assert text(study).split("\n") == [
        r"% \usepackage[T1]{fontenc} \usepackage{booktabs,longtable}",
        r"\begin{longtable}{llll}",
        r"\toprule index & bertadam & frozen\_layers & result \\ \midrule \endhead",
        r"\bottomrule \endfoot",
        r"1 & 0 & 0 & \textbf{0.8000} \\",
        r"2 & 0 & 6 & 0.5000\textsuperscript{\dag} \\",
        r"3 & 1 & 0 & pending \\",
        r"4 & 1 & 6 & pending \\",
        r"\end{longtable}",
        "",
    ]


@pytest.mark.parametrize(
    ("label", "spelled"),
    [
        ("1e-05", "1e-05"),
        ("a & b_c #1 50% $x$ {y}", r"a \& b\_c \#1 50\% \$x\$ \{y\}"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("~^|<>", r"\textasciitilde{}\textasciicircum{}\textbar{}\textless{}\textgreater{}"),
        ("\"'`", r"\textquotedbl{}\textquotesingle{}\textasciigrave{}"),
        ("--- ,,", r"-{}-{}- ,{},"),
        ("[2ex]*", "{[}2ex]{*}"),
        ("冻结\n六层", "冻结 六层"),
    ],
)
def test_texts_mean_themselves(label: str, spelled: str) -> None:
    assert latex(label) == spelled


def test_a_published_table(study: Study, tmp_path: Path) -> None:
    with (tmp_path / "table.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["trick", "F1"], ["[a]", "0.5"], ["*", "0.75"]])
    import_table(tmp_path / "table.csv", None, study)
    assert text(study).split("\n")[4:6] == [r"1 & {[}a] & 0.5 \\", r"2 & {*} & \textbf{0.75} \\"]


@pytest.mark.slow  # runs LaTeX; what is written is tested above
def test_latex_takes_it(tmp_path: Path) -> None:
    """Every sign that LaTeX or its tables read as a command, in one table, through pdflatex."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not on this machine (Debian: texlive-latex-recommended)")
    labels = [
        r"\\ & % $ # _ { } ~ ^",
        "[x] *y* [1em]",
        "a--b ,,c'' \"d\" `e`",
        "<|>",
        *(sign * 2 for sign in "?!-,'<>"),
    ]
    with (tmp_path / "table.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["tricky & label", "result"], *([label, "0.5"] for label in labels)])
    study = Study(tmp_path / "study")
    import_table(tmp_path / "table.csv", None, study)
    (page,) = write_reports(study, tmp_path, ["latex"])
    (tmp_path / "paper.tex").write_text(
        rf"\documentclass{{article}}\usepackage[T1]{{fontenc}}\usepackage{{booktabs,longtable}}"
        rf"\begin{{document}}\input{{{page.name}}}\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Output written on paper.pdf" in done.stdout

"""Metrics that are functions of the user's own."""

from collections.abc import Mapping
from typing import Final

OWN_METRIC: Final[Mapping[str, str]] = {
    (
        "{metric} is a function of Python that this study was given (version {version}; its source is under "
        "Provenance)."
    ): "{metric} 是交给本研究的 Python 函数（版本 {version}；源码见“来源与环境”）。",
    (
        "The best cell and the baseline are not compared row by row: {metric} is a function of Python, which no page "
        "runs."
    ): "最佳组合与基线未作逐行比较：{metric} 是 Python 函数，页面不运行它。",
    "Averages of runs are not told: {metric} is a function of Python, which no page runs.": (
        "未给出多次运行的平均：{metric} 是 Python 函数，页面不运行它。"
    ),
    "{metric} is a function of Python: the study goes on, and trials are run again, only from there, by {call}.": (
        "{metric} 是 Python 函数：只能在 Python 中用 {call} 继续本研究、重跑试验。"
    ),
    "The function {metric}, version {version}": "函数 {metric}，版本 {version}",
    "the source of the metric {name}": "指标 {name} 的源码",
    "the version of the metric {name} ({first} in A, {second} in B)": (
        "指标 {name} 的版本（A 为 {first}，B 为 {second}）"
    ),
}

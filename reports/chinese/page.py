"""The sections of the page: what was found, asked and run."""

from collections.abc import Mapping
from typing import Final

PAGE: Final[Mapping[str, str]] = {
    "No attempt failed.": "没有失败的尝试。",
    # cost.py: hours, failures, what is fast and good
    "All attempts together held {hours} core-hours": "全部尝试共占用 {hours} 核时",
    "All attempts together held {hours} core-hours and {gpu_hours} GPU-hours": (
        "全部尝试共占用 {hours} 核时和 {gpu_hours} GPU 时"
    ),
    "; {share} of their time was lost to failures.": "，其中 {share} 的时间耗费在失败上。",
    "No cell is both faster and better on dev than these, from fast to slow: {cells}.": (
        "没有任何组合比下列组合既快又在验证集上更好（由快到慢）：{cells}。"
    ),
}

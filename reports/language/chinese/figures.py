"""The texts of figures, in Chinese. A label begins with Chinese letters and ends with Latin ones: 验证集 accuracy."""

from collections.abc import Mapping
from typing import Final

FIGURES: Final[Mapping[str, str]] = {
    "Figures": "图",
    "{metric} on {split}": "{split} {metric}",
    "{label} (lower is better)": "{label}（越低越好）",
    "{name}:": "{name}：",
    "seed {n}": "种子 {n}",
    "fold {n}": "折 {n}",
    # half_normal.py
    "Half-normal plot of {n} effects: noise stays in the grey band; beyond the limit an effect is found.": (
        "{n} 个效应的半正态图：噪声落在灰色带内，超出界限的效应即为检出。"
    ),
    "Half-normal plot of effects (n = {n}). {found}. Others outside the band of noise: {outside}.": (
        "{n} 个效应的半正态图。{found}。其余效应中落在噪声带外的有 {outside} 个。"
    ),
    "Found: {names}": "检出：{names}",
    "None was found": "没有检出",
    "size of the effect on {label}": "{label} 的效应大小",
    "size of the effect on {label} / its standard error": "{label} 的效应大小 / 标准误",
    "normal score of the effect's p value ({label})": "{label} 的效应 p 值的正态分数",
    "effect found": "检出的效应",
    "no effect found": "未检出",
    "simultaneous 95 % limit {limit}": "95% 同时界限 {limit}",
    "noise alone": "纯噪声",
    "95 % band of noise": "噪声的 95% 带",
    "half-normal quantile": "半正态分位数",
    # main_effects.py
    "Mean at each level, over the other factors.": "各水平的均值，对其余因素取平均。",
    "Levels whose bars do not overlap the baseline level's differ from it (95 %, simultaneous).": (
        "误差条与基线水平不重叠的水平，与基线有差异（95% 同时置信区间）。"
    ),
    "main effect found": "检出主效应",
    "no main effect found": "未检出主效应",
    "baseline level": "基线水平",
    "bars apart: different": "误差条分开：有差异",
    "mean of all {mean}": "总均值 {mean}",
    "{factor}: {levels}.": "{factor}：{levels}。",
    "Level means of factors (n = {n}) around the mean of all, {mean}. {factors}": (
        "{n} 个因素的水平均值，总均值 {mean}。{factors}"
    ),
    # interactions.py
    "Factors that act together: lines that are not parallel.": "有交互作用的因素：线不平行。",
    "Only the surest {n} panels of {total} are shown.": "{total} 幅中只画出最可靠的 {n} 幅。",
    "Interaction plot. {panels}": "交互作用图。{panels}",
    "{term}: {means}.": "{term}：{means}。",
    # heat_map.py
    "no result": "无结果",
    "{label} of every cell. Brighter is better.": "{label} 热图，每格一个组合。越亮越好。",
    "{label}, brighter is better": "{label}，越亮越好",
    "Heat map of cells (n = {n}) from {low} to {high}. {layout}.": "{n} 个组合的热图，从 {low} 到 {high}。{layout}。",
    "Rows: {rows}; columns: {columns}": "行：{rows}；列：{columns}",
    # quality_time.py
    "{label} against training time: nothing is faster and better than the Pareto set.": (
        "{label} 与训练时间：没有任何组合比帕累托集既快又好。"
    ),
    "Cells (n = {n}) by training time and {label}. Pareto set, from fast to slow: {cells}.": (
        "{n} 个组合的训练时间与{label}。帕累托集（由快到慢）：{cells}。"
    ),
    "training time of one run ({unit})": "单次运行的训练时间（{unit}）",
    "minutes": "分钟",
    "hours": "小时",
    "Pareto set": "帕累托集",
    "did not learn, off the axis ({n})": "未学到，在坐标轴之外（{n}）",
    "± one standard deviation of a run ({sd})": "± 单次运行的一个标准差（{sd}）",
    # curves.py
    "{label} after each epoch.": "{label} 随轮次的变化。",
    "Learning curves. {curves}": "学习曲线。{curves}",
    "{name}: {first} after epoch {first_epoch}, {last} after epoch {last_epoch}.": (
        "{name}：第 {first_epoch} 轮后 {first}，第 {last_epoch} 轮后 {last}。"
    ),
    "worst": "最差",
    "chosen epoch": "选定轮次",
    "epoch": "轮次",
    # loss_curves.py
    "Loss of each pretraining over its steps.": "每个预训练的损失随步数的变化。",
    "Loss of pretrainings over their steps: those that answer the same question.": (
        "回答同一个问题的预训练，其损失随步数的变化。"
    ),
    "Curves of {label}. {curves}": "{label} 的曲线。{curves}",
    "{name}: {first} at {along} {first_place}, {last} at {along} {last_place}.": (
        "{name}：{along} {first_place} 处 {first}，{along} {last_place} 处 {last}。"
    ),
    "others ({n})": "其余（{n}）",
    "{n} steps": "{n} 步",
    "loss": "损失",
    "step": "步",
    "Losses of pretrainings": "预训练的损失",
    # sections/figures.py
    "Bars are read as for the means.": "误差条的读法同均值图。",
    "Half-normal plot": "半正态图",
    "Level means": "水平均值",
    "Interaction plot": "交互作用图",
    "Heat map": "热图",
    "Quality and time": "质量与时间",
    "Learning curves": "学习曲线",
    "Curve": "曲线",
}

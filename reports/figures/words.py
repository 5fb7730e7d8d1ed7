"""What figures say, in each language that a page may have."""

from dataclasses import dataclass

from reports.figures.records import Response


@dataclass(frozen=True)
class Words:
    """Every phrase, with the places where a figure fills something in."""

    colon: str
    comma: str
    on_split: str
    lower_is_better: str
    found: str
    not_found: str
    no_terms_found: str
    terms_found: str

    half_normal: str
    half_normal_alt: str
    effect_size: str
    t_size: str
    score_size: str
    quantile: str
    limit: str
    noise: str

    main_effects: str
    bars_differ: str
    main_found: str
    main_not_found: str
    baseline_level: str
    main_effects_alt: str
    factor_alt: str
    grand_mean: str
    bars: str

    interactions: str
    interactions_alt: str
    panel_alt: str
    interactions_cut: str

    quality_time: str
    quality_time_alt: str
    training_time: str
    seconds: str
    minutes: str
    hours: str
    cell: str
    seed: str
    fold: str
    pareto: str
    baseline: str
    collapsed: str
    collapsed_outside: str
    one_sd: str
    and_more: str

    curves: str
    curves_alt: str
    curve_alt: str
    epoch: str
    best: str
    worst: str
    chosen_epoch: str

    heat_map: str
    heat_map_alt: str
    rows_and_columns: str
    no_result: str
    brighter: str


ENGLISH = Words(
    colon=": ",
    comma=", ",
    on_split="{metric} on {split}",
    lower_is_better="{label} (lower is better)",
    found="effect found",
    not_found="no effect found",
    no_terms_found="None was found",
    terms_found="Found: {names}",
    half_normal="Half-normal plot of the tested effects (n = {n}): noise follows the dashed line; beyond the limit "
    "an effect is found.",
    half_normal_alt="Half-normal plot of effects (n = {n}). {found}.",
    effect_size="size of the effect on {label}",
    t_size="size of the effect on {label} / its standard error",
    score_size="normal score of the effect's p value ({label})",
    quantile="half-normal quantile",
    limit="simultaneous 95 % limit {limit}",
    noise="noise alone",
    main_effects="Means at the levels of each factor, averaged over the other factors.",
    bars_differ="A level differs from the baseline level where their bars do not overlap (simultaneous, 95 %).",
    main_found="main effect found",
    main_not_found="no main effect found",
    baseline_level="baseline level",
    main_effects_alt="Level means of factors (n = {n}) around the mean of all, {mean}. {factors}",
    factor_alt="{factor}: {levels}.",
    grand_mean="mean of all {mean}",
    bars="bars apart: different",
    interactions="Factors that act together: lines that are not parallel.",
    interactions_alt="Interaction plot. {panels}",
    panel_alt="{term}: {means}.",
    interactions_cut="Only the surest {n} panels of {total} are shown.",
    quality_time="{label} against training time: no cell is both faster and better than one of the Pareto set.",
    quality_time_alt="Cells (n = {n}) by training time and {label}. Pareto set, from fast to slow: {cells}.",
    training_time="training time of one run ({unit})",
    seconds="seconds",
    minutes="minutes",
    hours="hours",
    cell="cell",
    seed="seed",
    fold="fold",
    pareto="Pareto set",
    baseline="baseline",
    collapsed="collapsed",
    collapsed_outside="collapsed, off the axis ({n})",
    one_sd="± one standard deviation of a run ({sd})",
    and_more="{names} and {n} more",
    curves="{label} after each epoch.",
    curves_alt="Learning curves. {curves}",
    curve_alt="{name}: {first} after epoch {first_epoch}, {last} after epoch {last_epoch}.",
    epoch="epoch",
    best="best",
    worst="worst",
    chosen_epoch="chosen epoch",
    heat_map="{label} of every cell. Brighter is better.",
    heat_map_alt="Heat map of cells (n = {n}) from {low} to {high}. {layout}.",
    rows_and_columns="Rows: {rows}; columns: {columns}",
    no_result="no result",
    brighter="{label}, brighter is better",
)

CHINESE = Words(
    colon="：",
    comma="、",
    on_split="{split} 上的 {metric}",
    lower_is_better="{label}（越低越好）",
    found="有影响",
    not_found="未发现影响",
    no_terms_found="没有发现影响",
    terms_found="发现：{names}",
    half_normal="{n} 个被检验效应的半正态图：噪声沿虚线分布，超出界限的效应被认定。",
    half_normal_alt="{n} 个效应的半正态图。{found}。",
    effect_size="对{label}的影响大小",
    t_size="对{label}的影响大小 / 标准误",
    score_size="效应 p 值的正态分数（{label}）",
    quantile="半正态分位数",
    limit="95 % 同时界限 {limit}",
    noise="仅有噪声",
    main_effects="各因素在每个水平上的均值（其他因素取平均）。",
    bars_differ="与基线水平的误差条不重叠，即与其有差异（同时 95 %）。",
    main_found="有主效应",
    main_not_found="未发现主效应",
    baseline_level="基线水平",
    main_effects_alt="{n} 个因素的水平均值，总均值 {mean}。{factors}",
    factor_alt="{factor}：{levels}。",
    grand_mean="总均值 {mean}",
    bars="误差条分开：有差异",
    interactions="共同起作用的因素：线不平行。",
    interactions_alt="交互作用图。{panels}",
    panel_alt="{term}：{means}。",
    interactions_cut="只画出 {total} 幅中最可靠的 {n} 幅。",
    quality_time="{label}与训练时间：没有任何组合比帕累托集中的组合既快又好。",
    quality_time_alt="{n} 个组合的训练时间与{label}。帕累托集，由快到慢：{cells}。",
    training_time="一次训练的时间（{unit}）",
    seconds="秒",
    minutes="分钟",
    hours="小时",
    cell="组合",
    seed="种子",
    fold="折",
    pareto="帕累托集",
    baseline="基线",
    collapsed="训练崩溃",
    collapsed_outside="训练崩溃，在坐标轴之外（{n}）",
    one_sd="± 单次运行的一个标准差（{sd}）",
    and_more="{names} 等另外 {n} 个",
    curves="每轮之后的{label}。",
    curves_alt="学习曲线。{curves}",
    curve_alt="{name}：第 {first_epoch} 轮后 {first}，第 {last_epoch} 轮后 {last}。",
    epoch="轮次",
    best="最好",
    worst="最差",
    chosen_epoch="选中的轮次",
    heat_map="每个组合的{label}。越亮越好。",
    heat_map_alt="{n} 个组合的热图，从 {low} 到 {high}。{layout}。",
    rows_and_columns="行：{rows}；列：{columns}",
    no_result="无结果",
    brighter="{label}，越亮越好",
)

LANGUAGES = {"en": ENGLISH, "zh": CHINESE}


def response_text(response: Response, words: Words) -> str:
    """Name the response on an axis; of most metrics, more is better."""
    return words.lower_is_better.format(label=response.label) if response.lower_is_better else response.label

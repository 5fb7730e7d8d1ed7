"""The price of a sweep, as ``plan`` says it."""

import textwrap
from collections.abc import Iterator, Sequence

from gridsearch.planning.cost_groups import CostGroup
from reports.formats.markdown import seconds_text
from reports.formats.table import Cell, Table
from runners.pricing.forecast import Forecast, mean_share
from runners.pricing.price_cache import Price

N_LISTED = 24
"""Of more kinds of trials than these, only those that take most of the time are listed."""
UNDISTURBED = 0.95
"""Workers that had a core for less of their time are told of."""


def price_lines(forecast: Forecast) -> list[str]:
    """Tell the time of a sweep, and what a trial of each group costs; all groups have their price."""
    allotment, prices = forecast.allotment, forecast.all_prices
    hours = f"{forecast.core_seconds / 3600:.3g} core-hours"
    if forecast.gpu_seconds:
        hours += f" and {forecast.gpu_seconds / 3600:.3g} GPU-hours"
    n_workers = sorted({price.n_workers for price in prices})
    texts = [
        f"about {seconds_text(forecast.wall_seconds)} by {_count(allotment.n_workers, 'worker')} "
        f"({seconds_text(forecast.low)} to {seconds_text(forecast.high)}), {hours}",
        *_stage_texts(forecast),
        f"measured here on {_listed(forecast.measured)}, {_listed(n_workers)} at a time; "
        f"{seconds_text(max(price.start_seconds for price in prices))} to start the workers",
    ]
    share = mean_share(prices)
    if share < UNDISTURBED:
        texts.append(
            f"that is without other programs; as they were then (a worker had a core for {share:.0%} of its time) "
            f"about {seconds_text(forecast.disturbed)}"
        )
    if any(trial.recipe.patience != "none" for group in forecast.groups for trial in group.trials):
        texts.append("at most: patience may end a trial before its last epoch")
    texts.append("a step, an evaluation on dev, a trial, its quickest and slowest measurement, in seconds:")
    return [*_labelled(texts), _table(forecast.groups, forecast.prices)]


def _stage_texts(forecast: Forecast) -> Iterator[str]:
    """Say how much of it is pretraining, and what each kind of pretraining costs."""
    kinds: dict[str, list[float]] = {}
    for group, price in zip(forecast.stages.groups, forecast.stages.prices, strict=True):
        settings = ", ".join(f"{name} = {value}" for name, value in group.settings.items())
        for work in group.works:
            seconds = price.seconds(work.n_steps)
            told = f"{work.n_steps:,} steps of {price.step_seconds:.3g} s, {seconds_text(seconds)} each"
            kinds.setdefault(f"{told}: {settings}" if settings else told, []).append(seconds)
    if not kinds:
        return
    n_stages = sum(map(len, kinds.values()))
    yield (
        f"{forecast.stage_seconds / forecast.held_seconds:.0%} of these hours "
        f"{'is' if n_stages == 1 else 'are'} {_count(n_stages, 'pretraining')}; a trial waits for its own alone:"
    )
    dearest = sorted(kinds.items(), key=lambda kind: -sum(kind[1]))
    for told, costs in dearest[:N_LISTED]:
        yield f"{len(costs)} x {told}"
    if len(kinds) > N_LISTED:
        rest = sum(sum(costs) for _, costs in dearest[N_LISTED:])
        yield f"... and {len(kinds) - N_LISTED} other kinds of pretrainings, {seconds_text(rest)}"


def no_price_lines(n_known: int, n_groups: int, n_stage_groups: int) -> list[str]:
    """Say that a measurement is lacking, and how to get it; ``n_known`` of both kinds of groups have their price."""
    text = "not measured yet on this machine, with this encoder and task"
    if n_known:
        what = "trials and pretrainings" if n_stage_groups else "trials"
        text = f"{n_known} of {n_groups + n_stage_groups} groups of {what} have been measured on this machine"
    return _labelled([f"{text}; --measure does it (half a minute for an encoder like tiny)"])


def _labelled(texts: Sequence[str]) -> list[str]:
    return [
        textwrap.fill(text, 80, initial_indent=" " * 9 if number else "price    ", subsequent_indent=" " * 9)
        for number, text in enumerate(texts)
    ]


def _table(groups: Sequence[CostGroup], prices: Sequence[Price]) -> str:
    columns = list(dict.fromkeys(column for group in groups for column in group.settings))
    costs = [len(group.trials) * price.seconds for group, price in zip(groups, prices, strict=True)]
    header = (*columns, "trials", "step", "dev", "trial", "quickest", "slowest", "share")
    dearest = sorted(sorted(range(len(groups)), key=lambda number: -costs[number])[:N_LISTED])
    rows = [
        (
            *(groups[number].settings.get(column, "any") for column in columns),
            str(len(groups[number].trials)),
            *(f"{value:.3g}" for value in _shown(prices[number])),
            f"{costs[number] / sum(costs):.0%}",
        )
        for number in dearest
    ]
    text = Table(header, tuple(tuple(map(Cell, row)) for row in rows)).plain_text()
    if len(dearest) < len(groups):
        rest = 1 - sum(costs[number] for number in dearest) / sum(costs)
        text += f"\n... and {_count(len(groups) - len(dearest), 'other kind')} of trials, {rest:.0%} of the time"
    return text


def _shown(price: Price) -> tuple[float, ...]:
    return price.step_seconds, price.dev_seconds, price.seconds, price.low, price.high


def _listed(values: Sequence[object]) -> str:
    return " and ".join(map(str, values))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

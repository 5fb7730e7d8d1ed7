"""The averages of gathered members: what they gain, and what each says of test."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridsearch.errors import RequestError
from gridsearch.tasks.judging.judge import measured, probabilities
from reports.statistics.ensembles.choosing import Choice
from reports.statistics.ensembles.greedy import RANKING
from reports.statistics.ensembles.mixing import Mixture
from reports.statistics.ensembles.nested import MOST, ensembles, why_not
from reports.statistics.ensembles.results import PLAIN, Ensembles, Member, Method, WhyNot
from reports.statistics.results import Array
from runners.ensembling.gathered import Gathered


@dataclass(frozen=True)
class Averages:
    """Averages by some methods. Members that are known on test alone join the plain means there, without a gain."""

    gathered: Gathered
    methods: Sequence[Method]

    @cached_property
    def found(self) -> Ensembles:
        """What they gain. Raises RequestError where that is undefined."""
        choice = Choice(None if self.gathered.are_named else MOST)
        found = ensembles(self.gathered.members, self.gathered.rows, self.methods, choice=choice)
        if found.why_not is WhyNot.ONE_LABEL:
            raise RequestError(f"{found.metric} is undefined where all rows that judge are labelled alike")
        return found

    @property
    def judged(self) -> list[Member]:
        """Members with a score, in the order of the weights."""
        return [one for one in self.gathered.members if one.judged is not None]

    @property
    def for_test_alone(self) -> list[Member]:
        """Members without one."""
        return [one for one in self.gathered.members if one.judged is None]

    def weights(self, method: Method) -> list[float]:
        """Return the weight of each member that is judged: chosen on all rows, or all alike where nothing is chosen."""
        chosen = {one.method: list(one.final.weights) for one in self.found.found}
        return chosen.get(method, [1.0] * len(self.judged))

    def on_test(self, method: Method) -> Array:
        """Return what an average says of test, as logits. Raises RequestError where a member says nothing of it."""
        weighed = [(one, weight) for one, weight in zip(self.judged, self.weights(method), strict=True) if weight > 0]
        if method in PLAIN:
            weighed += [(one, 1.0) for one in self.for_test_alone]
        if not self.gathered.wanted.n_test:
            raise RequestError("there are no test rows to be predicted: the task names none")
        stack = []
        for one, _ in weighed:
            if one.test is None:
                rule = "name its file for test behind the one for the rows that judge"
                why = "its logits of test are not kept" if one.name in self.gathered.trials else rule
                raise RequestError(f"member {one.name} says nothing of test: {why}")
            stack.append(one.test)
        mixture = Mixture.by(method, np.stack(stack), kind=self.gathered.rows.labelling.kind)
        return mixture.of([weight for _, weight in weighed])

    def chances(self, method: Method) -> Array:
        """Return the probabilities of the test rows, (rows, labels), or numbers; of ranks, their shares."""
        logits = self.on_test(method)
        if method is Method.RANKS:
            return np.stack([1 - logits[:, 1], logits[:, 1]], axis=1)
        return probabilities(logits, self.gathered.rows.labelling.kind)

    def test_scores(self) -> dict[Method, float]:
        """Return the metric on test where it is labelled and all members are known there; else nothing."""
        labels, rows = self.gathered.test_labels, self.gathered.rows
        if labels is None or any(one.test is None for one in self.judged):
            return {}
        done = [one.method for one in self.found.found]
        every = {method: measured(labels, self.on_test(method), rows.labelling) for method in done}
        return {method: scores[rows.metric] for method, scores in every.items() if rows.metric in scores}


def refuse_unfit(gathered: Gathered, methods: Sequence[Method]) -> None:
    """Raise RequestError for a way of averaging that does not fit, where nothing else is asked for."""
    if len(methods) != 1 or (why := why_not(methods[0], gathered.rows)) is None:
        return
    if why is WhyNot.NO_LOGITS:
        raise RequestError("a mean of logits is for labels, and this study has numbers: probabilities is their mean")
    rule = f"a mean of ranks is for {', '.join(RANKING)} of two labels, which need no more than an order of the rows"
    raise RequestError(f"{rule}; this study has {gathered.rows.metric}")

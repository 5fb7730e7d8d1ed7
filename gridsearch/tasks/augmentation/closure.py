"""Which pairs follow from others: positive pairs join texts to components, and a negative pair parts two of them."""

from dataclasses import dataclass

import numpy as np

from gridsearch.tasks.augmentation.numbered import EMPTY


@dataclass(frozen=True)
class Components:
    """Texts by the component that positive pairs join them to: most are alone in theirs.

    ``members`` are the texts, component after component, and ``starts`` (one more than components) where each begins.
    """

    of_texts: np.ndarray
    members: np.ndarray
    starts: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """Texts of each component."""
        return np.diff(self.starts)

    def products(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return, for one component after another, every text of the first with every text of the second (rows, 2)."""
        n_second = self.sizes[second]
        n_each = self.sizes[first] * n_second
        place = np.arange(n_each.sum()) - np.repeat(np.cumsum(n_each) - n_each, n_each)
        rows, columns = np.divmod(place, np.repeat(n_second, n_each))
        begins = np.repeat(self.starts[first], n_each), np.repeat(self.starts[second], n_each)
        return np.stack([self.members[begins[0] + rows], self.members[begins[1] + columns]], axis=1)


def components_of(positive: np.ndarray, n_texts: int) -> Components:
    """Join texts, given as pairs (rows, 2) of their numbers. The empty text joins nothing."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = np.unique(_readable(positive), axis=0)
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(n_texts, n_texts))
    n_components, of_texts = connected_components(graph, directed=False)
    sizes = np.bincount(of_texts, minlength=n_components)
    members = np.argsort(of_texts, kind="stable")
    return Components(of_texts, members, np.concatenate([[0], np.cumsum(sizes)]))


def positives_within(components: Components, cap: int) -> np.ndarray:
    """Return every two texts of each component that has ``cap`` at most, as pairs (rows, 2): each once."""
    several = np.flatnonzero((components.sizes >= 2) & (components.sizes <= cap))
    pairs = components.products(several, several)
    return pairs[pairs[:, 0] < pairs[:, 1]]


def negatives_between(components: Components, negative: np.ndarray, cap: int) -> np.ndarray:
    """Return every text of one component with every text of another, where a negative pair stands between the two.

    Components have ``cap`` texts at most, and a text alone is one. As pairs (rows, 2), each once. A negative pair
    within a component says nothing of others.
    """
    joined = np.unique(np.sort(components.of_texts[_readable(negative)], axis=1), axis=0)
    is_small = (components.sizes[joined] <= cap).all(axis=1)
    first, second = joined[is_small & (joined[:, 0] != joined[:, 1])].T
    return components.products(first, second)


def _readable(pairs: np.ndarray) -> np.ndarray:
    readable: np.ndarray = pairs[(pairs != EMPTY).all(axis=1)]
    return readable

"""Draws of how alike runs of one seed are, factor by factor, given the runs: a Gibbs sampler.

Two runs with the same seed that differ in factor f share a part rho_f of their noise; those that differ in several
share the product. The covariance of the cells is then sigma^2 times a Kronecker product of compound-symmetric matrices,
so that orthonormal contrasts are independent, and those of a set S of factors have the variance

    sigma^2 exp(sum over f in S of d_f),    d_f = log[(1 - rho_f) / (1 + (k_f - 1) rho_f)],  k_f levels

(a split plot with a stratum for each set of factors, and one parameter a factor). rho_f is 0 with a chance that is
itself unknown, or anything between: so a page in which nothing is alike loses little, and one in which much is alike
is not believed.

Where runs are repeated, what runs of one cell differ by tells the noise, and nothing else does. Where none is, the
contrasts have to: those of three factors and more if they are many, else all of them; each is noise, or with a small
chance an effect ten times as large (Box & Meyer 1986, Technometrics 28, 11-18).
"""

from dataclasses import dataclass

import numpy as np

from reports.statistics.noise.frame import Frame
from reports.statistics.results import Array

N_CHAINS = 32
N_SWEEPS = 50
N_BURN = 15
SEED = 16
LIKENESS = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.997, 0.999])
LIKENESS_WEIGHTS = np.array([1.0] * 9 + [0.5] * 5) / 11.5
ACTIVE_FACTOR = 10.0
"""How many times the noise a contrast is that is no noise: Box & Meyer's k."""
ACTIVE = np.array([0.2, 0.1, 0.05, 0.01])
"""The chance that a contrast of 1, 2, 3, more factors is no noise, where all contrasts have to tell it."""
ACTIVE_HIGH = np.array([0.5, 0.5, 0.1, 0.03])
"""The same where those of three factors and more tell it: they are the ones that a ruinous combination leaves."""
HIGH_ORDER = 3
ENOUGH_HIGH = 30
"""With so many contrasts of three factors and more, those of fewer need not tell the noise: many may be real."""


@dataclass(frozen=True)
class Draws:
    """Draws from what is known of the noise: ``shrinkage`` are the d_f, shape (draws, factors).

    ``variance`` is the mean square that estimates sigma^2 on ``df`` degrees of freedom, given the rest. ``activity`` is
    the chance of each group of contrasts to be no noise.
    """

    shrinkage: Array
    variance: Array
    df: float
    activity: Array


def draw_noise(frame: Frame, values: Array) -> Draws:
    """Sample; ``values`` has one entry a run. The same runs give the same draws."""
    return _Sampler(frame, values).run()


class _Sampler:
    def __init__(self, frame: Frame, values: Array) -> None:
        self.frame, self.contrasts = frame, frame.contrasts
        self.random = np.random.default_rng(SEED)
        self.scale = float(values.std()) or 1.0
        self.shrinks = [np.concatenate([[0.0], _shrinkage(k)]) for k in frame.n_levels]
        n_factors, n_groups = len(frame.n_levels), len(self.contrasts.members)
        self.shrinkage = np.stack(
            [shrinks[self.random.integers(len(shrinks), size=N_CHAINS)] for shrinks in self.shrinks], axis=-1
        )
        self.is_active = np.zeros((N_CHAINS, n_groups), dtype=bool)
        sizes, orders = self.contrasts.sizes.astype(float), self.contrasts.orders
        is_high = orders >= HIGH_ORDER
        has_enough = frame.n_layers > 1 or sizes[is_high].sum() >= ENOUGH_HIGH
        chance = (ACTIVE_HIGH if has_enough else ACTIVE)[np.clip(orders, 1, len(ACTIVE)) - 1]
        self.prior_odds = np.log(chance / (1 - chance)) - sizes * np.log(ACTIVE_FACTOR)
        self.tells = np.full(n_groups, frame.n_layers == 1) & (is_high | (not has_enough))
        self.tells[0] = False
        self.sizes = sizes * (frame.n_layers - 1 + self.tells)
        # The first group is that of the mean: what a seed does to all cells alike tells nothing.
        self.sizes[0] *= not frame.has_seeds
        self.df = float(self.sizes.sum())
        self.open_layers = [layer for layer in range(frame.n_layers) if frame.is_open[layer].any()]
        self.runs = np.full((N_CHAINS, frame.n_layers, len(frame.cells)), np.nan)
        known = frame.tells
        self.runs[:, frame.layers[known], frame.places[known]] = (values[known] - values.mean()) / self.scale
        self._fill_at_first()
        self.is_single = len(self.contrasts.sets) == n_groups
        self.n_factors = n_factors
        self.mean = self.within = np.empty(0)
        self._transform()

    def run(self) -> Draws:
        """Sweep; keep what comes after the first sweeps."""
        shrinkage, variance, activity = [], [], []
        for sweep in range(N_SWEEPS):
            squares = self._squares()
            for factor in self.random.permutation(self.n_factors):
                self._draw_likeness(int(factor), squares)
            mean_square = self._draw_active(squares)
            if sweep >= N_BURN:
                shrinkage.append(self.shrinkage.copy())
                variance.append(mean_square * self.scale**2)
                activity.append(self.is_active.mean(axis=0))
            if self.open_layers:
                self._fill()
                self._transform()
        return Draws(np.concatenate(shrinkage), np.concatenate(variance), self.df, np.mean(activity, axis=0))

    def _transform(self) -> None:
        """Split into what the layers have in common and what they differ by, in squares summed by group."""
        runs = self.runs if self.open_layers else self.runs[:1]
        contrasts = runs @ self.contrasts.matrix.T
        self.mean = np.sqrt(self.frame.n_layers) * contrasts.mean(axis=1)
        within = (contrasts**2).sum(axis=1) - self.mean**2
        self.within = self.contrasts.summed(np.maximum(within, 0.0))
        self.between = self.contrasts.summed(self.mean**2)
        self.between[:, 0] = 0.0
        self.within[:, 0] *= not self.frame.has_seeds

    def _squares(self) -> Array:
        return np.asarray(self.within + self.between * self.tells * np.where(self.is_active, ACTIVE_FACTOR**-2.0, 1.0))

    def _draw_likeness(self, factor: int, squares: Array) -> None:
        """Draw one factor's likeness given all others', the scale integrated out; and first how many are alike."""
        n_alike = (self.shrinkage != 0).sum(axis=-1)
        alike = self.random.beta(1.0 + n_alike, 1.0 + self.n_factors - n_alike)[:, None]
        prior = np.concatenate([np.log1p(-alike), np.log(alike) + np.log(LIKENESS_WEIGHTS)], axis=1)
        shrinks = self.shrinks[factor]
        rest = self.shrinkage.copy()
        rest[:, factor] = 0.0
        fits = self._fits_single if self.is_single else self._fits_merged
        score = prior + fits(factor, rest, shrinks, squares) + self.random.gumbel(size=(N_CHAINS, len(shrinks)))
        self.shrinkage[:, factor] = shrinks[score.argmax(axis=1)]

    def _fits_single(self, factor: int, rest: Array, shrinks: Array, squares: Array) -> Array:
        inside = self.contrasts.sets[:, factor]
        scaled = squares / self.contrasts.eigenvalues(rest)
        sums = scaled[:, ~inside].sum(axis=1)[:, None] + scaled[:, inside].sum(axis=1)[:, None] * np.exp(-shrinks)
        return np.asarray(-0.5 * self.sizes[inside].sum() * shrinks - 0.5 * self.df * np.log(np.maximum(sums, TINY)))

    def _fits_merged(self, factor: int, rest: Array, shrinks: Array, squares: Array) -> Array:
        trial = np.repeat(rest[:, None, :], len(shrinks), axis=1)
        trial[:, :, factor] = shrinks
        variances = self.contrasts.eigenvalues(trial)
        sums = (squares[:, None, :] / variances).sum(axis=-1)
        return np.asarray(-0.5 * np.log(variances) @ self.sizes - 0.5 * self.df * np.log(np.maximum(sums, TINY)))

    def _draw_active(self, squares: Array) -> Array:
        """Draw the scale, and which contrasts are no noise; return the mean square that estimates sigma^2."""
        variances = self.contrasts.eigenvalues(self.shrinkage)
        total = np.maximum((squares / variances).sum(axis=1), TINY)
        self.sigma_squared = total / self.random.chisquare(self.df, size=N_CHAINS)
        ratio = self.between / variances / self.sigma_squared[:, None]
        odds = self.prior_odds + 0.5 * ratio * (1 - ACTIVE_FACTOR**-2.0)
        self.is_active = self.random.random(odds.shape) < 1 / (1 + np.exp(-np.clip(odds, -500, 500)))
        self.is_active[:, 0] = False
        return np.asarray((self._squares() / variances).sum(axis=1) / self.df)

    def _fill_at_first(self) -> None:
        """Put into open places what the main effects and the layer say."""
        if not self.open_layers:
            return
        cells = self.frame.cells
        columns = [np.ones(len(cells))] + [
            (cells[:, factor] == level).astype(float)
            for factor, k in enumerate(self.frame.n_levels)
            for level in range(1, k)
        ]
        design = np.column_stack(columns)
        known = ~self.frame.is_open
        layers, places = np.nonzero(known)
        layer_columns = np.equal.outer(layers, np.arange(1, self.frame.n_layers)).astype(float)
        observed = self.runs[0][known]
        solved = np.linalg.lstsq(np.hstack([design[places], layer_columns]), observed, rcond=None)[0]
        shift = np.concatenate([[0.0], solved[design.shape[1] :]])
        fitted = design @ solved[: design.shape[1]] + shift[:, None]
        self.runs[:, self.frame.is_open] = fitted[self.frame.is_open]

    def _fill(self) -> None:
        """Draw what the open places might have held, given all else; a layer's own mean is anything."""
        matrix, groups = self.contrasts.matrix, self.contrasts.groups
        variances = self.contrasts.eigenvalues(self.shrinkage)[:, groups] * self.sigma_squared[:, None]
        kept = np.where(self.is_active[:, groups], 1 - ACTIVE_FACTOR**-2.0, 0.0)
        effects = kept * self.mean + np.sqrt(kept * variances) * self.random.standard_normal(self.mean.shape)
        effects[:, 0] = 0.0
        fitted = effects @ matrix / np.sqrt(self.frame.n_layers)
        precision = 1 / variances
        precision[:, 0] = 0.0
        for layer in self.open_layers:
            is_open = self.frame.is_open[layer]
            inside = matrix[:, is_open]
            residuals = np.where(is_open, 0.0, self.runs[:, layer] - fitted)
            pull = ((residuals @ matrix.T) * precision) @ inside
            weights = np.einsum("ri,cr,rj->cij", inside, precision, inside, optimize=True)
            factor = np.linalg.cholesky(weights + TINY * np.eye(weights.shape[1]))
            noise = self.random.standard_normal(pull.shape)
            half = np.linalg.solve(factor, pull[..., None])[..., 0]
            drawn = np.linalg.solve(np.swapaxes(factor, 1, 2), (noise - half)[..., None])[..., 0]
            self.runs[:, layer, is_open] = fitted[:, is_open] + drawn


TINY = 1e-12


def _shrinkage(n_levels: int) -> Array:
    return np.asarray(np.log((1 - LIKENESS) / (1 + (n_levels - 1) * LIKENESS)))

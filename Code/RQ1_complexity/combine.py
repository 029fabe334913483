"""Complexity from its two parts: normalise and take the mean."""

import numpy as np
from numpy.typing import NDArray


def normalized(values: NDArray[np.float64], how: str) -> NDArray[np.float64]:
    """Values (n,) mapped to [0, 1]: (x - min) / (max - min), or by 'rank' their mean rank from 0 to 1."""
    if how == "rank":
        from scipy.stats import rankdata

        values = rankdata(values)
    low, high = values.min(), values.max()
    result: NDArray[np.float64] = (values - low) / (high - low)
    return result


def combine(semantic: NDArray[np.float64], linguistic: NDArray[np.float64], how: str) -> NDArray[np.float64]:
    """Complexity (n,) in [0, 1]: the mean of the two parts, each normalised over the data set.

    Rounded to six decimals, so that differences below the precision of the scores are ties and keep the input's order.
    """
    return np.round((normalized(semantic, how) + normalized(linguistic, how)) / 2, 6)


def rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's rho of two columns (n,)."""
    from scipy.stats import spearmanr

    return float(spearmanr(a, b)[0])

"""How often does something happen, and how sure is that?"""

from scipy.special import gammaincinv


def garwood(count: int, exposure: float, level: float = 0.95) -> tuple[float, float] | None:
    """Exact interval of a Poisson rate, in events per unit of `exposure`; None without exposure.

    F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936): half the quantiles of the
    chi-squared distribution with 2n and 2n + 2 degrees of freedom. It holds the level for any true rate, and never
    says that what was not seen cannot happen: no event in one hour still allows 3.7 an hour.

    >>> low, high = garwood(0, exposure=1.0)
    >>> low, round(high, 1)
    (0.0, 3.7)
    >>> [round(bound, 2) for bound in garwood(10, exposure=24.0)]
    [0.2, 0.77]
    """
    if exposure <= 0.0:
        return None
    rest = (1.0 - level) / 2.0
    low = 0.0 if count == 0 else float(gammaincinv(count, rest))
    return low / exposure, float(gammaincinv(count + 1, 1.0 - rest)) / exposure

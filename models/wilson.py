"""How sure a share is that was counted."""

from __future__ import annotations

from math import sqrt

Z95 = 1.959963984540054
"""Quantile of the normal distribution at 97.5%: bounds that hold with 95%, or one of them with 97.5%."""


def wilson_bounds(successes: float, attempts: float, z: float = Z95) -> tuple[float, float]:
    """Lower and upper bound of the success rate behind some successes; (0, 1) without attempts.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
    """
    if not attempts:
        return 0.0, 1.0
    share = successes / attempts
    centre = share + z * z / (2 * attempts)
    spread = z * sqrt(share * (1 - share) / attempts + z * z / (4 * attempts * attempts))
    whole = 1 + z * z / attempts
    return max(0.0, (centre - spread) / whole), min(1.0, (centre + spread) / whole)

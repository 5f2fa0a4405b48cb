"""Unit conversions, each named for what it converts, and the array aliases of the package."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["DAY_S", "HOUR_S", "KG_PER_T", "W_PER_MW", "BoolArray", "FloatArray", "IntArray"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
W_PER_MW: Final = 1_000_000.0
KG_PER_T: Final = 1000.0

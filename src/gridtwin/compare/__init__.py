"""Two or more runs side by side: what went in, what came out, and why it differs."""

from gridtwin.compare.comparison import Comparison, compare
from gridtwin.compare.records import Change, Decomposition, Figure, InputChange, Part

__all__ = ["Change", "Comparison", "Decomposition", "Figure", "InputChange", "Part", "compare"]

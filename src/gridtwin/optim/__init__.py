"""HiGHS plumbing: build a linear program in vectorised blocks, solve it, add rows, solve again."""

from gridtwin.optim.basis import STANDS_STILL, Basis
from gridtwin.optim.program import Program, Rows
from gridtwin.optim.solver import Session, Solution

__all__ = ["STANDS_STILL", "Basis", "Program", "Rows", "Session", "Solution"]

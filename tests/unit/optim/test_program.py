import numpy as np
import pytest
from scipy import sparse

from gridtwin.optim import Program, Rows


def test_blocks_are_numbered_in_the_shape_asked_for():
    program = Program()
    first = program.columns((2, 3), upper=np.array([[1.0], [2.0]]), cost=np.array([5.0, 6.0, 7.0]))
    second = program.columns((1,), lower=-1.0)
    np.testing.assert_array_equal(first, [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(second, [6])
    lower, upper = program.column_bounds
    np.testing.assert_array_equal(lower, [0, 0, 0, 0, 0, 0, -1])
    np.testing.assert_array_equal(upper, [1, 1, 1, 2, 2, 2, np.inf])
    np.testing.assert_array_equal(program.cost, [5, 6, 7, 5, 6, 7, 0])


def test_entries_broadcast_add_up_and_leave_zeros_out():
    program = Program()
    columns, rows = program.columns((2, 2)), program.rows((2,), 0.0, 9.0)
    program.entries(rows[:, None], columns, np.array([1.0, 0.0]))
    program.entries(rows[:1], columns[0, :1], 2.5)
    matrix = program.assembled().matrix
    np.testing.assert_array_equal(matrix.toarray(), [[3.5, 0, 0, 0], [0, 0, 1, 0]])
    assert matrix.nnz == 2


def test_complete_rows_follow_those_built_in_blocks():
    program = Program()
    columns, rows = program.columns((2,)), program.rows((1,), -1.0, 1.0)
    program.entries(rows, columns, 1.0)
    block = Rows(sparse.csr_array([[0.0, 4.0], [3.0, 0.0]]), np.array([0.0, 2.0]), np.array([5.0, np.inf]))
    np.testing.assert_array_equal(program.append(block), [1, 2])
    whole = program.assembled()
    np.testing.assert_array_equal(whole.matrix.toarray(), [[1, 1], [0, 4], [3, 0]])
    np.testing.assert_array_equal(whole.lower, [-1, 0, 2])
    np.testing.assert_array_equal(whole.upper, [1, 5, np.inf])


def test_values_of_another_shape_are_refused():
    program = Program()
    with pytest.raises(ValueError, match="broadcast"):
        program.columns((2,), cost=np.ones(3))

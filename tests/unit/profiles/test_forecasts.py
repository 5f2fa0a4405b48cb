import numpy as np
import pytest

from gridtwin.profiles.forecasts import last_day, relative_error, with_error


def test_the_last_day_is_expected_again():
    assert last_day(first=48, steps=30, steps_per_day=24).tolist() == [*range(24, 48), *range(24, 30)]


def test_before_the_run_is_as_its_first_day():
    assert last_day(first=12, steps=24, steps_per_day=24).tolist() == [*range(12, 24), *range(12)]


@pytest.fixture(scope="module")
def drawn():
    return relative_error(np.random.default_rng(1), steps=40, columns=20_000, error=0.2, correlation_steps=6.0)


def test_what_happens_now_is_known(drawn):
    assert (drawn[0] == 0).all()


def test_errors_grow_with_lead_time_to_what_is_stated(drawn):
    lead = np.arange(40)
    np.testing.assert_allclose(drawn.std(axis=1), 0.2 * np.sqrt(1 - np.exp(-2 * lead / 6.0)), atol=0.003)
    np.testing.assert_allclose(drawn.mean(axis=1), 0, atol=0.006)


def test_errors_are_alike_over_the_correlation_time(drawn):
    assert np.corrcoef(drawn[30], drawn[36])[0, 1] == pytest.approx(np.exp(-1), abs=0.02)


def test_limits_cut_and_are_counted():
    actual = np.array([[10.0, 50.0], [10.0, 0.0]])
    error = np.array([[-1.5, 0.2], [0.1, 3.0]])
    expected, clipped = with_error(actual, error, np.array([20.0, 55.0]))
    np.testing.assert_allclose(expected, [[0, 55], [11, 0]])
    assert clipped.tolist() == [2, 0]


def test_what_comes_true_is_never_beyond_the_limit():
    expected, clipped = with_error(np.array([[30.0]]), np.array([[0.0]]), np.array([20.0]))
    assert (expected.item(), clipped.item()) == (30.0, 0)

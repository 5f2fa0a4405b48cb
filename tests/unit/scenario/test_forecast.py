import json

import pytest

from gridtwin.errors import InputError
from gridtwin.scenario.load import load_scenario

NOISY = "{kind: noisy, error: 0.1, correlation_h: 6}"


def forecast(write, text):
    return load_scenario(write(more=f"forecast: {text}\n")).value.forecast


def test_a_name_alone_is_for_the_series(write):
    told = forecast(write, "persistence")
    assert (told.series.kind, told.arrivals.kind, told.runtimes.kind) == ("persistence", "perfect", "perfect")
    assert forecast(write, "perfect").perfect
    assert not told.perfect


def test_kinds_are_chosen_one_by_one(write):
    told = forecast(write, f"{{series: {NOISY}, arrivals: persistence, runtimes: {{kind: noisy, sigma: 0.5}}}}")
    assert (told.series.kind, told.series.error, told.series.correlation_h) == ("noisy", 0.1, 6)
    assert (told.arrivals.kind, told.runtimes.sigma) == ("persistence", 0.5)


def test_what_is_resolved_loads_again(write):
    scenario = load_scenario(write(more=f"forecast: {{series: {NOISY}}}\n")).value
    assert forecast(write, json.dumps(scenario.resolved()["forecast"])) == scenario.forecast


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("perfct", "s.yaml:8:11: forecast.series.kind: expected 'perfect', 'persistence', 'file' or 'noisy', got"),
        ("perfct", "(did you mean 'perfect'?)"),
        ("noisy", "forecast.series: noisy needs error and correlation_h, such as {kind: noisy, error: 0.15"),
        ("{series: {kind: noisy, error: 0.1}}", "s.yaml:8:20: forecast.series: noisy needs correlation_h, such as"),
        ("{series: {kind: file, error: 0.1}}", "forecast.series: file takes no error; leave that out, or choose noisy"),
        ("{series: {kind: noisy, error: 1.5, correlation_h: 6}}", "series.error: expected less than or equal to 1"),
        ("{series: {kind: noisy, error: 0.1, correlation_h: 0}}", "series.correlation_h: expected greater than 0"),
        ("{arrivals: file}", "forecast.arrivals.kind: expected 'perfect', 'persistence' or 'noisy', got 'file'"),
        ("{runtimes: noisy}", "forecast.runtimes: noisy needs sigma, such as {kind: noisy, sigma: 0.5}"),
        ("{runtimes: {kind: noisy, sgma: 1}}", "unknown key 'forecast.runtimes.sgma' (did you mean 'sigma'?)"),
        ("{serie: perfect}", "unknown key 'forecast.serie' (did you mean 'series'?)"),
        ("7", "forecast: expected a valid dictionary"),
    ],
)
def test_bad_values_are_named_where_they_stand(write, text, message):
    with pytest.raises(InputError) as error:
        forecast(write, text)
    assert message in str(error.value)

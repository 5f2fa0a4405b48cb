import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gridtwin.scenario.kinds import Duration, Instant, Positive, Shares, Span, duration_text


def read(kind, given_value):
    return TypeAdapter(kind).validate_python(given_value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15min", 900), ("1h", 3600), ("1.5 h", 5400), ("7d", 604_800), ("2w", 1_209_600)],
)
def test_durations(text, seconds):
    assert read(Duration, text) == seconds


@pytest.mark.parametrize("text", ["1", 1, 1.0, "1 hour", "-1h", "1h30min", "0.1s", "", None, True, "h", "1e3s"])
def test_what_is_no_duration(text):
    with pytest.raises(ValidationError, match="duration in whole seconds with its unit"):
        read(Duration, text)


def test_zero_is_a_delay_but_no_span():
    assert read(Duration, "0h") == 0
    with pytest.raises(ValidationError, match="longer than zero"):
        read(Span, "0h")


@given(st.integers(0, 10**8))
def test_durations_read_back(seconds):
    assert read(Duration, duration_text(seconds)) == seconds


def test_instants_need_a_zone():
    assert read(Instant, "2020-07-01T00:00:00-07:00").utcoffset().total_seconds() == -7 * 3600
    assert read(Instant, "2020-07-01T00:00:00Z").utcoffset().total_seconds() == 0
    with pytest.raises(ValidationError, match="has no zone"):
        read(Instant, "2020-07-01T00:00:00")
    with pytest.raises(ValidationError, match="has no zone"):
        read(Instant, "2020-07-01")
    for text in ("July", 20200701, None):
        with pytest.raises(ValidationError, match="expected a time with its zone"):
            read(Instant, text)
    with pytest.raises(ValidationError, match="whole seconds"):
        read(Instant, "2020-07-01T00:00:00.5Z")


@pytest.mark.parametrize("given_value", ["5", True, None, 0, -1])
def test_numbers_are_numbers(given_value):
    with pytest.raises(ValidationError):
        read(Positive, given_value)


def test_shares_add_to_one():
    assert read(Shares, {"a": 0.4, "b": 0.6}) == {"a": 0.4, "b": 0.6}
    with pytest.raises(ValidationError, match=r"add to 0\.9, expected 1"):
        read(Shares, {"a": 0.4, "b": 0.5})
    with pytest.raises(ValidationError, match="add to 0, expected 1"):
        read(Shares, {})

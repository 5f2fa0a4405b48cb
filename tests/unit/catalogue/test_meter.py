import pytest

from gridtwin.catalogue.meter import FP16, FP32, FP64, INT8, METERED_IN, PRECISIONS, Throughput, total
from gridtwin.errors import GridtwinError, PrecisionError


def test_units_are_powers_of_a_thousand():
    rate = Throughput.of(280, "EFLOP/s", FP32)
    assert rate.per_s == pytest.approx(2.8e20)
    assert rate.to("PFLOP/s") == pytest.approx(280_000)
    assert rate.to("TFLOP/s") == pytest.approx(280e6)
    assert rate.to("GFLOP/s") == pytest.approx(280e9)
    assert rate.to("FLOP/s") == rate.per_s


def test_unlike_precisions_are_never_added_or_compared():
    general, intelligent = Throughput.of(280, "EFLOP/s", FP32), Throughput.of(788, "EFLOP/s", FP16)
    for broken in (
        lambda: general + intelligent,
        lambda: general < intelligent,
        lambda: total(FP32, [general, intelligent]),
        lambda: sum([general, intelligent], Throughput(0.0, FP32)),
    ):
        with pytest.raises(PrecisionError, match="FP32 and FP16 are not the same meter") as raised:
            broken()
        assert isinstance(raised.value, TypeError)
        assert isinstance(raised.value, GridtwinError)


def test_numbers_are_no_throughput():
    with pytest.raises(TypeError):
        Throughput(1.0, FP32) + 1.0
    with pytest.raises(TypeError):
        sum([Throughput(1.0, FP32)])


def test_bytes_are_counted_in_operations():
    assert Throughput.of(624, "TOP/s", INT8).to("POP/s") == pytest.approx(0.624)
    with pytest.raises(PrecisionError, match=r"INT8 is not metered in 'TFLOP/s' \(did you mean 'MOP/s'|INT8 is not"):
        Throughput.of(624, "TFLOP/s", INT8)
    with pytest.raises(PrecisionError, match=r"FP16 is not metered in 'TFLOPS' \(did you mean 'TFLOP/s'\?\)"):
        Throughput.of(312, "TFLOPS", FP16)


def test_totals_of_nothing_have_a_precision():
    assert total(FP64, []) == Throughput(0.0, FP64)
    assert total(FP64, [Throughput(1.0, FP64), Throughput(2.0, FP64)]) == Throughput(3.0, FP64)
    assert Throughput(2.0, FP64) * 3 == Throughput(6.0, FP64)


@pytest.mark.parametrize(
    ("per_s", "precision", "text"),
    [
        (0.0, FP32, "0 FLOP/s FP32"),
        (2.8e20, FP32, "280 EFLOP/s FP32"),
        (9.99e11, FP64, "999 GFLOP/s FP64"),
        (1.4e14, INT8, "140 TOP/s INT8"),
    ],
)
def test_people_read_a_unit_that_fits(per_s, precision, text):
    assert str(Throughput(per_s, precision)) == text


def test_the_standard_of_the_classes():
    assert {"general": "fp32", "intelligent": "fp16", "super": "fp64"}.items() <= METERED_IN.items()
    assert "edge" not in METERED_IN
    assert set(METERED_IN.values()) <= set(PRECISIONS)

"""Names are text and nothing else."""

import re

import pytest

from gridtwin.exports.matpower import identifier, quoted

HOSTILE = (
    "'; delete('*'); '", "a'}; system('rm -rf /'); mpc.bus_name = {'", "x\n];\nsystem('x');", "x\r!ls", "x\u2028!ls",
    "%{", "...", '"', "\\n", "a\x00b", "a;b", "[1]", "=1", "北京",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_stays_within_its_quotes(name):
    text = quoted(name)
    assert re.fullmatch(r"'(?:[^']|'')*'", text)
    assert text.isprintable()
    assert not re.search(r"""[\[\]{}();%=#"!\\]|\.{3}""", text)


def test_text_is_kept():
    assert quoted("北京 O'Hara-1_a.b") == "'北京 O''Hara-1_a.b'"


@pytest.mark.parametrize("name", [*HOSTILE, "", "1", "_x", "x" * 99])
def test_an_identifier_is_one(name):
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", identifier(name))

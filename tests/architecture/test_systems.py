"""The page of systems says what the catalogue says, and the examples of the registry's page run."""

import doctest
import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_what_the_tables_give():
    spec = importlib.util.spec_from_file_location("make_systems", DOCS / "make_systems.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "systems.md").read_text(encoding="utf-8") == module.page(), "run: python docs/make_systems.py"


def test_examples_of_the_page_run():
    found = doctest.testfile(str(DOCS / "registry.md"), module_relative=False, encoding="utf-8")
    assert found.attempted > 4
    assert found.failed == 0

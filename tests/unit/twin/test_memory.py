"""Memory is given back wherever the process runs."""

import ctypes

from gridtwin.twin.memory import give_back


def test_it_works_without_glibc(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    give_back()


def test_it_works_here():
    give_back()

"""Ledgers: what a run stored, checked against itself from independent sources."""

from gridtwin.audit.ledgers import Ledger, close_ledgers

__all__ = ["Ledger", "close_ledgers"]

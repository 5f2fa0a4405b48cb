"""Pure functions from quantities to money, emissions and indicators."""

"""From a scenario file and a model folder to a frozen `Study`; everything that `validate` checks."""

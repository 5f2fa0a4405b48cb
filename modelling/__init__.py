"""Builders of shipped models: from compact sources to the tables of a model folder."""

"""Series over time: reading, resampling and the frozen record a run looks at."""

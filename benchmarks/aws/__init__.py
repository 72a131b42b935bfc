"""The comparison of scans of AWS: ``make bench-aws``. See docs/benchmarks.md."""

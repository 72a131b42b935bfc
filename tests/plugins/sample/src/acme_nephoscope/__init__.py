"""ACME's own rules for Nephoscope."""

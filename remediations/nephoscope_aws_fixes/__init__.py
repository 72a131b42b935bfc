"""Fixes for Amazon Web Services: each plans calls and their way back, and never writes by itself."""

"""The rules and frameworks that Nephoscope ships: one module of rules per service, one TOML file per framework."""

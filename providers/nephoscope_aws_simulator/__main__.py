"""`python -m nephoscope_aws_simulator`."""

from nephoscope_aws_simulator.server import main

main()

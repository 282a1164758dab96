"""The console script `calwebb-detector1`."""

from calwebb_core.framework.command import make_program

main = make_program("calwebb_detector1.pipeline:PIPELINE", name="calwebb-detector1")

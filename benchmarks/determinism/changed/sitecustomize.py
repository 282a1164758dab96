"""Change what a program finds, as variables say. Python imports this when it starts."""

import os

if "CALWEBB_CLOCK_AHEAD" in os.environ:
    import later  # noqa: F401
if "CALWEBB_PLANES_MEMORY" in os.environ:
    import low_memory  # noqa: F401

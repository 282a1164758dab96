"""Let planes go to files above CALWEBB_PLANES_MEMORY bytes, as with a large input."""

import contextlib
import os

with contextlib.suppress(ImportError):
    from calwebb_core.framework.planes import Store

    Store.__init__.__defaults__ = (None, int(os.environ["CALWEBB_PLANES_MEMORY"]), 0)

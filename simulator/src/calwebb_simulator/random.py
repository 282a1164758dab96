"""Random numbers: every use has a stream of its own, named by what it is for.

So a change of one effect, or of the order of the code, leaves the draws of all others as they
were, and the same seed gives the same bytes.
"""

from zlib import crc32

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator of a purpose.

    Parameters
    ----------
    seed : int
        The run's seed.
    names : str or int
        What it is for, such as "cosmic_rays", "nrcalong", 2.
    """
    words = [name if isinstance(name, int) else crc32(name.encode()) for name in names]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))

"""Kernels from the image's read-only cache; what is not there is compiled and kept where allowed.

numba's own caches must be writable, or it refuses to work with functions that ask for a cache.
Here a kernel is looked up in the image first and then in NUMBA_CACHE_DIR, if the user sets one.
Without it, a kernel that the image lacks is compiled for this process alone: a folder that others
could write to, such as /tmp, is no place to load code from.
"""

import logging
import os
from typing import Any

from calwebb_image import KERNELS
from numba.core import caching, config

logger = logging.getLogger(__name__)
_load = caching.FunctionCache._load_overload
_save = caching.FunctionCache._save_overload


class ImageLocator(caching.UserProvidedCacheLocator):
    """Where a function's compiled code goes: a folder of the user's, which need not exist."""

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> "ImageLocator | None":
        """Return the locator of a function that has a file; the folder is not tried."""
        return cls(py_func, py_file) if os.path.exists(py_file) else None  # noqa: PTH110

    def ensure_cache_path(self) -> None:
        """Make the folder when code is about to be written."""
        if not config.CACHE_DIR:
            msg = "NUMBA_CACHE_DIR is not set"
            raise OSError(msg)
        super().ensure_cache_path()


def load(cache: Any, signature: Any, context: Any) -> Any:
    """Return a compiled function of the image, or else of the user's cache, or None."""
    image = caching.IndexDataCacheFile(
        os.path.join(KERNELS, os.path.basename(cache.cache_path)),  # noqa: PTH118, PTH119
        cache._impl.filename_base,
        cache._impl.locator.get_source_stamp(),
    )
    data = image.load(cache._index_key(signature, context.codegen()))
    if data is not None:
        return cache._impl.rebuild(context, data)
    return _load(cache, signature, context) if config.CACHE_DIR else None


def save(cache: Any, signature: Any, data: Any) -> None:
    """Keep a compiled function in the user's cache, if there is one that can be written."""
    logger.debug("compiled here, not in the image: %s", cache)
    try:
        _save(cache, signature, data)
    except OSError as error:
        logger.debug("the compiled kernel is not kept: %s", error)


caching.FunctionCache._load_overload = load
caching.FunctionCache._save_overload = save

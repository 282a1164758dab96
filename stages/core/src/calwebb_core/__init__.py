"""What the stage programs share: the framework around steps, and common array algorithms."""

from calwebb_core.framework.processor import use_common_level

__version__ = "0.1.0"

# before anything imports numpy, which looks at the environment just once
use_common_level()

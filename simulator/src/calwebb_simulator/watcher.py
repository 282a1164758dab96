"""How a run tells what it is doing."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Watcher:
    """Called as the work goes on: `begin` with a text, `advance` with each piece done."""

    begin: Callable[[str], None] = lambda _: None
    advance: Callable[[], None] = lambda: None

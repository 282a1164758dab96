"""Let Python's clocks run CALWEBB_CLOCK_AHEAD seconds ahead."""

import datetime
import os
import time
from typing import Any

AHEAD = int(os.environ["CALWEBB_CLOCK_AHEAD"])
REAL: Any = datetime.datetime
_time, _time_ns = time.time, time.time_ns
_gmtime, _localtime, _strftime = time.gmtime, time.localtime, time.strftime


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, REAL)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, REAL)


class Later(REAL, metaclass=_Kind):  # type: ignore[misc]
    """A datetime whose now is ahead."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        """Return the time ahead."""
        return REAL.fromtimestamp(time.time(), tz)

    @classmethod
    def today(cls) -> Any:
        """Return the time ahead."""
        return cls.now()

    @classmethod
    def utcnow(cls) -> Any:
        """Return the time ahead, in UTC."""
        return cls.now(datetime.UTC).replace(tzinfo=None)


def _gm(seconds: Any = None) -> time.struct_time:
    return _gmtime(time.time() if seconds is None else seconds)


def _local(seconds: Any = None) -> time.struct_time:
    return _localtime(time.time() if seconds is None else seconds)


time.time = lambda: _time() + AHEAD
time.time_ns = lambda: _time_ns() + AHEAD * 10**9
time.gmtime, time.localtime = _gm, _local
time.strftime = lambda form, moment=None: _strftime(form, moment or _local())
setattr(datetime, "datetime", Later)  # noqa: B010 - mypy would not have it

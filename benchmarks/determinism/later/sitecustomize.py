"""Let Python's clocks run CALWEBB_CLOCK_AHEAD seconds ahead."""

import datetime
import os
import time

AHEAD = int(os.environ["CALWEBB_CLOCK_AHEAD"])
_time, _time_ns, _datetime = time.time, time.time_ns, datetime.datetime
_gmtime, _localtime, _strftime = time.gmtime, time.localtime, time.strftime


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _datetime)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, _datetime)


class Later(_datetime, metaclass=_Kind):
    """A datetime whose now is ahead."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> _datetime:  # type: ignore[override]
        """Return the time ahead."""
        return _datetime.fromtimestamp(time.time(), tz)

    @classmethod
    def today(cls) -> _datetime:  # type: ignore[override]
        """Return the time ahead."""
        return cls.now()

    @classmethod
    def utcnow(cls) -> _datetime:  # type: ignore[override]
        """Return the time ahead, in UTC."""
        return cls.now(datetime.UTC).replace(tzinfo=None)


def _gm(seconds: float | None = None) -> time.struct_time:
    return _gmtime(time.time() if seconds is None else seconds)


def _local(seconds: float | None = None) -> time.struct_time:
    return _localtime(time.time() if seconds is None else seconds)


time.time = lambda: _time() + AHEAD
time.time_ns = lambda: _time_ns() + AHEAD * 10**9
time.gmtime, time.localtime = _gm, _local
time.strftime = lambda form, moment=None: _strftime(form, moment or _local())
datetime.datetime = Later  # type: ignore[misc]

"""Headers are read once, in whatever way is fastest, and again when a file has changed."""

import json
import os
import time

import pytest

from calwebb_associate import headers
from calwebb_associate.pool_cache import AT_ONCE, HeaderCache, read_headers
from calwebb_core.framework.errors import InputError


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "headers.jsonl"


@pytest.fixture
def unread(monkeypatch):
    """Fail if a header is read."""

    def forbid():
        monkeypatch.setattr(headers, "read_primary", lambda path: pytest.fail(f"read {path}"))

    return forbid


def exposures(put, count):
    return [put(f"jw01345001001_02201_{n:05d}_nrcalong_uncal.fits") for n in range(count)]


def test_kept_headers_are_used_until_the_file_changes(put, kept, unread):
    path = put()
    first = read_headers([path], kept)
    put(FILTER="F356W", LAMP="X" * 20)
    second = read_headers([path], kept)
    unread()
    assert read_headers([path], kept) == second
    assert first[0][path]["FILTER"] == "F277W"
    assert second[0][path]["FILTER"] == "F356W"
    assert second[1][path] == path.stat().st_size


def test_a_file_of_the_same_size_and_time_in_its_place_is_read(put, kept):
    path = put()
    read_headers([path], kept)
    before = path.stat()
    path.rename(path.with_name("old.fits"))
    put(FILTER="F356W")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert read_headers([path], kept)[0][path]["FILTER"] == "F356W"


def test_headers_of_other_files_are_kept_too(put, kept, unread):
    one, other = exposures(put, 2)
    read_headers([one], kept)
    read_headers([other], kept)
    unread()
    assert set(read_headers([one, other], kept)[0]) == {one, other}


def test_a_cache_is_not_written_without_need(put, kept):
    path = put()
    read_headers([path], kept)
    before = kept.stat()
    read_headers([path], kept)
    assert kept.stat() == before
    assert [file.name for file in kept.parent.iterdir() if "jsonl" in file.name] == [kept.name]


def test_nothing_is_kept_unless_asked_for(put, tmp_path):
    path = put()
    assert read_headers([path])[0][path]["FILTER"] == "F277W"
    assert list(tmp_path.iterdir()) == [path]


def first_line(kept):
    return kept.read_text().split("\n")[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "{broken",
        lambda text: "[]",
        lambda text: "something else\n",
        lambda text: json.dumps({"format": 1, "headers": {}}),
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"NIRCAM"', '{"a":1}'),
        lambda text: text.replace('["/', '[1,"/'),
        lambda text: text + '["x",1,2,3,[]]\n',
        lambda text: text + '["x","1",2,3,[]]\n',
        lambda text: b"\xff\xfe",
    ],
)
def test_a_cache_that_cannot_be_used_is_made_anew(put, kept, caplog, damage):
    path = put()
    read_headers([path], kept)
    good = kept.read_text()
    bad = damage(good)
    kept.write_bytes(bad if isinstance(bad, bytes) else bad.encode())
    assert read_headers([path], kept)[0][path]["FILTER"] == "F277W"
    assert f"{kept}: kept headers cannot be used" in caplog.text
    assert kept.read_text() == good


def test_a_cache_of_another_version_is_made_anew_without_a_word(put, kept, caplog):
    path = put()
    read_headers([path], kept)
    good = kept.read_text()
    kept.write_text(good.replace('"WHATEVER"', "").replace('"BAND", ', ""))
    read_headers([path], kept)
    assert (kept.read_text(), caplog.text) == (good, "")


def test_files_that_are_waited_for_are_read_side_by_side(put, monkeypatch):
    paths = exposures(put, 5 * AT_ONCE)
    expected = read_headers(paths)
    read = headers.read_primary

    def slowly(path):
        time.sleep(0.005)
        return read(path)

    monkeypatch.setattr(headers, "read_primary", slowly)
    started = time.perf_counter()
    assert read_headers(paths) == expected
    assert time.perf_counter() - started < 0.005 * len(paths) * 0.8


def test_the_cache_alone_reads_and_keeps(put, kept):
    path = put()
    cache = HeaderCache(kept)
    assert (len(cache), cache.get(path, path.stat())) == (0, None)
    header = cache.read(path, path.stat())
    cache.save()
    assert HeaderCache(kept).get(path, path.stat()) == header


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none_uncal\.fits: cannot be read: No such file"):
        read_headers([tmp_path / "none_uncal.fits"])


def test_the_first_file_that_cannot_be_read_is_named(put):
    paths = exposures(put, 2 * AT_ONCE)
    for path in paths[-2:]:
        path.write_bytes(b"x")
    with pytest.raises(InputError, match=rf"{paths[-2].name}: is not a FITS file"):
        read_headers(paths)

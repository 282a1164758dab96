"""Files appear whole or not at all, also when the writer is killed or the disk is full."""

import errno
import os
import signal
import sys
import time

import pytest

from calwebb_core.framework import fits_write
from calwebb_core.framework.atomic import atomic_path, check_writable, write_text, write_texts
from calwebb_core.framework.errors import InputError, ProcessingError
from calwebb_core.framework.products import read_image, write_image

from .samples import check_fits, sample_image


def test_new_and_replaced(tmp_path):
    path = tmp_path / "x.txt"
    write_text(path, "first\n")
    write_text(path, "é second\n")
    assert path.read_bytes() == "é second\n".encode()
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o666 & ~current_umask()


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_error_in_the_block_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.txt"
    write_text(path, "first")

    def write_half():
        with atomic_path(path) as temporary:
            temporary.write_text("half of")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_full_disk(tmp_path):
    path = tmp_path / "x.txt"
    write_text(path, "first")
    message = r"x\.txt: could not be written: No space left on device; an older file is left"
    with pytest.raises(ProcessingError, match=message), atomic_path(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == [path]


def test_other_errors_of_the_system_are_not_disguised(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "x"):
        (tmp_path / "no" / "where").read_text()


def test_missing_folder(tmp_path):
    with pytest.raises(InputError, match="cannot be written: No such file or directory"):
        write_text(tmp_path / "none" / "x.txt", "")


def test_many_files(tmp_path):
    (tmp_path / "0.txt").write_text("old")
    texts = {tmp_path / f"{number}.txt": f"{number}\n" for number in range(50)}
    write_texts(texts)
    assert {path: path.read_text() for path in tmp_path.iterdir()} == texts
    write_texts({})


def test_many_files_one_of_which_fails(tmp_path):
    texts = {tmp_path / "a.txt": "a", tmp_path / "none" / "b.txt": "b"}
    with pytest.raises(InputError, match=r"none/b\.txt: cannot be written: No such file"):
        write_texts(texts)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_check_writable(tmp_path):
    check_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file: the output folder cannot be written: it is a f"):
        check_writable(tmp_path / "file")
    with pytest.raises(InputError, match="the output folder cannot be written: Not a directory"):
        check_writable(tmp_path / "file" / "below")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_check_writable_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Permission denied; choose another one"):
        check_writable(tmp_path)


def write_until_killed(path, version, blocks, ready):
    """Write a product in a forked process that stops before HDU number `blocks`."""
    process = os.fork()
    if process:
        return process
    written = fits_write.write_block
    count = iter(range(100))

    def write_some(stream, block):
        if next(count) == blocks:
            stream.flush()
            os.write(ready, b"x")
            time.sleep(60)
        written(stream, block)

    fits_write.write_block = write_some
    image = sample_image((60, 80))
    image.metadata["TARGPROP"] = version
    write_image(image, path)
    os._exit(1)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_killed_writer(tmp_path):
    """Ten writers are killed, each at another HDU; the older product stays whole."""
    path = tmp_path / "x_cal.fits"
    image = sample_image((60, 80))
    write_image(image, path)
    before = path.read_bytes()
    for attempt in range(10):
        ready, ours = os.pipe()
        process = write_until_killed(path, f"version {attempt}", attempt % 9, ours)
        assert os.read(ready, 1) == b"x"
        os.kill(process, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
        os.close(ready)
        os.close(ours)
        assert path.read_bytes() == before
        check_fits(path)
    assert all(
        other.name.startswith(".x_cal.fits.") for other in tmp_path.iterdir() if other != path
    )
    image.metadata["TARGPROP"] = "whole"
    write_image(image, path)
    assert read_image(path).metadata["TARGPROP"] == "whole"

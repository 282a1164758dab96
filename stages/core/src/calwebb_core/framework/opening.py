"""Open an input: its keywords before its pixels, an association product by product."""

from pathlib import Path
from typing import Any

from calwebb_core.framework.association import (
    MemberOptions,
    is_association,
    read_association,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.metadata import Metadata
from calwebb_core.framework.pipeline import Pipeline


def member_options(
    pipeline: Pipeline,
    path: Path,
    input_dir: str | Path | None = None,
    product: str | None = None,
    *,
    allow_outside: bool = False,
) -> list[MemberOptions]:
    """Return the keywords with which an input is read, once for each of its products.

    Raises
    ------
    InputError
        If the input is an association and unfit, see `read_association`.
    """
    given: MemberOptions = {}
    if input_dir is not None:
        given["input_dir"] = Path(input_dir)
    if allow_outside:
        given["allow_outside"] = True
    if product is not None:
        given["product"] = product
    if not (pipeline.associations and is_association(path)):
        return [given]
    products = read_association(path, **given).products
    if len(products) == 1:
        return [given]
    return [{**given, "product": item.name} for item in products]


class Opened:
    """An input whose keywords are looked at before its pixels are read, where that is possible.

    Parameters
    ----------
    pipeline : Pipeline
        Whose functions read it.
    path : Path
        The file.
    options : MemberOptions, optional
        Where an association's members are, and which of its products is wanted.
    """

    def __init__(
        self, pipeline: Pipeline, path: Path, options: MemberOptions | None = None
    ) -> None:
        self._pipeline = pipeline
        self._path = path
        self._extra: MemberOptions = options or {}
        self._model: Any = None

    def metadata(self) -> Metadata:
        """Return the keywords."""
        if self._pipeline.read_metadata is not None:
            return self._pipeline.read_metadata(self._path, **self._extra)
        if self._path.suffix == ".json":
            self._model = self.take_model()
            metadata: Metadata = self._model.metadata
            return metadata
        from calwebb_core.framework.products import read_metadata

        return read_metadata(self._path)

    def take_model(self) -> Any:
        """Return the container and forget it here, so that steps can free its arrays."""
        model, self._model = self._model, None
        read = self._pipeline.open or self._pipeline.read
        return read(self._path, **self._extra) if model is None else model


def check_input(path: Path) -> Path:
    """Return the path of an input file.

    Raises
    ------
    InputError
        If there is no such file.
    """
    if not path.is_file():
        msg = f"{path}: the input file does not exist"
        raise InputError(msg)
    return path

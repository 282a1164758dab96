"""What a run of the workflow makes: exposures and products of each pipeline, as paths."""

from collections.abc import Mapping
from typing import Any, Final

from calwebb_associate.availability import PlannedAssociation
from calwebb_associate.pictures import ColourImages, Mosaic, colour_sets, wavelength
from calwebb_associate.plan import Plan
from calwebb_associate.targets import (
    FOLDER,
    PRODUCTS,
    STAGE1,
    Made,
    is_open,
    left_out_by,
    one_of,
    picture_paths,
    product_paths,
    program_of,
    unit_name,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import ExposureName

# First suffix of what an association makes: two may make different products of one exposure.
KINDS_OF_PRODUCT: Final = ("cal", "calints", "i2d", "s2d", "x1d", "x1dints", "phot")


class Targets:
    """What the plan of a run makes.

    Parameters
    ----------
    config : mapping
        The configuration, validated.
    plan : Plan
    """

    FOLDER: Final = FOLDER

    def __init__(self, config: Mapping[str, Any], plan: Plan) -> None:
        self.config = config
        self.plan = plan
        self.results = str(config["results"])
        self._exposures = {exposure.root: exposure for exposure in plan.exposures}
        self._makers = {
            (unit_name(name), item.suffixes[0]): item
            for item in plan.associations
            if item.available
            for name in item.products
        }
        self.colours = self._colours()

    def units(self, pipeline: str) -> list[tuple[str, str]]:
        """Return (program, exposure or product) for everything a pipeline will make."""
        if pipeline in STAGE1:
            return sorted(
                (program_of(item.root), item.root)
                for item in self.plan.exposures
                if item.available and item.program == f"calwebb-{pipeline}"
            )
        return sorted({(program, name) for program, name, _ in self._of(pipeline)})

    def made(self, pipeline: str) -> list[Made]:
        """Return (program, exposure or product, suffixes) for everything a pipeline will make."""
        if pipeline in STAGE1:
            return [(*unit, PRODUCTS[pipeline]) for unit in self.units(pipeline)]
        without = left_out_by(pipeline, self.config)
        return [
            (program, name, tuple(x for x in suffixes if x not in without))
            for program, name, suffixes in self._closed(pipeline)
        ]

    def _closed(self, pipeline: str) -> list[Made]:
        """Return what `_of` does, with a folder for products whose names are open."""
        folders = {
            unit_name(name)
            for item in self.plan.associations
            for name in item.products
            if is_open(name)
        }
        return [
            (program, name, (FOLDER,) if name in folders else suffixes)
            for program, name, suffixes in self._of(pipeline)
        ]

    def _of(self, pipeline: str) -> list[Made]:
        """Return (program, product, suffixes) of the associations that a pipeline takes."""
        return sorted(
            (item.program, name, item.suffixes)
            for (name, _), item in self._makers.items()
            if item.pipeline == f"calwebb-{pipeline}"
        )

    def only(self, *suffixes: str, pipeline: str = "image2") -> str:
        """Return a pattern of what a pipeline makes just these products of."""
        return one_of(name for _, name, made in self.made(pipeline) if made == suffixes)

    def makes(self, pipeline: str, suffix: str) -> bool:
        """Say whether the steps that make a product are on."""
        return suffix not in left_out_by(pipeline, self.config)

    def products(self, pipeline: str) -> list[str]:
        """Return the paths of all products of a pipeline."""
        return product_paths(self.results, pipeline, self.made(pipeline))

    def pictures(self, pipeline: str) -> list[str]:
        """Return the paths of the quick-look pictures of a pipeline's products."""
        made = self.made(pipeline)
        if pipeline == "image3" and self.makes(pipeline, "i2d"):
            made += [(program, name, ("footprint",)) for program, name, _ in made]
            made += [(name[2:7], name, ("colour",)) for name in self.colours.sets]
        return picture_paths(self.results, pipeline, made)

    def _colours(self) -> ColourImages:
        """Return the colour images."""
        headers = {
            name: self._exposures[self._root(name)].header for _, name in self.units("image3")
        }
        mosaics = (
            Mosaic(name, wavelength(header), len(self._maker(name).members))
            for name, header in headers.items()
        )
        return ColourImages(self.results, colour_sets(mosaics))

    def _root(self, unit: str) -> str:
        """Return the exposure whose header chooses the references: a product's first member."""
        if unit in self._exposures:
            return unit
        return ExposureName.parse(self._maker(unit).members[0]).root

    def _maker(self, product: str, kind: str = "") -> PlannedAssociation:
        """Return the association that makes a product."""
        kinds = (kind,) if kind else KINDS_OF_PRODUCT
        found = (self._makers.get((product, kind)) for kind in kinds)
        maker = next((item for item in found if item is not None), None)
        if maker is None:
            msg = f"{product}: no exposure or association of this run makes such a product"
            raise InputError(msg)
        return maker

"""What the workflow's rules ask: the plan of a run as paths, parameters and targets.

The Snakefile makes one `Run` from the configuration while it is read. Everything here is a
pure function of the configuration and of the headers of the raw exposures, so the whole
graph of jobs is known at a dry run. Nothing heavy is imported: a dry run starts fast.
"""

import logging
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from calwebb_associate.association_jobs import AssociationJobs
from calwebb_associate.availability import PlannedAssociation
from calwebb_associate.bindings import container_environment, read_folders, written_folders
from calwebb_associate.choice import NOT_APPLICABLE, existing
from calwebb_associate.configuration import environment, load_schema, validate
from calwebb_associate.files import raw_exposures
from calwebb_associate.given_paths import check_files, check_given
from calwebb_associate.handover import STEP, Handover, in_turn, kind_of, leaving
from calwebb_associate.images import needed, require_images
from calwebb_associate.making import Making
from calwebb_associate.pictures import ColourImages, Mosaic, colour_sets, wavelength
from calwebb_associate.pipelines import (
    DETECTOR1,
    OPTIONAL_TYPES,
    has_step,
    parameter_types,
)
from calwebb_associate.plan import Plan, make_plan
from calwebb_associate.targets import (
    FOLDER,
    PRODUCTS,
    STAGE1,
    Made,
    folder_of,
    is_open,
    left_out_by,
    one_of,
    option_words,
    picture_paths,
    product_paths,
    program_of,
    unit_name,
)
from calwebb_core.framework.errors import InputError
from calwebb_core.framework.names import ExposureName

# First suffix of what an association makes: two may make different products of one exposure.
KINDS_OF_PRODUCT: Final = ("cal", "calints", "i2d", "s2d", "x1d", "x1dints", "phot")

log = logging.getLogger(__name__)


class Run:
    """Paths, parameters and targets of one run of the workflow.

    Parameters
    ----------
    config : mapping
        The configuration as Snakemake merged it; validated here.
    base : str or Path
        Folder of the Snakefile.
    containers : bool
        Whether Snakemake was asked to run the jobs in containers.

    Raises
    ------
    InputError
        If the configuration, a folder or an exposure is wrong, or an image is missing.
    ReferenceFileError
        If a reference file that the rules chose is not in the cache.
    """

    FOLDER: Final = FOLDER

    def __init__(
        self, config: Mapping[str, Any], *, base: str | Path, containers: bool = False
    ) -> None:
        self.base = Path(base)
        self.schema = load_schema(self.base / "schemas" / "config.schema.json")
        validate(config, self.schema)
        check_given(config)
        self.config = config
        self.results = str(config["results"])
        self.logs = str(config["logs"])
        self.overrides: dict[str, str] = dict(config["overrides"])
        self.environment = environment(config, self.base)
        places = [config["uncal"]] if isinstance(config["uncal"], str) else config["uncal"]
        self.own_pool = Path(config["pool"]) if config["pool"] else None
        self.plan: Plan = make_plan(
            raw_exposures(places, guide_stars=True),
            context=config["crds_context"] or None,
            crds_path=self.environment.get("CRDS_PATH"),
            overrides=tuple(self.overrides),
            steps=self._steps_with_types(),
            crds_parameters=config["crds_parameters"],
            making=self._making(),
        )
        check_files(exposure.path for exposure in self.plan.exposures)
        programs = {item.pipeline for item in self.plan.associations if item.available}
        self.images = require_images(self.base, needed(programs)) if containers else {}
        self.environment["CRDS_CONTEXT"] = self.plan.context
        if containers:
            read = read_folders(config, self.plan, self.base, self.environment)
            self.environment |= container_environment(
                self.environment, read, written_folders(config)
            )
        self._exposures = {exposure.root: exposure for exposure in self.plan.exposures}
        self.associations = AssociationJobs(self.results, self.plan)
        self._makers = {
            (unit_name(name), item.suffixes[0]): item
            for item in self.plan.associations
            if item.available
            for name in item.products
        }
        self.handover = self._handover()
        self.colours = self._colours()
        # Reference files of each selection, looked for once: most exposures share theirs.
        self._files: dict[tuple[tuple[str, str], ...], list[str]] = {}
        self._said = False

    def say_what_is_missing(self) -> None:
        """Say once what is left out of the run, and why."""
        if self.plan.not_available and not self._said:
            log.warning(
                "Not available yet, or left out:\n  %s", "\n  ".join(self.plan.not_available)
            )
        self._said = True

    def _making(self) -> Making:
        """Return what the user gives for pool and associations."""
        rules = self.config["rules"]
        return Making(
            pool=self.own_pool,
            own=tuple(map(Path, self.config["associations"])),
            rules=Path(rules) if rules else None,
            default_rules=self.config["default_rules"],
            candidates=tuple(map(str.lower, self.config["candidates"])),
            discover=self.config["discover"],
        )

    def _steps_with_types(self) -> tuple[str, ...]:
        """Return the steps that are on and need reference files that are not chosen otherwise."""
        kind = kind_of(self.config["detector1"].get(STEP, {}))
        on = {STEP} if kind and kind.types else set()
        return tuple(step for step in OPTIONAL_TYPES if step in on)

    def _handover(self) -> Handover | None:
        """Return what exposures of a detector hand to one another, or None for nothing."""
        kind = kind_of(self.config["detector1"].get(STEP, {}))
        if kind is None:
            return None
        roots = [root for _, root in self.units("detector1")]
        selections = {
            root: {**self.plan.references[root][DETECTOR1], **self.overrides} for root in roots
        }
        kept = leaving(kind, roots, selections)
        if not kept:
            return None
        previous = in_turn({root: self._exposures[root].header for root in kept})
        detectors = sorted({root.rsplit("_", 1)[1] for root in kept})
        return Handover(kind, tuple(detectors), previous)

    def image(self, stage: str) -> str:
        """Return the path of a stage's container image, where containers are used."""
        return self.images.get(stage, str(self.base / "containers" / f"{stage}.sif"))

    # What a job reads

    def representative_uncal(self, unit: str) -> str:
        """Return the raw file of an exposure, or of the first member of a product."""
        return str(self._exposures[self._root(unit)].path)

    def reference_selection(self, unit: str, pipeline: str) -> dict[str, str]:
        """Return what the rules of the context chose: file name, or "N/A", by type."""
        return dict(sorted(self.plan.references[self._root(unit)][f"calwebb-{pipeline}"].items()))

    def reference_files(self, unit: str, pipeline: str, *, overrides: bool = True) -> list[str]:
        """Return the paths of the reference files of an exposure or product.

        Parameters
        ----------
        unit : str
            Exposure or product.
        pipeline : str
            "detector1", "image2", ...
        overrides : bool
            Whether the user's own files take the place of the chosen ones, or are left out.

        Raises
        ------
        ReferenceFileError
            If one does not exist.
        """
        selection = self.reference_selection(unit, pipeline)
        options = parameter_types(f"calwebb-{pipeline}") if self.config["crds_parameters"] else ()
        selection |= {kind: NOT_APPLICABLE for kind in options if kind in self.overrides}
        for kind in selection.keys() & self.overrides.keys():
            selection[kind] = self.overrides[kind] if overrides else NOT_APPLICABLE
        key = tuple(selection.items())
        if key not in self._files:
            self._files[key] = existing(unit, selection, self.plan.reference_paths)
        return self._files[key]

    def options(self, pipeline: str) -> str:
        """Return `--set` for options not at their default, `--override` for the user's files."""
        return option_words(pipeline, self.config, self.schema, self.overrides)

    def optional_steps(self, pipeline: str) -> str:
        """Return the options of calwebb-references for what is chosen only when it is on."""
        name = f"calwebb-{pipeline}"
        words = [f"--with {step}" for step in self._steps_with_types() if has_step(name, step)]
        if not self.config["crds_parameters"]:
            words.append("--no-crds-parameters")
        return " ".join(words)

    def left_before(self, exposure: str) -> list[str]:
        """Return what the previous exposure of the detector leaves: a path, or nothing."""
        if self.handover is None or exposure not in self.handover.previous:
            return []
        root = self.handover.previous[exposure]
        program = ExposureName.parse(root).program
        return [f"{self.results}/{program}/detector1/{root}_{self.handover.kind.suffix}"]

    def options_with(self, left: Sequence[str]) -> str:
        """Return the options of detector1 with what the previous exposure left."""
        words = [self.options("detector1")]
        if self.handover is not None:
            option = f"{STEP}.{self.handover.kind.option}"
            words += [f"--set {shlex.quote(f'{option}={path}')}" for path in left]
        return " ".join(words)

    def association_file(self, unit: str, kind: str = "") -> str:
        """Return the path of the association that makes products of an exposure or product.

        Parameters
        ----------
        unit : str
            Exposure or product.
        kind : str
            "cal" or "calints" of an exposure of which both are made.
        """
        return self.associations.path(self._maker(unit, kind))

    def members(self, unit: str, kind: str = "") -> list[str]:
        """Return what a product is made of: calibrated exposures; of an exposure, its rates.

        The rates of background exposures come after that of the exposure.
        """
        maker = self._maker(unit, kind)
        return [
            f"{self.results}/{maker.program}/{folder_of(made_by)}/{name}"
            for name, made_by in zip(maker.members, maker.makers, strict=True)
        ]

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

    def group(self, pipeline: str, rule: str) -> str | None:
        """Return with which jobs one is submitted to a scheduler: with those of its exposure.

        Exposures that are processed in turn depend on each other, and would all become one
        submission: there, files of references and pictures are made apart.

        Parameters
        ----------
        pipeline : str
            What works on the exposure or product.
        rule : str
            Name of the rule.
        """
        if self.handover and pipeline == "detector1":
            return None if rule == "detector1" else rule
        return pipeline

    # Targets

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

"""What the workflow's rules ask: the plan of a run as paths, parameters and targets.

The Snakefile makes one `Run` from the configuration while it is read. Everything here is a
pure function of the configuration and of the headers of the raw exposures, so the whole
graph of jobs is known at a dry run. Nothing heavy is imported: a dry run starts fast.
"""

import logging
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from calwebb_associate.association_jobs import AssociationJobs
from calwebb_associate.bindings import container_environment, read_folders, written_folders
from calwebb_associate.choice import NOT_APPLICABLE, existing
from calwebb_associate.configuration import environment, load_schema, validate
from calwebb_associate.files import raw_exposures
from calwebb_associate.given_paths import check_files, check_given
from calwebb_associate.handover import STEP, Handover, in_turn, kind_of, leaving
from calwebb_associate.images import needed, require_images
from calwebb_associate.making import Making
from calwebb_associate.pipelines import (
    DETECTOR1,
    OPTIONAL_TYPES,
    has_step,
    parameter_types,
)
from calwebb_associate.plan import Plan, make_plan
from calwebb_associate.run_targets import Targets
from calwebb_associate.targets import folder_of, option_words
from calwebb_core.framework.names import ExposureName

log = logging.getLogger(__name__)


def plan_of(config: Mapping[str, Any], variables: Mapping[str, str]) -> Plan:
    """Return the plan of a run.

    Parameters
    ----------
    config : mapping
        The configuration, validated.
    variables : mapping
        Environment variables of its jobs.
    """
    places = [config["uncal"]] if isinstance(config["uncal"], str) else config["uncal"]
    return make_plan(
        raw_exposures(places, guide_stars=True),
        context=config["crds_context"] or None,
        crds_path=variables.get("CRDS_PATH"),
        overrides=tuple(config["overrides"]),
        steps=steps_with_types(config),
        crds_parameters=config["crds_parameters"],
        making=making_of(config),
    )


def making_of(config: Mapping[str, Any]) -> Making:
    """Return what the user gives for pool and associations."""
    return Making(
        pool=Path(config["pool"]) if config["pool"] else None,
        own=tuple(map(Path, config["associations"])),
        rules=Path(config["rules"]) if config["rules"] else None,
        default_rules=config["default_rules"],
        candidates=tuple(map(str.lower, config["candidates"])),
        discover=config["discover"],
    )


def steps_with_types(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the steps that are on and need reference files that are not chosen otherwise."""
    kind = kind_of(config["detector1"].get(STEP, {}))
    on = {STEP} if kind and kind.types else set()
    return tuple(step for step in OPTIONAL_TYPES if step in on)


class Run(Targets):
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

    def __init__(
        self, config: Mapping[str, Any], *, base: str | Path, containers: bool = False
    ) -> None:
        self.base = Path(base)
        self.schema = load_schema(self.base / "schemas" / "config.schema.json")
        validate(config, self.schema)
        check_given(config)
        self.environment = environment(config, self.base)
        super().__init__(config, plan_of(config, self.environment))
        self.logs = str(config["logs"])
        self.overrides: dict[str, str] = dict(config["overrides"])
        self.own_pool = making_of(config).pool
        check_files(exposure.path for exposure in self.plan.exposures)
        programs = {item.pipeline for item in self.plan.associations if item.available}
        self.images = require_images(self.base, needed(programs)) if containers else {}
        self.environment["CRDS_CONTEXT"] = self.plan.context
        if containers:
            read = read_folders(config, self.plan, self.base, self.environment)
            self.environment |= container_environment(
                self.environment, read, written_folders(config)
            )
        self.associations = AssociationJobs(self.results, self.plan)
        self.handover = self._handover()
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

    def say_at_the_end(self) -> None:
        """Say once more which series are not whole; everything, if nothing was said yet."""
        if not self._said:
            self.say_what_is_missing()
            return
        for sentence in self.plan.incomplete:
            log.warning("Left without light curve: %s", sentence)

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
        words = [f"--with {step}" for step in steps_with_types(self.config) if has_step(name, step)]
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

"""Put a research object together: the workflow's run, and each run of a stage program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rocrate.model.computerlanguage import get_lang
from rocrate.rocrate import ROCrate

from calwebb_associate import __version__
from calwebb_associate.crate.entities import Entities, options_of, refer
from calwebb_associate.crate.runs import FailedRun, ProgramRun
from calwebb_associate.crate.source import README, Workflow
from calwebb_core.framework.reference_sources import NOT_APPLICABLE

RO_CRATE: Final = "1.1"
DESCRIPTOR: Final = f"https://w3id.org/ro/crate/{RO_CRATE}"
WORKFLOW_PROFILE: Final = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
TERMS: Final = "https://w3id.org/ro/terms/workflow-run/context"
PROFILES: Final = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    WORKFLOW_PROFILE: "Workflow RO-Crate",
}
BIOSCHEMAS: Final = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
LICENSE: Final = "https://spdx.org/licenses/BSD-3-Clause"
COMPLETED: Final = "http://schema.org/CompletedActionStatus"
FAILED: Final = "http://schema.org/FailedActionStatus"
RAW: Final = "_uncal.fits"


@dataclass
class Tied:
    """What the runs have in common, by id: what they used and what they made."""

    raw: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class About:
    """What a research object is about.

    Attributes
    ----------
    program : str
        The observing program, such as 01345.
    folder : Path
        Its results.
    root : Path
        Folder of the research object.
    workflow : Workflow
    settings : mapping
        Options of the workflow that are not at their defaults.
    images : mapping
        Name and SHA-256 of the container image by stage program.
    failed : list of FailedRun
        Runs that made nothing.
    person, organization : str
        Who ran it, and who publishes it: a name, or NAME=ADDRESS; empty if that is not said.
    """

    program: str
    folder: Path
    root: Path
    workflow: Workflow
    settings: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    failed: Sequence[FailedRun] = ()
    person: str = ""
    organization: str = ""


def build(runs: list[ProgramRun], about: About) -> dict[str, Any]:
    """Return the JSON-LD of a research object.

    Parameters
    ----------
    runs : list of ProgramRun
    about : About
    """
    crate = ROCrate(version=RO_CRATE)
    crate.metadata.extra_contexts.append(TERMS)
    entities = Entities(crate, about.root, about.images)
    describe(crate, entities, about, runs)
    made = {path.name: path for run in runs for path in run.results}
    checksums = known_checksums(runs)
    tied = Tied()
    for run in runs:
        tie(entities, run, about, made, checksums, tied)
    for failed in about.failed:
        add_failure(entities, failed, runs)
    main = main_workflow(crate, entities, about, tied)
    entities.add(whole_run(entities, about, runs, tied, main))
    actions = crate.get_by_type("CreateAction")
    crate.root_dataset["mentions"] = refer(*(action.id for action in actions))
    add_people(crate, entities, about, actions)
    content: dict[str, Any] = crate.metadata.generate()
    return content


def known_checksums(runs: list[ProgramRun]) -> dict[str, str]:
    """Return the SHA-256 by name of what runs have read."""
    return {
        str(item["name"]): str(item.get("sha256", ""))
        for run in runs
        for item in (run.record["input"], *run.record["input"].get("members", ()))
    }


def describe(crate: ROCrate, entities: Entities, about: About, runs: list[ProgramRun]) -> None:
    """Say what the research object is, under which licence, and which profiles it follows."""
    last = max((run.end for run in runs), default="") or datetime.now(UTC).isoformat()
    crate.name = f"Calibrated products of program {about.program}"
    crate.description = (
        "Count rates, calibrated exposures, mosaics and catalogs made of raw JWST exposures, and "
        "what each was made of: input and reference files with checksums, software, options."
    )
    crate.datePublished = last[:10]
    crate.license = crate.add_jsonld(
        {
            "@id": LICENSE,
            "@type": "CreativeWork",
            "name": "BSD 3-Clause License",
            "description": "Licence of the workflow and its programs; data belong to their owners.",
        }
    )
    for address, name in PROFILES.items():
        version = address.rpartition("/")[2]
        profile = {"@id": address, "@type": "CreativeWork", "name": name, "version": version}
        entities.add(profile)
    crate.root_dataset["conformsTo"] = refer(*PROFILES)
    if (about.root / README).is_file():
        entities.file(about.root / README, about={"@id": "./"})
    crate.metadata["conformsTo"] = refer(DESCRIPTOR, WORKFLOW_PROFILE)


def tie(
    entities: Entities,
    run: ProgramRun,
    about: About,
    made: Mapping[str, Path],
    checksums: Mapping[str, str],
    tied: Tied,
) -> None:
    """Add one run of a stage program: what it read, its options, and what it made."""
    read = [input_id(entities, about, item, made) for item in inputs_of(run)]
    references = [
        entities.elsewhere(
            item["name"], str(item.get("sha256", "")), description=f"{kind} reference"
        )
        for kind, item in sorted(run.record["references"].items())
        if item["name"] != NOT_APPLICABLE
    ]
    options = [entities.option(name, value) for name, value in options_of(run)]
    if context := run.record.get("context"):
        options.append(entities.option("CRDS context", context))
    results = [entities.file(path, checksums.get(path.name, "")) for path in run.results]
    names = [str(item["name"]) for item in inputs_of(run)]
    tied.raw += [at for at, name in zip(read, names, strict=True) if name.endswith(RAW)]
    tied.references += references
    tied.products += results
    image = entities.image(run.program)
    entities.add(
        {
            "@id": f"#run/{results[0]}",
            "@type": "CreateAction",
            "name": f"{run.program} on {names[0]}",
            "description": f"A run with {len(results)} products",
            "instrument": refer(entities.program(run)),
            "object": refer(*read, *references, *options),
            "result": refer(*results),
            "actionStatus": COMPLETED,
            **({"containerImage": {"@id": image}} if image else {}),
            **times(run.start, run.end),
        }
    )


def add_failure(entities: Entities, failed: FailedRun, runs: list[ProgramRun]) -> None:
    """Add a run that made nothing: what it was about, and what it said."""
    like = next((run for run in runs if run.program == failed.program), None)
    program = like and entities.program(like)
    entities.add(
        {
            "@id": f"#failed/{failed.program}/{failed.unit}",
            "@type": "CreateAction",
            "name": f"{failed.program} on {failed.unit}",
            "description": "A run that ended with an error and made nothing",
            "instrument": refer(program or entities.unknown_program(failed.program)),
            "actionStatus": FAILED,
            "error": failed.error,
            **times(failed.start, failed.end),
        }
    )


def add_people(crate: ROCrate, entities: Entities, about: About, actions: list[Any]) -> None:
    """Say who ran it, and who publishes it, if that is known."""
    belongs = {}
    if about.organization:
        publisher = {"@id": entities.somebody("Organization", about.organization)}
        crate.root_dataset["publisher"] = publisher
        belongs = {"affiliation": publisher}
    if about.person:
        person = {"@id": entities.somebody("Person", about.person, **belongs)}
        crate.root_dataset["author"] = person
        for action in actions:
            action["agent"] = person


def inputs_of(run: ProgramRun) -> list[dict[str, Any]]:
    """Return name and checksum of a run's input and its members."""
    source = run.record["input"]
    return [source, *source.get("members", ())]


def input_id(
    entities: Entities, about: About, item: dict[str, Any], made: Mapping[str, Path]
) -> str:
    """Return the id of an input: a product, an association of the workflow, or a raw exposure."""
    name, checksum = str(item["name"]), str(item.get("sha256", ""))
    place = made.get(name) or about.folder / "associations" / name
    if place.is_file():
        return entities.file(place, checksum)
    return entities.elsewhere(name, checksum)


def times(start: str, end: str) -> dict[str, str]:
    """Return when an action started and ended, as far as known."""
    known = {"startTime": start, "endTime": end}
    return {name: f"{at[:19]}+00:00" for name, at in known.items() if at}


def main_workflow(crate: ROCrate, entities: Entities, about: About, tied: Tied) -> str:
    """Add the workflow with its rules, what it takes and what it makes; return its id."""
    language = crate.add(get_lang(crate, "snakemake"))
    parts = [
        entities.file(about.root / name, description="Part of the workflow")
        for name in about.workflow.parts
    ]
    entities.add({"@id": BIOSCHEMAS, "@type": "CreativeWork", "name": "ComputationalWorkflow"})
    takes = [
        parameter(crate, entities, "raw", "Raw exposures", tied.raw),
        parameter(crate, entities, "references", "Reference files", tied.references),
    ]
    makes = [parameter(crate, entities, "products", "Calibrated products", tied.products)]
    main = crate.add_file(
        dest_path=about.workflow.main,
        properties={
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": "calwebb-flow",
            "description": "Raw JWST exposures to calibrated exposures, mosaics and catalogs",
            "conformsTo": {"@id": BIOSCHEMAS},
            "license": {"@id": LICENSE},
            "version": __version__,
            "encodingFormat": "text/plain",
            "programmingLanguage": {"@id": language.id},
            "hasPart": refer(*parts),
            "input": refer(*(name for name in takes if name)),
            "output": refer(*(name for name in makes if name)),
        },
    )
    crate.mainEntity = main
    return str(main.id)


def parameter(crate: ROCrate, entities: Entities, name: str, meaning: str, of: list[str]) -> str:
    """Add what the workflow takes or makes, with all files that are it; empty if there are none."""
    files = list(dict.fromkeys(of))
    if not files:
        return ""
    identity = entities.add(
        {
            "@id": f"#parameter/{name}",
            "@type": "FormalParameter",
            "additionalType": "File",
            "name": name,
            "description": meaning,
            "multipleValues": "True",
            "valueRequired": "True",
            "conformsTo": {"@id": "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"},
            "workExample": refer(*files),
        }
    )
    for file in files:
        crate.dereference(file)["exampleOfWork"] = {"@id": identity}
    return identity


def whole_run(
    entities: Entities, about: About, runs: list[ProgramRun], tied: Tied, main: str
) -> dict[str, Any]:
    """Return the run of the workflow as a whole."""
    settings = [entities.option(name, value) for name, value in sorted(about.settings.items())]
    starts = [run.start for run in runs if run.start]
    ends = [run.end for run in runs if run.end]
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"calwebb-flow on program {about.program}",
        "description": f"{len(runs)} runs of stage programs that made products",
        "instrument": {"@id": main},
        "object": refer(*tied.raw, *tied.references, *settings),
        "result": refer(*tied.products),
        "actionStatus": FAILED if about.failed else COMPLETED,
        **({"error": f"{len(about.failed)} runs have failed"} if about.failed else {}),
        **times(min(starts, default=""), max(ends, default="")),
    }

"""From raw exposures to mosaic, catalog, pictures and summary, in given circumstances.

The programs are called one after the other, as the workflow's jobs call them; or by the workflow
itself, where a case says so.
"""

from pathlib import Path

from determinism.associated import associations, choose, exposure_of
from determinism.cases import Case
from determinism.circumstances import Call, make_place
from determinism.kinds import GUIDER, IMAGING, Kind
from determinism.spectra import run_spectra
from determinism.workflow import run_workflow


def run_chain(
    case: Case,
    data: Path,
    folder: Path,
    cache: Path | None = None,
    *,
    kind: Kind = IMAGING,
    drawn: bool = True,
) -> Path:
    """Run the whole chain and return the folder of its products.

    Parameters
    ----------
    case : Case
        Circumstances.
    data : Path
        Raw exposures and CRDS cache: uncal, crds_cache.
    folder : Path
        For products, logs and temporary files; made anew.
    cache : Path or None
        Compiled kernels, shared by the cases; beside the sources if None.
    kind : Kind
        What the data are.
    drawn : bool
        Whether to make pictures and the summary, too, of a kind that has them.
    """
    place = make_place(case, data, folder, cache)
    results = folder / "results"
    if kind.only_simulated:
        place.call(kind.program, kind.command, *kind.simulated, "--output-dir", results)
    elif kind.spectral:
        run_spectra(place.call, kind, place.data, results)
    elif case.workflow:
        run_workflow(place)
    else:
        run_programs(place.call, kind, place.data, results, drawn=drawn)
    return results


def run_programs(call: Call, kind: Kind, data: Path, results: Path, *, drawn: bool) -> None:
    """Run every program that a kind of exposure can go through."""
    if kind is not GUIDER:  # guide stars are in no pool
        call("calwebb-pool", data / "uncal", "-o", results / "pool.csv")
        call("calwebb-associate", data / "uncal", "--output-dir", results / "associations")
    rates(call, kind, data, results)
    calibrated(call, data, results)
    mosaics(call, data, results)
    if drawn and kind.drawn:
        pictures(call, results)
        call("calwebb-report", results, "-o", results / "report" / "summary.html")


def rates(call: Call, kind: Kind, data: Path, results: Path) -> None:
    """Make count rates."""
    for raw in raw_files(data):
        own = sorted((data / "references").glob("*.fits"))
        if own:
            chosen = [f"--override={path.stem}={path}" for path in own]
        else:
            chosen = ["--references", choose(call, raw, kind.program, results, root(raw))]
        call(kind.program, "run", raw, *chosen, *kind.words,
             "--output-dir", results / "detector1")  # fmt: skip


def calibrated(call: Call, data: Path, results: Path) -> None:
    """Make calibrated images."""
    for association in associations(results, "image2"):
        exposure = exposure_of(association)
        raw = data / "uncal" / f"{exposure}_uncal.fits"
        call("calwebb-image2", "run", association, "--input-dir", results / "detector1",
             "--references", choose(call, raw, "calwebb-image2", results, exposure),
             "--output-dir", results / "image2")  # fmt: skip


def mosaics(call: Call, data: Path, results: Path) -> None:
    """Make mosaics and catalogs."""
    for association in associations(results, "image3"):
        chosen = choose(call, raw_files(data)[0], "calwebb-image3", results)
        call("calwebb-image3", "run", association, "--input-dir", results / "image2",
             "--references", chosen, "--output-dir", results / "image3")  # fmt: skip


def pictures(call: Call, results: Path) -> None:
    """Draw a product of each kind."""
    drawn = results / "quicklook"
    for pattern in ("detector1/*_rate.fits", "image2/*_cal.fits", "image3/*_i2d.fits"):
        product = sorted(results.glob(pattern))[0]
        call("calwebb-quicklook", product, "-o", drawn / f"{product.stem}.png")
    segments = sorted(results.glob("image3/*_segm.fits"))[0]
    catalog = segments.with_name(segments.name.replace("_segm.fits", "_cat.ecsv"))
    call("calwebb-quicklook", segments, "--catalog", catalog, "-o", drawn / f"{segments.stem}.png")
    mosaic = sorted(results.glob("image3/*_i2d.fits"))[0]
    footprint = drawn / f"{mosaic.stem}_footprint.png"
    call("calwebb-quicklook", mosaic, "--footprint", "-o", footprint)


def raw_files(data: Path) -> list[Path]:
    """Return the raw exposures."""
    return sorted((data / "uncal").glob("*_uncal.fits"))


def root(raw: Path) -> str:
    """Return the name of an exposure."""
    return raw.name.removesuffix("_uncal.fits")

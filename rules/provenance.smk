# The research object of a program: what was made of what, by what, in a form that other tools read
# (Workflow Run RO-Crate), with a copy of the workflow. It reads the records of products, no pixels.
from calwebb_associate.crate.settings import crate_options


rule provenance:
    input:
        paths_of_program(EVERYTHING),
        snakefile=Path(workflow.basedir, "Snakefile"),
    output:
        f"{RESULTS}/{{program}}/ro-crate-metadata.json",
        directory(f"{RESULTS}/{{program}}/workflow"),
    log:
        f"{LOGS}/{{program}}/provenance/{{program}}.log",
    benchmark:
        f"{LOGS}/{{program}}/provenance/{{program}}.jsonl"
    conda:
        environment("associate")
    container:
        image("associate")
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        folder=f"{RESULTS}/{{program}}",
        logs=f"{LOGS}/{{program}}",
        options=crate_options(config, Path(workflow.basedir, "config.yaml"), RUN.images),
    shell:
        "calwebb-crate {params.folder:q} --workflow {input.snakefile:q} --logs {params.logs:q}"
        " {params.options} -q 2> {log:q}"


rule provenance_all:
    input:
        [
            f"{RESULTS}/{program}/ro-crate-metadata.json"
            for program, paths in sorted(EVERYTHING.items())
            if any(path.endswith(".fits") for path in paths)
        ],

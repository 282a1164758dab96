# The summary of a program: one page about all that was made of its exposures. The rule runs when
# everything else is done; calwebb-report shows an unfinished or failed run at any time.


def everything_of_program(wildcards):
    """All products and pictures of a program, its pool and its associations."""
    start = f"{RESULTS}/{wildcards.program}/"
    return [path for path in EVERYTHING if path.startswith(start)]


EVERYTHING = [
    *rules.associations_all.input,
    *rules.detector1_all.input,
    *rules.dark_all.input,
    *rules.guider_all.input,
    *rules.image2_all.input,
    *rules.image3_all.input,
]
REPORTS = [
    f"{RESULTS}/{program}/report/{program}_summary.html"
    for program in sorted(
        {Path(path).parent.name for path in EVERYTHING if path.endswith("/pool.csv")}
    )
]


rule summary:
    input:
        everything_of_program,
        uncal=raw_files_of_program,
        defaults=Path(workflow.basedir, "schemas/config.schema.json"),
    output:
        f"{RESULTS}/{{program}}/report/{{program}}_summary.html",
    log:
        f"{LOGS}/{{program}}/report/{{program}}_summary.log",
    benchmark:
        f"{LOGS}/{{program}}/report/{{program}}_summary.jsonl"
    container:
        image("associate")
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        folder=f"{RESULTS}/{{program}}",
        logs=f"{LOGS}/{{program}}",
    shell:
        "calwebb-report {params.folder} --logs {params.logs} --defaults {input.defaults}"
        " -o {output} -q 2> {log}"


rule report_all:
    input:
        REPORTS,

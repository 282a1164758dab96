# The summary of a program: one page about all that was made of its exposures. The rule runs when
# everything else is done; calwebb-report shows an unfinished or failed run at any time.


EVERYTHING = by_program(
    [
        *rules.associations_all.input,
        *rules.detector1_all.input,
        *rules.dark_all.input,
        *rules.guider_all.input,
        *rules.image2_all.input,
        *rules.spec2_all.input,
        *rules.image3_all.input,
        *rules.spec3_all.input,
        *rules.tso3_all.input,
    ]
)


rule summary:
    input:
        paths_of_program(EVERYTHING),
        uncal=raw_files_of_program,
        defaults=Path(workflow.basedir, "schemas/config.schema.json"),
    output:
        f"{RESULTS}/{{program}}/report/{{program}}_summary.html",
    log:
        f"{LOGS}/{{program}}/report/{{program}}_summary.log",
    benchmark:
        f"{LOGS}/{{program}}/report/{{program}}_summary.jsonl"
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
    shell:
        "calwebb-report {params.folder:q} --logs {params.logs:q} --defaults {input.defaults:q}"
        " -o {output:q} -q 2> {log:q}"


# A program of guide-star data alone has no pool, and no summary.
rule report_all:
    input:
        [
            f"{RESULTS}/{program}/report/{program}_summary.html"
            for program, paths in sorted(EVERYTHING.items())
            if f"{RESULTS}/{program}/pool.csv" in paths
        ],

# Best reference files of each exposure (or level-3 product) and pipeline: chosen by the plan,
# recorded here with their checksums. `selection` is what the rules of the context chose: a job
# runs again exactly when that choice changes, not whenever the context has another name.


rule references:
    input:
        uncal=raw_file,
        files=reference_files(overrides=False),
    output:
        f"{RESULTS}/{{program}}/references/{{unit}}_{{pipeline}}.json",
    log:
        f"{LOGS}/{{program}}/references/{{unit}}_{{pipeline}}.log",
    benchmark:
        f"{LOGS}/{{program}}/references/{{unit}}_{{pipeline}}.jsonl"
    group:
        group("references")
    conda:
        environment("associate")
    container:
        image("associate")
    resources:
        mem_mb=500,
        runtime=5,
    params:
        selection=reference_selection,
        steps=lambda wildcards: RUN.optional_steps(wildcards.pipeline),
    shell:
        "calwebb-references {input.uncal:q} --pipeline calwebb-{wildcards.pipeline:q}"
        " {params.steps} --allow-missing -o {output:q} -q 2> {log:q}"

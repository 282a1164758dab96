# Stage 1: raw ramps to count rates.


rule detector1:
    input:
        uncal=raw_file,
        references=f"{RESULTS}/{{program}}/references/{{exposure}}_detector1.json",
        files=reference_files("detector1"),
    output:
        rate=f"{RESULTS}/{{program}}/detector1/{{exposure}}_rate.fits",
        rateints=f"{RESULTS}/{{program}}/detector1/{{exposure}}_rateints.fits",
    log:
        f"{LOGS}/{{program}}/detector1/{{exposure}}.log",
    benchmark:
        f"{LOGS}/{{program}}/detector1/{{exposure}}.jsonl"
    group:
        group("detector1", "detector1")
    conda:
        environment("detector1")
    container:
        image("detector1")
    threads: 1
    resources:
        mem_mb=memory(base=900, per_input=4),
        runtime=runtime(base=3, per_gigabyte=10),
    params:
        options=RUN.options("detector1"),
    shell:
        "calwebb-detector1 run {input.uncal:q} --references {input.references:q}"
        ' --output-dir "$(dirname {output.rate:q})" {params.options}'
        " --threads {threads} --log {log:q} -q"


# Where the step persistence keeps account of what bright light leaves in a detector, exposures of
# a detector are processed in the order of time: each starts with what the one before it left.
if RUN.handover:

    use rule detector1 as detector1_in_turn with:
        input:
            uncal=raw_file,
            references=f"{RESULTS}/{{program}}/references/{{exposure}}_detector1.json",
            files=reference_files("detector1"),
            left=left_before,
        output:
            rate=f"{RESULTS}/{{program}}/detector1/{{exposure}}_rate.fits",
            rateints=f"{RESULTS}/{{program}}/detector1/{{exposure}}_rateints.fits",
            leaves=f"{RESULTS}/{{program}}/detector1/{{exposure}}_{RUN.handover.kind.suffix}",
        wildcard_constraints:
            exposure=RUN.handover.pattern,
        params:
            options=options_with_left,

    ruleorder: detector1_in_turn > detector1


rule detector1_all:
    input:
        RUN.products("detector1"),
        RUN.pictures("detector1"),


# Darks become ramps, guide-star data count rates.


rule dark:
    input:
        uncal=raw_file,
        references=f"{RESULTS}/{{program}}/references/{{exposure}}_dark.json",
        files=reference_files("dark"),
    output:
        f"{RESULTS}/{{program}}/detector1/{{exposure}}_dark.fits",
    log:
        f"{LOGS}/{{program}}/dark/{{exposure}}.log",
    benchmark:
        f"{LOGS}/{{program}}/dark/{{exposure}}.jsonl"
    group:
        group(pipeline="dark")
    conda:
        environment("detector1")
    container:
        image("detector1")
    threads: 1
    resources:
        mem_mb=memory(base=900, per_input=6),
        runtime=runtime(base=3, per_gigabyte=10),
    params:
        options=RUN.options("dark"),
    shell:
        "calwebb-dark run {input.uncal:q} --references {input.references:q}"
        ' --output-dir "$(dirname {output:q})" {params.options}'
        " --threads {threads} --log {log:q} -q"


rule guider:
    input:
        uncal=raw_file,
        references=f"{RESULTS}/{{program}}/references/{{guide}}_guider.json",
        files=reference_files("guider"),
    output:
        f"{RESULTS}/{{program}}/detector1/{{guide}}_cal.fits",
    log:
        f"{LOGS}/{{program}}/guider/{{guide}}.log",
    benchmark:
        f"{LOGS}/{{program}}/guider/{{guide}}.jsonl"
    group:
        group(pipeline="guider")
    conda:
        environment("detector1")
    container:
        image("detector1")
    threads: 1
    resources:
        mem_mb=memory(base=900, per_input=10),
        runtime=5,
    params:
        options=RUN.options("guider"),
    shell:
        "calwebb-guider run {input.uncal:q} --references {input.references:q}"
        ' --output-dir "$(dirname {output:q})" {params.options}'
        " --threads {threads} --log {log:q} -q"


rule dark_all:
    input:
        RUN.products("dark"),


rule guider_all:
    input:
        RUN.products("guider"),

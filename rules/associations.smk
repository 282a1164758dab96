# The table of exposures and the associations that follow from it. An association is written
# anew when its own content changes, not whenever an exposure was added to the pool.


rule pool:
    input:
        uncal=raw_files_of_program,
    output:
        f"{RESULTS}/{{program}}/pool.csv",
    log:
        f"{LOGS}/{{program}}/pool.log",
    benchmark:
        f"{LOGS}/{{program}}/pool.jsonl"
    container:
        image("associate")
    resources:
        mem_mb=500,
        runtime=10,
    shell:
        "calwebb-pool {input.uncal} -o {output} -q 2> {log}"


# The job reads the headers of all raw exposures, as the plan did; its inputs and parameters are
# its own members and content only. (The pool must not be its input, not even an ancient one:
# a job behind a pending one is not looked at for changes of its own.)
rule association:
    input:
        uncal=raw_files_of_association,
    output:
        f"{RESULTS}/{{program}}/associations/{{association}}.json",
    log:
        f"{LOGS}/{{program}}/associations/{{association}}.log",
    benchmark:
        f"{LOGS}/{{program}}/associations/{{association}}.jsonl"
    container:
        image("associate")
    resources:
        mem_mb=500,
        runtime=10,
    params:
        content=association_content,
        raw=RUN.raw_exposures(),
    shell:
        "calwebb-associate {params.raw} --only {wildcards.association}.json"
        " --output-dir $(dirname {output}) -q 2> {log}"


rule associations_all:
    input:
        RUN.tables(),

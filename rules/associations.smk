# The table of exposures and the associations that follow from it. An association is written
# anew when its own content changes, not whenever an exposure was added to the pool.
import gc


# What the plan says is put beside the results when a run starts, so that no job has to look at all
# exposures again.
onstart:
    gc.freeze()  # the plan stays until the end
    gc.enable()
    RUN.say_what_is_missing()
    RUN.associations.start()


if RUN.own_pool:

    rule pool:
        input:
            RUN.own_pool,
        output:
            f"{RESULTS}/{{program}}/pool.csv",
        log:
            f"{LOGS}/{{program}}/pool.log",
        benchmark:
            f"{LOGS}/{{program}}/pool.jsonl"
        conda:
            environment("associate")
        container:
            image("associate")
        resources:
            mem_mb=500,
            runtime=10,
        shell:
            "cp {input:q} {output:q} 2> {log:q}"

else:

    rule pool:
        input:
            uncal=raw_files_of_program,
        output:
            f"{RESULTS}/{{program}}/pool.csv",
        log:
            f"{LOGS}/{{program}}/pool.log",
        benchmark:
            f"{LOGS}/{{program}}/pool.jsonl"
        conda:
            environment("associate")
        container:
            image("associate")
        resources:
            mem_mb=500,
            runtime=10,
        params:
            listed=f"{RESULTS}/{{program}}/plan/raw_exposures.txt",
        shell:
            "calwebb-pool {params.listed:q} -o {output:q} -q 2> {log:q}"


# Its parameter is the association's own content, and the pool is no input, not even an ancient
# one: a job behind a pending one is not looked at for changes of its own.
rule association:
    output:
        f"{RESULTS}/{{program}}/associations/{{association}}.json",
    log:
        f"{LOGS}/{{program}}/associations/{{association}}.log",
    benchmark:
        f"{LOGS}/{{program}}/associations/{{association}}.jsonl"
    group:
        association_group
    conda:
        environment("associate")
    container:
        image("associate")
    resources:
        mem_mb=500,
        runtime=10,
    params:
        content=association_content,
        plan=f"{RESULTS}/{{program}}/plan/associations.jsonl",
    shell:
        "calwebb-associate {params.plan:q} --only {wildcards.association:q}.json"
        ' --output-dir "$(dirname {output:q})" -q 2> {log:q}'


rule own_association:
    input:
        own_association,
    output:
        f"{RESULTS}/{{program}}/associations/{{association}}.json",
    log:
        f"{LOGS}/{{program}}/associations/{{association}}.log",
    benchmark:
        f"{LOGS}/{{program}}/associations/{{association}}.jsonl"
    wildcard_constraints:
        association=RUN.associations.own_pattern,
    group:
        association_group
    conda:
        environment("associate")
    container:
        image("associate")
    resources:
        mem_mb=500,
        runtime=10,
    shell:
        "cp {input:q} {output:q} 2> {log:q}"


ruleorder: own_association > association


rule associations_all:
    input:
        RUN.associations.paths(),

# A picture of every product.


rule quicklook:
    input:
        f"{RESULTS}/{{program}}/{{pipeline}}/{{name}}.fits",
    output:
        f"{RESULTS}/{{program}}/quicklook/{{pipeline}}/{{name}}.png",
    log:
        f"{LOGS}/{{program}}/quicklook/{{pipeline}}/{{name}}.log",
    benchmark:
        f"{LOGS}/{{program}}/quicklook/{{pipeline}}/{{name}}.jsonl"
    container:
        image("level3")
    resources:
        mem_mb=memory(base=600, per_input=2),
        runtime=5,
    shell:
        "calwebb-quicklook {input} -o {output} -q 2> {log}"

# Stage 2 imaging: count rates to calibrated exposures.


rule image2:
    input:
        association=association_file,
        rate=f"{RESULTS}/{{program}}/detector1/{{exposure}}_rate.fits",
        references=f"{RESULTS}/{{program}}/references/{{exposure}}_image2.json",
        files=reference_files("image2"),
    output:
        cal=f"{RESULTS}/{{program}}/image2/{{exposure}}_cal.fits",
        i2d=f"{RESULTS}/{{program}}/image2/{{exposure}}_i2d.fits",
    log:
        f"{LOGS}/{{program}}/image2/{{exposure}}.log",
    benchmark:
        f"{LOGS}/{{program}}/image2/{{exposure}}.jsonl"
    container:
        image("image2")
    threads: 1
    resources:
        mem_mb=memory(base=900, per_input=6),
        runtime=runtime(base=3, per_gigabyte=20),
    params:
        options=RUN.options("image2"),
    shell:
        "calwebb-image2 run {input.association} --input-dir $(dirname {input.rate})"
        " --references {input.references} --output-dir $(dirname {output.cal})"
        " {params.options} --threads {threads} --log {log} -q"


rule image2_all:
    input:
        RUN.products("image2"),
        RUN.pictures("image2"),

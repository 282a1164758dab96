# Stage 2 imaging: count rates to calibrated exposures. Three kinds of exposures: images that are
# rectified, too; those that are not (target acquisitions, coronagraphic and the like); and those
# that stay cubes of integrations (coronagraphy, interferometry, time series). An exposure may
# have both `_cal` and `_calints`, by associations of their own.


rule image2:
    input:
        association=association_file("cal"),
        rate=count_rates("cal"),
        backgrounds=background_rates("cal"),
        references=f"{RESULTS}/{{program}}/references/{{exposure}}_image2.json",
        files=reference_files("image2"),
    output:
        cal=f"{RESULTS}/{{program}}/image2/{{exposure}}_cal.fits",
        i2d=f"{RESULTS}/{{program}}/image2/{{exposure}}_i2d.fits",
    log:
        f"{LOGS}/{{program}}/image2/{{exposure}}.log",
    benchmark:
        f"{LOGS}/{{program}}/image2/{{exposure}}.jsonl"
    group:
        group(pipeline="image2")
    conda:
        environment("image2")
    container:
        image("image2")
    threads: 1
    resources:
        mem_mb=memory(base=600, per_input=2),
        runtime=runtime(base=3, per_gigabyte=20),
    params:
        options=RUN.options("image2"),
    shell:
        'calwebb-image2 run {input.association:q} --input-dir "$(dirname {input.rate:q})"'
        ' --references {input.references:q} --output-dir "$(dirname {output.cal:q})"'
        " {params.options} --threads {threads} --log {log:q} -q"


use rule image2 as image2_without_i2d with:
    output:
        cal=f"{RESULTS}/{{program}}/image2/{{exposure}}_cal.fits",
    wildcard_constraints:
        exposure=RUN.only("cal"),


use rule image2 as image2_integrations with:
    input:
        association=association_file("calints"),
        rate=count_rates("calints"),
        backgrounds=background_rates("calints"),
        references=f"{RESULTS}/{{program}}/references/{{exposure}}_image2.json",
        files=reference_files("image2"),
    output:
        cal=f"{RESULTS}/{{program}}/image2/{{exposure}}_calints.fits",
    log:
        f"{LOGS}/{{program}}/image2/{{exposure}}_calints.log",
    benchmark:
        f"{LOGS}/{{program}}/image2/{{exposure}}_calints.jsonl"


ruleorder: image2_without_i2d > image2


rule image2_all:
    input:
        RUN.products("image2"),
        RUN.pictures("image2"),

# A picture of every product, of where the exposures of each mosaic lie, and of each set of mosaics
# through three or more filters in colour. The memory is more than the largest need, a mosaic read in
# parts: a size that depends on the input takes Snakemake longer to plan.


rule quicklook:
    input:
        f"{RESULTS}/{{program}}/{{pipeline}}/{{name}}.fits",
    output:
        f"{RESULTS}/{{program}}/quicklook/{{pipeline}}/{{name}}.png",
    log:
        f"{LOGS}/{{program}}/quicklook/{{pipeline}}/{{name}}.log",
    benchmark:
        f"{LOGS}/{{program}}/quicklook/{{pipeline}}/{{name}}.jsonl"
    group:
        group("quicklook")
    conda:
        environment("level3")
    container:
        image("level3")
    resources:
        mem_mb=1000,
        runtime=5,
    shell:
        "calwebb-quicklook {input:q} -o {output:q} -q 2> {log:q}"


rule quicklook_segments:
    input:
        segments=f"{RESULTS}/{{program}}/image3/{{product}}_segm.fits",
        catalog=f"{RESULTS}/{{program}}/image3/{{product}}_cat.ecsv",
    output:
        f"{RESULTS}/{{program}}/quicklook/image3/{{product}}_segm.png",
    log:
        f"{LOGS}/{{program}}/quicklook/image3/{{product}}_segm.log",
    benchmark:
        f"{LOGS}/{{program}}/quicklook/image3/{{product}}_segm.jsonl"
    group:
        group(pipeline="image3")
    conda:
        environment("level3")
    container:
        image("level3")
    resources:
        mem_mb=1000,
        runtime=5,
    shell:
        "calwebb-quicklook {input.segments:q} --catalog {input.catalog:q} -o {output:q} -q 2> {log:q}"


rule footprint:
    input:
        f"{RESULTS}/{{program}}/image3/{{product}}_i2d.fits",
    output:
        f"{RESULTS}/{{program}}/quicklook/image3/{{product}}_footprint.png",
    log:
        f"{LOGS}/{{program}}/quicklook/image3/{{product}}_footprint.log",
    benchmark:
        f"{LOGS}/{{program}}/quicklook/image3/{{product}}_footprint.jsonl"
    group:
        group(pipeline="image3")
    conda:
        environment("level3")
    container:
        image("level3")
    resources:
        mem_mb=1000,
        runtime=5,
    shell:
        "calwebb-quicklook {input:q} --footprint -o {output:q} -q 2> {log:q}"


rule colour:
    input:
        mosaics_of_colour,
    output:
        f"{RESULTS}/{{program}}/quicklook/image3/{{colour}}_colour.png",
    log:
        f"{LOGS}/{{program}}/quicklook/image3/{{colour}}_colour.log",
    benchmark:
        f"{LOGS}/{{program}}/quicklook/image3/{{colour}}_colour.jsonl"
    conda:
        environment("level3")
    container:
        image("level3")
    resources:
        mem_mb=1000,
        runtime=5,
    shell:
        "calwebb-quicklook {input:q} --colour -o {output:q} -q 2> {log:q}"


ruleorder: quicklook_segments > footprint > colour > quicklook

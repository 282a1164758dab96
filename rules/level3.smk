# Stage 3 imaging: calibrated exposures of an association to a mosaic and a catalog. The
# flagged exposures (_crf) are as many as the association has members: they go into a folder
# of their own, from which the products of fixed name are moved when all is done.


rule image3:
    input:
        association=association_file(),
        members=calibrated_members,
        references=f"{RESULTS}/{{program}}/references/{{product}}_image3.json",
        files=reference_files("image3"),
    output:
        **made_by(
            "image3",
            i2d=f"{RESULTS}/{{program}}/image3/{{product}}_i2d.fits",
            catalog=f"{RESULTS}/{{program}}/image3/{{product}}_cat.ecsv",
            segmentation=f"{RESULTS}/{{program}}/image3/{{product}}_segm.fits",
        ),
        exposures=directory(f"{RESULTS}/{{program}}/image3/{{product}}_crf"),
    log:
        f"{LOGS}/{{program}}/image3/{{product}}.log",
    benchmark:
        f"{LOGS}/{{program}}/image3/{{product}}.jsonl"
    group:
        group(pipeline="image3")
    conda:
        environment("level3")
    container:
        image("level3")
    threads: 2
    resources:
        mem_mb=memory(base=1300, per_input=0.02),
        runtime=runtime(base=5, per_gigabyte=10),
    params:
        options=RUN.options("image3"),
        cal=lambda w: f"{RESULTS}/{w.program}/image2",
        single=lambda w, output: [path for path in output if path != output.exposures],
    shell:
        "calwebb-image3 run {input.association:q} --input-dir {params.cal:q}"
        " --references {input.references:q} --output-dir {output.exposures:q}"
        " {params.options} --threads {threads} --log {log:q} -q"
        " && for product in {params.single:q}; do"
        ' mv {output.exposures:q}/"$(basename "$product")" "$product" || exit; done'


rule image3_all:
    input:
        RUN.products("image3"),
        RUN.pictures("image3"),

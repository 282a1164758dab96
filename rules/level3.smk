# Stage 3: calibrated exposures of an association to a mosaic and a catalog, or the segments of a
# time series to light curves. The flagged exposures (_crf, _crfints) are as many as the association
# has members: they go into a folder of their own, from which the products of fixed name are moved
# when all is done.


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


# Members that were calibrated by different programs (spectra, and the images of their target
# acquisition) lie in different folders: they are brought together, without copying where the file
# system can.
bring_together = (
    'members={output.exposures:q}/members && mkdir -p "$members" &&'
    ' {{ ln -f -t "$members" {input.members:q} 2> /dev/null ||'
    ' cp -t "$members" {input.members:q}; }} && '
)
move_products = (
    ' && rm -r "$members" && for product in {params.single:q}; do'
    ' mv {output.exposures:q}/"$(basename "$product")" "$product" || exit; done'
)


rule tso3:
    input:
        association=association_file(),
        members=calibrated_members,
        references=f"{RESULTS}/{{program}}/references/{{product}}_tso3.json",
        files=reference_files("tso3"),
    output:
        **made_by(
            "tso3",
            x1dints=f"{RESULTS}/{{program}}/tso3/{{product}}_x1dints.fits",
            curve=f"{RESULTS}/{{program}}/tso3/{{product}}_whtlt.ecsv",
        ),
        exposures=directory(f"{RESULTS}/{{program}}/tso3/{{product}}_crfints"),
    log:
        f"{LOGS}/{{program}}/tso3/{{product}}.log",
    benchmark:
        f"{LOGS}/{{program}}/tso3/{{product}}.jsonl"
    group:
        group(pipeline="tso3")
    conda:
        environment("level3")
    container:
        image("level3")
    threads: 1
    resources:
        mem_mb=memory(base=1300, per_input=1),
        runtime=runtime(base=5, per_gigabyte=10),
    params:
        options=RUN.options("tso3"),
        single=lambda w, output: [path for path in output if path != output.exposures],
    shell:
        bring_together
        + 'calwebb-tso3 run {input.association:q} --input-dir "$members"'
        " --references {input.references:q} --output-dir {output.exposures:q}"
        " {params.options} --threads {threads} --log {log:q} -q" + move_products


use rule tso3 as tso3_images with:
    output:
        **made_by("tso3", curve=f"{RESULTS}/{{program}}/tso3/{{product}}_phot.ecsv"),
        exposures=directory(f"{RESULTS}/{{program}}/tso3/{{product}}_crfints"),
    wildcard_constraints:
        product=RUN.only("phot", pipeline="tso3"),


ruleorder: tso3_images > tso3


rule tso3_all:
    input:
        RUN.products("tso3"),
        RUN.pictures("tso3"),


rule spec3:
    input:
        association=association_file(),
        members=calibrated_members,
        references=f"{RESULTS}/{{program}}/references/{{product}}_spec3.json",
        files=reference_files("spec3"),
    output:
        **made_by(
            "spec3",
            s2d=f"{RESULTS}/{{program}}/spec3/{{product}}_s2d.fits",
            x1d=f"{RESULTS}/{{program}}/spec3/{{product}}_x1d.fits",
        ),
        exposures=directory(f"{RESULTS}/{{program}}/spec3/{{product}}_crf"),
    log:
        f"{LOGS}/{{program}}/spec3/{{product}}.log",
    benchmark:
        f"{LOGS}/{{program}}/spec3/{{product}}.jsonl"
    group:
        group(pipeline="spec3")
    conda:
        environment("level3")
    container:
        image("level3")
    threads: 1
    resources:
        mem_mb=memory(base=1300, per_input=3),
        runtime=runtime(base=5, per_gigabyte=10),
    params:
        options=RUN.options("spec3"),
        single=lambda w, output: [path for path in output if path != output.exposures],
    shell:
        bring_together
        + 'calwebb-spec3 run {input.association:q} --input-dir "$members"'
        " --references {input.references:q} --output-dir {output.exposures:q}"
        " {params.options} --threads {threads} --log {log:q} -q" + move_products


# Which sources and slits there are is known only when it has run: a folder of all its products.
use rule spec3 as spec3_sources with:
    output:
        exposures=directory(f"{RESULTS}/{{program}}/spec3/{{product}}"),
    wildcard_constraints:
        product=RUN.only(RUN.FOLDER, pipeline="spec3"),


ruleorder: spec3_sources > spec3


rule spec3_all:
    input:
        RUN.products("spec3"),
        RUN.pictures("spec3"),

# Stage 3 of time series: the segments of an exposure to light curves. As with images, the flagged
# segments (_crfints) go into a folder of their own.
#
# Members that were calibrated by different programs (spectra, and the images of their target
# acquisition) lie in different folders: they are brought together, without copying where the file
# system can.


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
        'members={output.exposures:q}/members && mkdir -p "$members" &&'
        ' {{ ln -f -t "$members" {input.members:q} 2> /dev/null ||'
        ' cp -t "$members" {input.members:q}; }} &&'
        ' calwebb-tso3 run {input.association:q} --input-dir "$members"'
        " --references {input.references:q} --output-dir {output.exposures:q}"
        " {params.options} --threads {threads} --log {log:q} -q &&"
        ' rm -r "$members" && for product in {params.single:q}; do'
        ' mv {output.exposures:q}/"$(basename "$product")" "$product" || exit; done'


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

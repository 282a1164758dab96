# Stage 3 spectroscopy: exposures through slits to one spectrum of each source. As with images, the
# flagged exposures (_crf) go into a folder of their own.
#
# Members that were calibrated by different programs (spectra, and the images of their target
# acquisition) lie in different folders: they are brought together, without copying where the file
# system can.


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
        'members={output.exposures:q}/members && mkdir -p "$members" &&'
        ' {{ ln -f -t "$members" {input.members:q} 2> /dev/null ||'
        ' cp -t "$members" {input.members:q}; }} &&'
        ' calwebb-spec3 run {input.association:q} --input-dir "$members"'
        " --references {input.references:q} --output-dir {output.exposures:q}"
        " {params.options} --threads {threads} --log {log:q} -q &&"
        ' rm -r "$members" && for product in {params.single:q}; do'
        ' mv {output.exposures:q}/"$(basename "$product")" "$product" || exit; done'


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

# Stage 2 spectroscopy: count rates to calibrated and extracted spectra. Two kinds of exposures: those
# whose slits are rectified, too; and time series, which stay cubes of integrations.


rule spec2:
    input:
        association=association_file("cal"),
        rate=count_rates("cal"),
        others=background_rates("cal"),
        references=f"{RESULTS}/{{program}}/references/{{exposure}}_spec2.json",
        files=reference_files("spec2"),
    output:
        **made_by(
            "spec2",
            s2d=f"{RESULTS}/{{program}}/spec2/{{exposure}}_s2d.fits",
            x1d=f"{RESULTS}/{{program}}/spec2/{{exposure}}_x1d.fits",
        ),
        cal=f"{RESULTS}/{{program}}/spec2/{{exposure}}_cal.fits",
    log:
        f"{LOGS}/{{program}}/spec2/{{exposure}}.log",
    benchmark:
        f"{LOGS}/{{program}}/spec2/{{exposure}}.jsonl"
    group:
        group(pipeline="spec2")
    conda:
        environment("spec2")
    container:
        image("spec2")
    threads: 1
    resources:
        mem_mb=memory(base=1000, per_input=4),
        runtime=runtime(base=3, per_gigabyte=20),
    params:
        options=RUN.options("spec2"),
    shell:
        'calwebb-spec2 run {input.association:q} --input-dir "$(dirname {input.rate:q})"'
        ' --references {input.references:q} --output-dir "$(dirname {output.cal:q})"'
        " {params.options} --threads {threads} --log {log:q} -q"


use rule spec2 as spec2_integrations with:
    input:
        association=association_file("calints"),
        rate=count_rates("calints"),
        others=background_rates("calints"),
        references=f"{RESULTS}/{{program}}/references/{{exposure}}_spec2.json",
        files=reference_files("spec2"),
    output:
        **made_by(
            "spec2", x1dints=f"{RESULTS}/{{program}}/spec2/{{exposure}}_x1dints.fits"
        ),
        cal=f"{RESULTS}/{{program}}/spec2/{{exposure}}_calints.fits",
    log:
        f"{LOGS}/{{program}}/spec2/{{exposure}}_calints.log",
    benchmark:
        f"{LOGS}/{{program}}/spec2/{{exposure}}_calints.jsonl"


rule spec2_all:
    input:
        RUN.products("spec2"),
        RUN.pictures("spec2"),

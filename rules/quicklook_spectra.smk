# Pictures of spectra and light curves: with the apertures of what was extracted, and with memory for
# long series.


# Spectra in two dimensions that others were extracted of show the apertures.
rule quicklook_rectified:
    input:
        spectrum=f"{RESULTS}/{{program}}/{{pipeline}}/{{unit}}_s2d.fits",
        extracted=f"{RESULTS}/{{program}}/{{pipeline}}/{{unit}}_x1d.fits",
    output:
        f"{RESULTS}/{{program}}/quicklook/{{pipeline}}/{{unit}}_s2d.png",
    log:
        f"{LOGS}/{{program}}/quicklook/{{pipeline}}/{{unit}}_s2d.log",
    benchmark:
        f"{LOGS}/{{program}}/quicklook/{{pipeline}}/{{unit}}_s2d.jsonl"
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
        "calwebb-quicklook {input.spectrum:q} --spectra {input.extracted:q} -o {output:q}"
        " -q 2> {log:q}"


use rule quicklook_rectified as quicklook_series with:
    input:
        spectrum=f"{RESULTS}/{{program}}/spec2/{{unit}}_calints.fits",
        extracted=f"{RESULTS}/{{program}}/spec2/{{unit}}_x1dints.fits",
    output:
        f"{RESULTS}/{{program}}/quicklook/spec2/{{unit}}_calints.png",
    log:
        f"{LOGS}/{{program}}/quicklook/spec2/{{unit}}_calints.log",
    benchmark:
        f"{LOGS}/{{program}}/quicklook/spec2/{{unit}}_calints.jsonl"
    group:
        group(pipeline="spec2")
    resources:
        mem_mb=memory(base=700, per_input=2),
        runtime=5,


use rule quicklook as quicklook_map with:
    input:
        f"{RESULTS}/{{program}}/{{pipeline}}/{{unit}}_x1dints.fits",
    output:
        f"{RESULTS}/{{program}}/quicklook/{{pipeline}}/{{unit}}_x1dints.png",
    log:
        f"{LOGS}/{{program}}/quicklook/{{pipeline}}/{{unit}}_x1dints.log",
    benchmark:
        f"{LOGS}/{{program}}/quicklook/{{pipeline}}/{{unit}}_x1dints.jsonl"
    resources:
        mem_mb=memory(base=700, per_input=4),
        runtime=5,


use rule quicklook as quicklook_light_curve with:
    input:
        f"{RESULTS}/{{program}}/tso3/{{name}}.ecsv",
    output:
        f"{RESULTS}/{{program}}/quicklook/tso3/{{name}}.png",
    log:
        f"{LOGS}/{{program}}/quicklook/tso3/{{name}}.log",
    benchmark:
        f"{LOGS}/{{program}}/quicklook/tso3/{{name}}.jsonl"
    wildcard_constraints:
        name=r"[a-z0-9_.-]+_(whtlt|phot)",
    group:
        group(pipeline="tso3")


# Pictures of a folder of products: how many there are is not known before it is made.
rule quicklook_folder:
    input:
        f"{RESULTS}/{{program}}/spec3/{{product}}",
    output:
        directory(f"{RESULTS}/{{program}}/quicklook/spec3/{{product}}"),
    log:
        f"{LOGS}/{{program}}/quicklook/spec3/{{product}}.log",
    benchmark:
        f"{LOGS}/{{program}}/quicklook/spec3/{{product}}.jsonl"
    group:
        group(pipeline="spec3")
    conda:
        environment("level3")
    container:
        image("level3")
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "mkdir -p {output:q} && for product in {input:q}/*_s2d.fits {input:q}/*_x1d.fits; do"
        ' if [ -e "$product" ]; then name=$(basename "$product" .fits) && spectra=() &&'
        ' extracted="${{product%_s2d.fits}}_x1d.fits" &&'
        ' if [ -e "$extracted" ]; then spectra=(--spectra "$extracted"); fi &&'
        ' calwebb-quicklook "$product" "${{spectra[@]}}" -o {output:q}/"$name.png" -q 2>> {log:q} ||'
        " exit; fi; done"


ruleorder:
    quicklook_light_curve
    > quicklook_map
    > quicklook_series
    > quicklook_rectified
    > quicklook

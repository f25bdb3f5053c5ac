rule ladder:
    """Hold every variant against its reference, rung by rung."""
    input:
        npz=rules.data.output.npz,
        manifest=rules.data.output.manifest,
    output:
        rungs=f"{OUTPUT}/ladder/{{dataset}}.csv",
    log:
        f"{OUTPUT}/logs/ladder/{{dataset}}.log",
    conda:
        ENVIRONMENT
    threads: CONFIGURATION.training.threads
    params:
        variants=variant_digests,
        steps=CONFIGURATION.measurements.ladder_steps,
    script:
        "../../scripts/climb_ladder.py"

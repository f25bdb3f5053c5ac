rule train:
    """Train every run of one job; a run that is in the store is not trained again."""
    input:
        npz=rules.data.output.npz,
        manifest=rules.data.output.manifest,
        mark=MARKS,
    output:
        records=f"{OUTPUT}/runs/{{dataset}}/{{job}}.parquet",
    params:
        **stage("train"),
        runs=runs_of_job,
        device=this_device,
        store=STORE,
        configuration=RESOLVED,
    log:
        f"{OUTPUT}/logs/train/{{dataset}}/{{job}}.log",
    threads: CONFIGURATION.training.threads
    resources:
        gpu=gpus_of_job,
        mem_mb=memory_of_job,
        runtime=minutes_of_job,
    conda:
        ENVIRONMENT
    script:
        "../../scripts/train.py"
